import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client, from, HEAVY, learnHeavy, PROJECT, start } from '../../test/support/admission-scene.ts';
import { inTime } from '../../test/support/eventually.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { startStateSaver } from './state-saver.ts';

test('a project URL that breaks a rule is refused with the name of the rule, and never waits', async () => {
  const { queue, line } = start({ 'a:2000': 97 });
  const client = new Client();
  await queue.wait({ ...from(), projectUrl: 'https://github.com/a/b/blob/main/worlds/$(reboot).wbt' }, client);
  assert.ok(client.outcome?.kind === 'refused' && client.outcome.code.startsWith('project-'));
  assert.equal(line.length, 0);
  await queue.stop();
});

test('by turns, a client without a session goes before one that has some, and before the second place of one that has none', async () => {
  const { queue, requests, clock, report } = start({ 'a:2000': 80 }, { byTurns: true });
  assert.equal((await requests.request(from('team'))).kind, 'allocated');
  report('a:2000', 97);
  const [third, first, second] = [new Client(), new Client(), new Client()];
  await queue.wait(from('team'), third);
  await queue.wait(from('home'), first);
  await queue.wait(from('home'), second);
  await clock.advance(1);
  assert.deepEqual([third.places, first.places, second.places], [[1, 2], [1], [3]]);
  assert.deepEqual([third.last?.turn, first.last?.turn, second.last?.turn], [2, 1, 2]);
  await clock.advance(60);
  report('a:2000', 75);
  await queue.walk();
  assert.deepEqual([first.outcome?.kind, third.outcome, second.outcome], ['allocated', undefined, undefined]);
  if (first.outcome?.kind === 'allocated') await queue.release(first.outcome.bookingId);
  await queue.stop();
});

test('a project that no server may ever run is refused at once, not queued', async () => {
  const { queue, line } = start({ 'a:2000': 97 }, { rules: { allowedRepositories: ['github.com/other'] } });
  const client = new Client();
  await queue.wait({ ...from(), projectUrl: PROJECT }, client);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'no-server-allows-repository');
  assert.equal(line.length, 0);
  await queue.stop();
});

test('a client that waits for a project that may no longer run is refused with the rule that says so', async () => {
  const hosts = ['git.example.org'];
  const { queue, clock, report } = start({ 'a:2000': 97 }, { otherHosts: () => [...hosts] });
  const client = new Client();
  await queue.wait({ ...from(), projectUrl: 'https://git.example.org/owner/robots' }, client);
  assert.deepEqual(client.places, [1]);
  hosts.length = 0;
  await clock.advance(20);
  report('a:2000', 10);
  await clock.advance(1);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'project-host');
  await queue.stop();
});

test('a restored place whose project may no longer run is refused, and not sent to any server', async () => {
  const before = start({ 'a:2000': 97 }, { otherHosts: () => ['git.example.org'] });
  const first = new Client(true);
  await before.queue.wait({ ...from(), projectUrl: 'https://git.example.org/owner/robots' }, first);
  const saved: unknown = JSON.parse(JSON.stringify(before.queue.save()));
  await before.queue.stop();

  const after = start({ 'a:2000': 10 });
  after.queue.restore(saved);
  const again = new Client(true);
  await after.queue.wait({ ...from(), resumeToken: first.last?.resumeToken ?? '' }, again);
  await after.clock.advance(2);
  assert.equal(again.outcome?.kind === 'refused' && again.outcome.code, 'project-host');
  assert.equal(after.ledger.account('a:2000')?.bookings, 0);
  await after.queue.stop();
});

test('a line of hundreds of different projects is walked in stretches, and others have their turn in between', async () => {
  const { requests, queue, clock, attempts } = start({ 'a:2000': 89 }, { mostWaiting: 2000 });
  const clients = Array.from({ length: 700 }, () => new Client());
  for (const [i, client] of clients.entries())
    await queue.wait({ ...from(), projectUrl: `https://github.com/student${i}/homework` }, client);
  await clock.advance(1);
  const before = attempts();
  queue.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(attempts() - before, 500);
  // A client that asks meanwhile does not wait for the end of the walk.
  assert.equal((await requests.request(from())).kind, 'refused');
  await clock.advance(0);
  assert.equal(attempts() - before, 700);
  await queue.stop();
});

test('clients wait in order, are sent their position when it changes and only then, and get the URL in turn', async () => {
  const { queue, clock, report } = start({ 'a:2000': 97 });
  const clients = [new Client(), new Client(), new Client()];
  for (const client of clients) await queue.wait(from(), client);
  assert.deepEqual(
    clients.map(({ places }) => places),
    [[1], [2], [3]],
  );
  clients[1]!.leave();
  await clock.advance(0);
  assert.deepEqual(clients[2]!.places, [3, 2]);
  await clock.advance(20);
  report('a:2000', 75);
  await clock.advance(0);
  assert.equal(clients[0]!.url, 'wss://a:2000');
  assert.equal(clients[2]!.outcome, undefined);
  assert.equal(clients[2]!.last?.position, 1);
  await queue.stop();
});

test('the server of a client that may not be overtaken is given to no one else, while others are backfilled', async () => {
  const { requests, queue, prospects, clock, ledger, report, decisions } = start({ 'a:2000': 97, 'b:2000': 97 });
  learnHeavy(ledger, clock);
  const labelled = { labels: { room: 'B12' } };
  report('a:2000', 97, labelled);
  const head = new Client();
  await queue.wait({ ...from(), projectUrl: HEAVY, labels: { room: 'B12' } }, head);
  await clock.advance(130);
  report('a:2000', 70, labelled);
  assert.equal(prospects.availability.value, false);
  assert.equal(prospects.prospect().kind, 'others-wait');
  const outcome = await requests.request(from());
  assert.equal(outcome.kind === 'refused' && outcome.code, 'others-wait');
  const clients = [new Client(), new Client()];
  for (const client of clients) await queue.wait(from(), client);
  await clock.advance(2);
  assert.deepEqual([head.url, clients[0]!.url], [undefined, undefined], 'a has room for a light session, and is kept');
  assert.equal(prospects.availability.value, false);
  report('b:2000', 75);
  await clock.advance(2);
  assert.deepEqual([head.url, clients[0]!.url, clients[1]!.url], [undefined, 'wss://b:2000', undefined]);
  assert.match(
    decisions.last()[0]?.reason ?? '',
    /^b:2000 had the most room, apart from servers reserved for clients already waiting:/,
  );
  report('a:2000', 20, labelled);
  await clock.advance(20);
  report('a:2000', 20, labelled);
  await clock.advance(2);
  assert.equal(head.url, 'wss://a:2000');
  await queue.stop();
});

test('a client that disconnects before it joins the line is recorded as gone', async () => {
  const { queue, clock, line, decisions } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client();
  const waiting = queue.wait(from(), client);
  client.leave();
  await clock.advance(1);
  await waiting;
  assert.equal(line.length, 0);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['abandoned', 'client-gone']],
  );
  await queue.stop();
});

test('a client that disconnects while a server is being booked leaves no booking behind', async () => {
  const { queue, clock, ledger, decisions } = start({ 'a:2000': 0 }, { slow: true });
  const client = new Client();
  const waiting = queue.wait(from(), client);
  client.leave();
  await clock.advance(1);
  await waiting;
  assert.equal(client.outcome, undefined);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(decisions.last()[0]?.kind, 'abandoned');
  await queue.stop();
});

test('a client in line that disconnects while a server is being booked leaves no booking behind', async () => {
  const { queue, clock, ledger, line, report } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client();
  const waiting = queue.wait(from(), client);
  await clock.advance(20);
  await waiting;
  report('a:2000', 10);
  await clock.advance(0.05);
  client.leave();
  await clock.advance(1);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(line.length, 0);
  await queue.stop();
});

test('a place with a resume token survives a lost connection, and ends after thirty seconds', async () => {
  const { queue, clock, line } = start({ 'a:2000': 97 });
  const first = new Client(true);
  await queue.wait(from(), first);
  const behind = new Client(true);
  await queue.wait(from(), behind);
  const token = first.last?.resumeToken ?? '';
  first.leave();
  await clock.advance(20);
  const again = new Client(true);
  await queue.wait({ ...from(), resumeToken: token }, again);
  assert.deepEqual(again.places, [1]);
  assert.deepEqual(behind.places, [2]);
  again.leave();
  await clock.advance(32);
  assert.equal(line.length, 1);
  assert.deepEqual(behind.places, [2, 1]);
  await queue.stop();
});

test('a closed page does not keep out the one opened in its place, and is recorded as gone', async () => {
  const { queue, decisions } = start({ 'a:2000': 97 }, { mostWaitingOfOne: 2 });
  const school = () => ({ address: { address: '192.0.2.1', limitKey: '192.0.2.1' } });
  const pages = [new Client(true), new Client(true), new Client(true)];
  await queue.wait(school(), pages[0]!);
  await queue.wait(school(), pages[1]!);
  pages[0]!.leave();
  await queue.wait(school(), pages[2]!);
  assert.deepEqual(pages[2]!.places, [2]);
  assert.equal(pages[1]!.last?.position, 1);
  assert.equal(queue.length, 2);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['abandoned', 'client-gone']],
  );
  await queue.stop();
});

test('a place continued on another connection is taken from the first', async () => {
  const { queue } = start({ 'a:2000': 97 });
  const first = new Client(true);
  await queue.wait(from(), first);
  const second = new Client(true);
  await queue.wait({ ...from(), resumeToken: first.last?.resumeToken ?? '' }, second);
  assert.equal(first.outcome?.kind === 'refused' && first.outcome.code, 'continued-elsewhere');
  first.leave();
  assert.equal(queue.length, 1);
  await queue.stop();
});

describe('a server given to a client whose connection was already dead', () => {
  /** A client waited, got the server, and did not receive the answer. */
  async function undelivered() {
    const started = start({ 'a:2000': 97 });
    const { queue, clock, report } = started;
    const dead = new Client(true, true);
    await queue.wait({ ...from(), projectUrl: PROJECT }, dead);
    await clock.advance(20);
    report('a:2000', 75);
    await clock.advance(1);
    assert.equal(dead.url, 'wss://a:2000');
    const show = async (client: Client, projectUrl = PROJECT) => {
      await queue.wait({ ...from(), projectUrl, resumeToken: dead.last?.resumeToken ?? '' }, client);
      return client;
    };
    const bookings = () => started.ledger.account('a:2000')?.bookings;
    return { ...started, dead, show, bookings, token: dead.last?.resumeToken ?? '' };
  }

  test('is repeated to the holder of the token each time, and booked once', async () => {
    const { queue, clock, dead, show, bookings } = await undelivered();
    await clock.advance(4);
    for (let i = 0; i < 2; i += 1) assert.deepEqual((await show(new Client(true, true))).outcome, dead.outcome);
    assert.equal(bookings(), 1);
    assert.equal(queue.length, 0);
    await queue.stop();
  });

  test('is not repeated once the client has received it, nor after the time for which a place is held', async () => {
    const first = await undelivered();
    first.queue.delivered(first.token);
    assert.deepEqual((await first.show(new Client(true))).places, [1]);
    await first.queue.stop();
    const second = await undelivered();
    await second.clock.advance(30);
    assert.deepEqual((await second.show(new Client(true))).places, [1]);
    await second.queue.stop();
  });

  test('is released when its holder wants another project, or none', async () => {
    const first = await undelivered();
    const other = await first.show(new Client(true), 'https://github.com/bob/two');
    assert.equal(other.url, 'wss://a:2000');
    assert.equal(first.bookings(), 1, 'the new one');
    await first.queue.stop();
    const second = await undelivered();
    assert.equal(await second.queue.giveUp(second.token), true);
    assert.equal(second.bookings(), 0);
    assert.equal(await second.queue.giveUp(second.token), false);
    await second.queue.stop();
  });
});

test('a place that is given up with a grace ends after it, unless its client is back', async () => {
  const { queue, clock, line } = start({ 'a:2000': 97 });
  const pages = [new Client(true), new Client(true), new Client(true)];
  for (const page of pages) await queue.wait(from(), page);
  const tokens = pages.map(({ last }) => last?.resumeToken ?? '');
  const [left = '', again = '', quick = ''] = tokens;
  const back = { again: new Client(true), quick: new Client(true) };
  // The connection of the page that was loaded again may be there before the message of the page that was left.
  await queue.wait({ ...from(), resumeToken: quick }, back.quick);
  for (const token of tokens) assert.equal(queue.giveUpLater(token, 10), true);
  for (const page of pages.slice(0, 2)) page.leave();
  await clock.advance(9);
  await queue.wait({ ...from(), resumeToken: again }, back.again);
  assert.deepEqual([back.again.places, back.quick.places, line.length], [[2], [3], 3]);
  await clock.advance(2);
  assert.deepEqual([back.again.places, back.quick.places, line.length], [[2, 1], [3, 2], 2]);
  assert.equal(queue.giveUpLater(left, 10), false);
  await queue.stop();
});

test('a resume token shown with another project is a new request, and the old place is given up', async () => {
  const { queue, clock, report } = start({ 'a:2000': 97, 'b:2000': 97 });
  const [alice, bob] = ['https://github.com/alice/one/blob/main/worlds/w.wbt', 'https://github.com/bob/two'];
  const reportAll = (load: number) => {
    report('a:2000', load, { allowedRepositories: ['github.com/alice'] });
    report('b:2000', load, { allowedRepositories: ['github.com/bob'] });
  };
  reportAll(97);
  const first = new Client(true);
  await queue.wait({ ...from(), projectUrl: alice }, first);
  const resumeToken = first.last?.resumeToken ?? '';
  const same = new Client(true);
  await queue.wait({ ...from(), projectUrl: alice.replace('https:', 'HTTPS:'), resumeToken }, same);
  assert.equal(same.last?.resumeToken, resumeToken, 'however it is spelled');
  const other = new Client(true);
  await queue.wait({ ...from(), projectUrl: bob, resumeToken }, other);
  assert.equal(same.outcome?.kind === 'refused' && same.outcome.code, 'given-up');
  assert.notEqual(other.last?.resumeToken, resumeToken);
  assert.equal(queue.length, 1);
  reportAll(10);
  await clock.advance(20);
  reportAll(10);
  await clock.advance(1);
  assert.equal(other.url, 'wss://b:2000');
  await queue.stop();
});

test('places with tokens survive a restart in their order', async () => {
  const before = start({ 'a:2000': 97 });
  const clients = [new Client(true), new Client(true)];
  for (const client of clients) await before.queue.wait(from(), client);
  const saved: unknown = JSON.parse(JSON.stringify(before.queue.save()));
  await before.queue.stop();

  const after = start({ 'a:2000': 97 });
  after.queue.restore(saved);
  const second = new Client(true);
  await after.queue.wait({ ...from(), resumeToken: clients[1]!.last?.resumeToken ?? '' }, second);
  assert.deepEqual(second.places, [2]);
  await after.queue.stop();
});

test('places survive a restart after a long time without changes, even if the program was killed', async () => {
  for (const end of ['stopped', 'killed']) {
    const before = start({ 'a:2000': 97 });
    const { clock } = before;
    const store = new MemoryStore();
    const stateSaver = startStateSaver({
      ...{ clock, log: new MemoryLog(), store },
      documents: [{ name: 'line', version: () => before.queue.version, save: () => before.queue.save() }],
    });
    const client = new Client(true);
    await before.queue.wait(from(), client);
    await clock.advance(675);
    assert.ok(store.writes >= 10 && store.writes <= 13, `${store.writes} times written: once a minute`);
    const killedWith = await store.read('line');
    await before.queue.stop();
    await stateSaver.stop();
    const saved = end === 'killed' ? killedWith : await store.read('line');
    const { savedAt } = saved as { savedAt: number };
    assert.ok(clock.wallTime() - savedAt <= (end === 'killed' ? 75 : 0), `${end}: saved ${clock.wallTime() - savedAt} s ago`);

    const after = start({ 'a:2000': 97 });
    await after.clock.advance(675);
    after.queue.restore(saved);
    const again = new Client(true);
    await after.queue.wait({ ...from(), resumeToken: client.last?.resumeToken ?? '' }, again);
    assert.equal(after.line.longestWait(after.clock.now()), 675, end);
    await after.queue.stop();
  }
});

test('a held request is answered as soon as there is room', async () => {
  const { queue, clock, report } = start({ 'a:2000': 97 });
  const held = queue.hold(from(), 40, new AbortController().signal);
  await clock.advance(20);
  report('a:2000', 10);
  await clock.advance(1);
  const outcome = await held;
  assert.equal(outcome.kind, 'allocated');
  await queue.stop();
});

test('a held request is refused with its position when the time is up, and its place is free', async () => {
  const { queue, clock, decisions } = start({ 'a:2000': 97 });
  const ahead = new Client();
  await queue.wait(from(), ahead);
  const held = queue.hold(from(), 5, new AbortController().signal);
  await clock.advance(6);
  const outcome = await held;
  assert.equal(outcome.kind === 'refused' && outcome.position, 2);
  assert.equal(queue.length, 1);
  assert.equal(decisions.last().length, 1);
  const { kind, code, waited, reason } = decisions.last()[0]!;
  assert.deepEqual([kind, code, waited], ['refused', 'no-room', 5]);
  assert.equal(reason, '2 servers: both are at 97%; none had room while the request was held.');
  await queue.stop();
});

test('a client that waits when the program stops is not recorded as gone', async () => {
  const { queue, decisions } = start({ 'a:2000': 97 });
  const client = new Client();
  await queue.wait(from(), client);
  const stopped = queue.stop();
  const written = () => decisions.last().map(({ kind, code, reason }) => [kind, code, reason]);
  const ends = [['abandoned', 'stopped', 'The session server stopped while the client waited.']];
  assert.deepEqual(written(), ends, 'before decisions are saved for the last time');
  // Its connection is closed by the program.
  client.leave();
  await stopped;
  assert.deepEqual(written(), ends);
});

test('a held request that is answered because the program stops is recorded as refused, not as gone', async () => {
  const { queue, line, decisions } = start({ 'a:2000': 97 });
  const held = queue.hold(from(), 20, new AbortController().signal);
  await new Promise(setImmediate);
  assert.equal(line.length, 1);
  await queue.stop();
  const outcome = await held;
  assert.deepEqual(outcome.kind === 'refused' && [outcome.code, outcome.position], ['no-room', 1]);
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [['refused', 'no-room']],
  );
  assert.equal(line.length, 0);
});

test('a request that arrives while the program stops is not held', async () => {
  const { queue, line, decisions } = start({ 'a:2000': 97 });
  const early = queue.hold(from(), 20, new AbortController().signal);
  const stopped = queue.stop();
  const late = queue.hold(from(), 20, new AbortController().signal);
  for (const held of [early, late]) {
    const outcome = await inTime('the answer', held);
    assert.deepEqual(outcome.kind === 'refused' && outcome.code, 'no-room');
  }
  await stopped;
  assert.deepEqual(
    decisions.last().map(({ kind, code }) => [kind, code]),
    [
      ['refused', 'no-room'],
      ['refused', 'no-room'],
    ],
  );
  assert.equal(line.length, 0);
});

test('a held request for which the only room was reserved is answered and recorded with that reason', async () => {
  const { queue, clock, ledger, report, decisions } = start({ 'a:2000': 97 });
  learnHeavy(ledger, clock);
  await queue.wait({ ...from(), projectUrl: HEAVY }, new Client());
  await clock.advance(130);
  report('a:2000', 70);
  const held = queue.hold(from(), 5, new AbortController().signal);
  await clock.advance(6);
  const outcome = await held;
  assert.deepEqual(outcome.kind === 'refused' && [outcome.code, outcome.position], ['others-wait', 2]);
  const { code, reason } = decisions.last()[0]!;
  assert.equal(code, 'others-wait');
  assert.match(reason, /^Free capacity is reserved for a client already waiting;/);
  await queue.stop();
});

test('a held request whose client disconnects gives up its place', async () => {
  const { queue, clock, decisions } = start({ 'a:2000': 97 });
  const gone = new AbortController();
  const held = queue.hold(from(), 50, gone.signal);
  await clock.advance(1);
  gone.abort();
  await clock.advance(0);
  assert.equal((await held).kind, 'refused');
  assert.equal(queue.length, 0);
  assert.deepEqual(
    decisions.last().map(({ kind, waited }) => [kind, waited]),
    [['abandoned', 1]],
  );
  await queue.stop();
});

test('freed load lets the next one in at once', async () => {
  const { requests, queue, clock } = start({ 'a:2000': 75 });
  const first = await requests.request(from());
  assert.ok(first.kind === 'allocated');
  const client = new Client();
  await queue.wait(from(), client);
  assert.deepEqual(client.places, [1]);
  await queue.release(first.bookingId);
  await clock.advance(0);
  assert.equal(client.outcome?.kind, 'allocated');
  await queue.stop();
});

test('a client whose connection is lost while a server is being booked keeps its place, and the booking is released', async () => {
  const { queue, clock, ledger, line, report } = start({ 'a:2000': 97 }, { slow: true });
  const client = new Client(true);
  const waiting = queue.wait(from(), client);
  await clock.advance(20);
  await waiting;
  report('a:2000', 10);
  await clock.advance(0.05);
  client.leave();
  await clock.advance(0.5);
  assert.equal(ledger.account('a:2000')?.bookings, 0);
  assert.equal(line.length, 1);
  const again = new Client(true);
  await queue.wait({ ...from(), resumeToken: client.last?.resumeToken ?? '' }, again);
  await clock.advance(2);
  assert.equal(again.outcome?.kind, 'allocated');
  await queue.stop();
});
