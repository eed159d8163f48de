import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeAdmission } from '../../../test/support/fake-admission.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { SessionTickets, type TicketAnswer, type TicketRequest } from './session-tickets.ts';

const RESUME = 30;

function setUp(context: { after(done: () => Promise<void>): void }) {
  const admission = new FakeAdmission();
  const clock = new FakeClock();
  let serial = 0;
  const tickets = new SessionTickets({
    ...{ requests: admission, queue: admission, clock, log: new MemoryLog() },
    newId: () => `ticket-${(serial += 1)}`,
    resume: () => RESUME,
  });
  context.after(() => tickets.stop());
  return { admission, clock, tickets };
}

function request(changes: Partial<TicketRequest> = {}): TicketRequest {
  return { address: { address: '192.0.2.1', limitKey: '192.0.2.1' }, wait: true, ...changes };
}

function ticketOf(answer: TicketAnswer | undefined): string {
  if (answer === undefined || answer.kind === 'refused') assert.fail(`no ticket in ${JSON.stringify(answer)}`);
  return answer.ticket;
}

test('a client that polls every two seconds keeps its place and receives its server', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  for (let asked = 0; asked < 60; asked += 1) {
    await clock.advance(2);
    assert.equal(tickets.poll(ticket)?.kind, 'waiting');
    assert.deepEqual(admission.line, [ticket]);
  }
  const outcome = admission.settle();
  await clock.advance(2);
  assert.deepEqual(tickets.poll(ticket), { kind: 'allocated', ticket, outcome });
  assert.deepEqual(admission.released, []);
});

test('a client that stops asking is skipped after ten seconds, and finds its place when it asks again', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  await clock.advance(9);
  assert.deepEqual(admission.line, [ticket]);
  await clock.advance(2);
  assert.deepEqual(admission.line, [`${ticket} away`]);
  assert.equal(tickets.poll(ticket)?.kind, 'waiting');
  assert.deepEqual(admission.line, [ticket]);
});

test('a place that the line gave up is unknown here too, and nothing is left of it', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  await clock.advance(11);
  await admission.giveUp(ticket);
  assert.equal(tickets.poll(ticket), undefined);
  assert.equal(tickets.size, 0);
});

test('an outcome is remembered for a minute after it was fetched, so that a lost answer can be fetched again', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  const outcome = admission.settle();
  for (const seconds of [0, 20, 30]) {
    await clock.advance(seconds);
    assert.deepEqual(tickets.poll(ticket), { kind: 'allocated', ticket, outcome });
  }
  await clock.advance(11);
  assert.equal(tickets.poll(ticket), undefined);
  assert.equal(tickets.size, 0);
  assert.deepEqual(admission.released, [], 'a fetched outcome is not taken away');
});

test('a booking that is not fetched is released when its place expires, and a late poll gets the code `lapsed`', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  const outcome = admission.settle();
  assert.equal(outcome?.kind, 'allocated');
  await clock.advance(RESUME - 1);
  assert.deepEqual(admission.released, []);
  await clock.advance(2);
  assert.deepEqual(admission.released, [outcome.bookingId]);
  const late = tickets.poll(ticket);
  assert.equal(late?.kind === 'refused' && late.outcome.code, 'lapsed');
  await clock.advance(61);
  assert.equal(tickets.size, 0);
  assert.equal(admission.released.length, 1);
});

test('giving up ends a place, gives a booking back, and works once', async (t) => {
  const { admission, tickets } = setUp(t);
  const place = ticketOf(await tickets.request(request()));
  assert.equal(await tickets.giveUp(place), true);
  assert.deepEqual(admission.line, []);
  assert.equal(tickets.poll(place), undefined);
  assert.equal(await tickets.giveUp(place), false);

  const booked = await tickets.request(request({ wait: false }));
  assert.equal(booked.kind, 'allocated');
  assert.equal(await tickets.giveUp(booked.ticket), true);
  assert.deepEqual(admission.released, [booked.outcome.bookingId]);
  assert.equal(await tickets.giveUp(booked.ticket), false);
  assert.equal(admission.released.length, 1);
  assert.equal(tickets.size, 0);
});

test('a place that is given up with a grace is away at once, and continues with the next poll', async (t) => {
  const { admission, tickets, clock } = setUp(t);
  const place = ticketOf(await tickets.request(request()));
  assert.equal(tickets.giveUpLater(place, 10), true);
  assert.deepEqual([admission.line, admission.leaving], [[`${place} away`], [[place, 10]]]);
  assert.equal(tickets.poll(place)?.kind, 'waiting');
  assert.equal(tickets.giveUpLater(place, 10), true);
  await clock.advance(11);
  assert.equal(tickets.size, 0);
  assert.equal(tickets.giveUpLater('never given out', 10), false);
});

test('a place that was continued on a WebSocket can be taken back with its ticket', async (t) => {
  const { admission, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  const received: string[] = [];
  const socket = new AbortController();
  admission.resume(ticket, {
    gone: socket.signal,
    keepPlace: true,
    changed: ({ position }) => received.push(`number ${position}`),
    settled: (outcome) => received.push(outcome.kind === 'refused' ? outcome.code : outcome.url),
  });
  assert.equal(tickets.poll(ticket)?.kind, 'waiting');
  assert.deepEqual(received, ['number 1', 'continued-elsewhere']);
  const outcome = admission.settle();
  assert.deepEqual(tickets.poll(ticket), { kind: 'allocated', ticket, outcome });
});

test('the outcome of a place on a dead WebSocket can be fetched with its ticket, and given up', async (t) => {
  const { admission, tickets } = setUp(t);
  const outcome = admission.allocated();
  admission.undelivered.set('a token', outcome);
  for (let i = 0; i < 2; i += 1) assert.deepEqual(tickets.poll('a token'), { kind: 'allocated', ticket: 'a token', outcome });
  assert.equal(admission.undelivered.size, 0, 'it is kept here from now on');
  assert.equal(await tickets.giveUp('a token'), true);
  assert.deepEqual(admission.released, [outcome.kind === 'allocated' && outcome.bookingId]);
  assert.equal(tickets.poll('a token'), undefined);
  assert.equal(tickets.size, 0);
});

test('a ticket from before a restart is good as long as the line knows it', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const ticket = ticketOf(await tickets.request(request()));
  const after = new SessionTickets({
    ...{ requests: admission, queue: admission, clock, log: new MemoryLog(), newId: () => 'x' },
    resume: () => RESUME,
  });
  t.after(() => after.stop());
  assert.equal(after.poll(ticket)?.kind, 'waiting');
  assert.equal(after.poll('never given out'), undefined);
});

test('a client that asks again after a restart gets the place that it had, and nothing is left of it at the end', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const asked = request({ clientId: 'c' });
  const ticket = ticketOf(await tickets.request(asked));
  const after = new SessionTickets({
    ...{ requests: admission, queue: admission, clock, log: new MemoryLog(), newId: () => 'x' },
    resume: () => RESUME,
  });
  t.after(() => after.stop());
  for (const looksFirst of [false, true]) {
    if (looksFirst) assert.equal(after.poll(ticket)?.kind, 'waiting');
    admission.restored.set('c', ticket);
    for (let i = 0; i < 2; i += 1) assert.equal(ticketOf(await after.request(asked)), ticket);
  }
  assert.equal(admission.requests.length, 1);
  assert.equal(admission.line.length, 1);
  assert.equal(await after.giveUp(ticket), true);
  assert.notEqual(ticketOf(await after.request(asked)), ticket);
});

test('the same client asking for the same gets the same answer and no second booking', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const asked = request({ clientId: 'c', projectUrl: 'https://github.com/a/b', labels: { a: '1', b: '2' }, wait: false });
  const first = await tickets.request(asked);
  await clock.advance(5);
  assert.deepEqual(await tickets.request({ ...asked, labels: { b: '2', a: '1' } }), first);
  assert.deepEqual(await tickets.request({ ...asked, wait: true }), first);
  assert.equal(admission.requests.length, 1);
});

test('the same client asking while its first request is under way waits for that answer', async (t) => {
  const { admission, tickets } = setUp(t);
  const asked = request({ clientId: 'c' });
  const answers = await Promise.all([tickets.request(asked), tickets.request(asked), tickets.request(asked)]);
  assert.equal(new Set(answers.map(ticketOf)).size, 1);
  assert.equal(admission.requests.length, 1);
  assert.equal(admission.line.length, 1);
});

test('the same client asking again keeps its place in line, also after it was silent', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const asked = request({ clientId: 'c' });
  const ticket = ticketOf(await tickets.request(asked));
  await clock.advance(15);
  assert.deepEqual(admission.line, [`${ticket} away`]);
  assert.equal(ticketOf(await tickets.request(asked)), ticket);
  assert.deepEqual(admission.line, [ticket]);
  const outcome = admission.settle();
  assert.deepEqual(await tickets.request(asked), { kind: 'allocated', ticket, outcome });
});

test('others, other addresses and other wishes are other requests', async (t) => {
  const { admission, tickets } = setUp(t);
  const base = request({ clientId: 'c', wait: false });
  const others: TicketRequest[] = [
    base,
    { ...base, clientId: 'd' },
    { ...base, projectUrl: 'https://github.com/a/b' },
    { ...base, labels: { a: '1' } },
    { ...base, address: { address: '192.0.2.2', limitKey: '192.0.2.2' } },
    request({ wait: false }),
    request({ wait: false }),
  ];
  const answers = await Promise.all(others.map((other) => tickets.request(other)));
  assert.equal(new Set(answers.map(ticketOf)).size, others.length);
  assert.equal(admission.requests.length, others.length);
});

test('a refusal books nothing, so asking again is trying again', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const asked = request({ clientId: 'c', wait: false });
  admission.next.push({ kind: 'refused', code: 'no-room', reason: 'No room.' });
  assert.equal((await tickets.request(asked)).kind, 'refused');
  assert.equal((await tickets.request(asked)).kind, 'allocated');

  const waits = request({ clientId: 'd' });
  await tickets.request(waits);
  admission.settle();
  await clock.advance(RESUME + 2);
  assert.equal((await tickets.request(waits)).kind, 'waiting', 'a lapsed session is requested again');
});

test('after a cancellation or some time the same client can ask again', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const asked = request({ clientId: 'c', wait: false });
  const first = ticketOf(await tickets.request(asked));
  await tickets.giveUp(first);
  const second = ticketOf(await tickets.request(asked));
  assert.notEqual(second, first);
  await clock.advance(61);
  assert.notEqual(ticketOf(await tickets.request(asked)), second);
  assert.equal(admission.requests.length, 3);
});

test('an internal failure reaches every client that asked, and is not remembered', async (t) => {
  const { admission, tickets } = setUp(t);
  const asked = request({ clientId: 'c', wait: false });
  const ask = t.mock.method(admission, 'request', () => Promise.reject(new Error('broken')));
  const answers = await Promise.allSettled([tickets.request(asked), tickets.request(asked)]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  ask.mock.restore();
  assert.equal((await tickets.request(asked)).kind, 'allocated');
});

test('memory stays bounded: the oldest outcomes are removed, and bookings that were not fetched are released', async (t) => {
  const { admission, tickets } = setUp(t);
  const first = ticketOf(await tickets.request(request()));
  admission.settle();
  for (let i = 0; i < 20_000; i += 1) await tickets.request(request({ clientId: `client ${i}`, wait: false }));
  assert.equal(tickets.size, 20_000);
  assert.equal(admission.released.length, 1);
  assert.equal(tickets.poll(first), undefined);
});

test('an old ticket that is forgotten takes nothing from a newer one of the same client', async (t) => {
  const { admission, clock, tickets } = setUp(t);
  const again = request({ clientId: 'a' });
  await tickets.request(again);
  admission.settle();
  // No client fetched it, so it lapses, and is forgotten a minute later.
  await clock.advance(RESUME + 2);
  const second = ticketOf(await tickets.request(again));
  for (let passed = 5; passed <= 70; passed += 5) {
    await clock.advance(5);
    assert.equal(ticketOf(await tickets.request(again)), second, `after ${passed} s`);
  }
  assert.deepEqual(admission.line, [second]);
});
