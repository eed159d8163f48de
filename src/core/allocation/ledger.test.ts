import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ALLOCATION, type AllocationParameters } from './allocation-parameters.ts';
import type { Candidates } from '../fleet/candidates.ts';
import { Ledger, type BookingOutcome, type ServerOptions } from './ledger.ts';

type Booked = Extract<BookingOutcome, { kind: 'booked' }>;

const fixed: Partial<AllocationParameters> = { learning: false };

/** A ledger whose servers have just reported these loads, at second 100. */
function ledgerOf(
  loads: Readonly<Record<string, number>>,
  changes: Partial<AllocationParameters> = {},
  options: Readonly<Record<string, ServerOptions>> = {},
): { ledger: Ledger; all: Candidates } {
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, ...changes }, () => 0.5);
  for (const [id, load] of Object.entries(loads)) {
    ledger.add(id, options[id], 99);
    ledger.report(id, load, 100);
  }
  return { ledger, all: { tiers: [Object.keys(loads)] } };
}

function bookOn(ledger: Ledger, candidates: Candidates, now: number, project?: string): Booked {
  const outcome = ledger.book({ id: '', ...(project !== undefined && { project }) }, candidates, now);
  assert.ok(outcome.kind === 'booked');
  return outcome;
}

function bookAll(ledger: Ledger, candidates: Candidates, now: number, most = 10_000): Booked[] {
  const booked: Booked[] = [];
  while (booked.length < most) {
    const outcome = ledger.book({ id: '' }, candidates, now);
    if (outcome.kind !== 'booked') break;
    booked.push(outcome);
  }
  return booked;
}

function countBy(booked: readonly Booked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { server } of booked) counts[server] = (counts[server] ?? 0) + 1;
  return counts;
}

test('thirty simultaneous requests on three equal idle servers go ten to each', () => {
  const { ledger, all } = ledgerOf({ a: 0, b: 0, c: 0 });
  assert.deepEqual(countBy(bookAll(ledger, all, 100, 30)), { a: 10, b: 10, c: 10 });
});

test('the least loaded server wins by a hundredth of a point', () => {
  const { ledger, all } = ledgerOf({ a: 30.52, b: 30.51 });
  assert.equal(bookOn(ledger, all, 100).server, 'b');
});

test('ties go to the server not used for longest', () => {
  const { ledger, all } = ledgerOf({ a: 20, b: 20, c: 20 }, fixed);
  const first = bookOn(ledger, all, 100);
  assert.equal(first.server, 'a');
  ledger.release(first.bookingId, 101);
  assert.equal(bookOn(ledger, { tiers: [['a', 'b']] }, 102).server, 'b');
  assert.equal(bookOn(ledger, all, 103).server, 'c');
});

test('an allocation counts at once as the load it will bring', () => {
  const { ledger, all } = ledgerOf({ a: 20 }, fixed);
  const outcome = bookOn(ledger, all, 101);
  assert.deepEqual(
    { ...outcome, cost: Math.round(outcome.cost), predicted: Math.round(outcome.predicted) },
    {
      ...{ kind: 'booked', bookingId: outcome.bookingId, server: 'a', load: 20, predicted: 28, cost: 8 },
      ...{ tier: 0, lastResort: false },
    },
  );
  const account = ledger.account('a');
  assert.ok(account?.predicted !== undefined && Math.abs(account.predicted - 28) < 1e-9);
  assert.equal(account.bookings, 1);
});

test('no client is let in where the predicted load would reach the target', () => {
  const { ledger, all } = ledgerOf({ a: 50 }, fixed);
  const booked = bookAll(ledger, all, 100);
  // 50 + 4 × 8 = 82, and 90 must not be reached.
  assert.equal(booked.length, 4);
  assert.equal(ledger.fits(all, undefined, 100), false);
});

test('bookings fade with the reports and not with the clock', () => {
  const { ledger, all } = ledgerOf({ a: 20 }, fixed);
  bookOn(ledger, all, 100);
  const booked = () => Math.round(10 * (ledger.account('a')?.booked ?? NaN)) / 10;
  ledger.fits(all, undefined, 1000);
  assert.equal(booked(), 8, 'no report, no news');
  ledger.report('a', 20, 110, 1000);
  assert.equal(booked(), 8);
  ledger.report('a', 24, 135, 1000);
  assert.equal(booked(), 4);
  ledger.report('a', 28, 160, 1000);
  assert.equal(booked(), 0);
  assert.equal(ledger.account('a')?.bookings, 0);
});

test('the highest report of the last fifteen seconds decides whether a session fits, the last one where it goes', () => {
  const { ledger, all } = ledgerOf({ a: 85, b: 70 }, fixed);
  ledger.report('a', 60, 105);
  ledger.report('b', 70, 105);
  const verdict = ledger.examine('a', undefined, 106);
  assert.ok(verdict.kind === 'no-room' && verdict.peak === 85 && verdict.load === 60);
  assert.deepEqual([Math.round(verdict.predicted), Math.round(verdict.level)], [93, 68]);
  assert.equal(bookOn(ledger, all, 106).server, 'b');
  ledger.report('a', 60, 116);
  assert.equal(bookOn(ledger, all, 117).server, 'a');
});

test('a server at the threshold is closed, whatever its room', () => {
  const { ledger, all } = ledgerOf({ a: 95 }, { ...fixed, target: 200 });
  assert.deepEqual(ledger.examine('a', undefined, 100), { kind: 'closed', cause: 'load', load: 95, threshold: 95, missed: 0 });
  assert.equal(ledger.book({ id: '' }, all, 100).kind, 'no-room');
});

test('a server that never reported gets no client', () => {
  const { ledger } = ledgerOf({});
  ledger.add('a', {}, 100);
  assert.equal(ledger.fits({ tiers: [['a']] }, undefined, 100), false);
  assert.deepEqual(ledger.examine('a', undefined, 100), { kind: 'never-heard' });
  assert.deepEqual(ledger.examine('nobody', undefined, 100), { kind: 'unknown-server' });
  assert.equal(ledger.account('nobody'), undefined);
});

test('one lost poll costs ten points, two close the server, one report opens it', () => {
  const { ledger, all } = ledgerOf({ a: 70 }, fixed);
  ledger.miss('a', 101);
  const doubted = ledger.examine('a', undefined, 101);
  assert.ok(doubted.kind === 'fits' && doubted.doubt === 10 && Math.abs(doubted.predicted - 88) < 1e-9);
  ledger.miss('a', 102);
  assert.deepEqual(ledger.examine('a', undefined, 102), { kind: 'closed', cause: 'missed', load: 70, threshold: 95, missed: 2 });
  ledger.report('a', 70, 103);
  assert.equal(ledger.examine('a', undefined, 103).kind, 'fits');
  assert.equal(ledger.fits(all, undefined, 103), true);
});

test('bookings outlive lost polls, so that a server does not come back as empty', () => {
  const { ledger, all } = ledgerOf({ a: 20 }, fixed);
  bookAll(ledger, all, 101, 5);
  ledger.miss('a', 105);
  ledger.miss('a', 106);
  ledger.report('a', 0, 107);
  assert.equal(Math.round(ledger.account('a')?.booked ?? 0), 40);
});

test('a later tier is used only when the earlier ones have no room', () => {
  const { ledger } = ledgerOf({ own: 60, shared: 0 }, fixed);
  const candidates = { tiers: [['own'], ['shared']] };
  assert.deepEqual(
    bookAll(ledger, candidates, 100, 5).map(({ server }) => server),
    ['own', 'own', 'own', 'shared', 'shared'],
  );
});

test('candidates that are not in the fleet are skipped, also when they join or leave later', () => {
  const { ledger } = ledgerOf({ a: 50 });
  const candidates = { tiers: [['ghost', 'a']] };
  assert.equal(bookOn(ledger, candidates, 100).server, 'a');
  ledger.add('ghost', {}, 100);
  ledger.report('ghost', 0, 100);
  assert.equal(bookOn(ledger, candidates, 100).server, 'ghost');
  ledger.remove('ghost');
  assert.equal(bookOn(ledger, candidates, 100).server, 'a');
  ledger.remove('a');
  assert.equal(ledger.book({ id: '' }, candidates, 100).kind, 'no-room');
});

test('a server twice as strong by its weight gets two thirds of a class', () => {
  const { ledger, all } = ledgerOf({ weak: 0, strong: 0 }, fixed, { strong: { weight: 2 } });
  assert.deepEqual(countBy(bookAll(ledger, all, 100, 15)), { strong: 10, weak: 5 });
});

test('a changed weight moves what was only guessed', () => {
  const { ledger } = ledgerOf({ a: 0 });
  ledger.add('a', { weight: 4 }, 100);
  assert.ok(Math.abs((ledger.account('a')?.cost.value ?? 0) - 2) < 1e-9);
  assert.equal(ledger.account('a')?.load, 0, 'its load is still known');
});

test('a server never has more sessions than its maximum; one that ends, or is older than a session lasts, makes room', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, fixed, { a: { maxSessions: 3 } });
  const [first] = bookAll(ledger, all, 100);
  assert.equal(ledger.account('a')?.sessions, 3);
  assert.deepEqual(ledger.examine('a', undefined, 110), { kind: 'max-sessions', sessions: 3, maxSessions: 3, freeIn: 1490 });
  assert.equal(ledger.places(all, undefined, 110), 0);
  ledger.release(first?.bookingId ?? '', 120);
  assert.equal(bookAll(ledger, all, 130).length, 1);
  ledger.report('a', 0, 1599);
  assert.equal(ledger.fits(all, undefined, 1599), false);
  assert.equal(bookAll(ledger, all, 1600).length, 2);
});

test('a session that is released frees what is still booked for it, once', () => {
  const { ledger, all } = ledgerOf({ a: 20 }, fixed);
  const { bookingId } = bookOn(ledger, all, 100);
  bookOn(ledger, all, 100);
  ledger.release(bookingId, 101);
  ledger.release(bookingId, 101);
  ledger.release('unheard of', 101);
  assert.equal(Math.round(ledger.account('a')?.booked ?? NaN), 8);
});

test('a booking weighs what a session is thought to cost by now', () => {
  const { ledger, all } = ledgerOf({ a: 0 });
  bookAll(ledger, all, 100, 10);
  for (let t = 105; t <= 140; t += 5) ledger.report('a', 20, t);
  const before = bookAll(ledger, all, 140, 2)[0]?.cost ?? 0;
  for (let t = 145; t <= 180; t += 5) ledger.report('a', 20, t);
  const { cost, booked } = ledger.account('a') ?? assert.fail();
  assert.ok(cost.value < before - 1, `${cost.value}`);
  // 40 s old, 40% of them are still hidden, and that sessions come is surer than it was.
  const share = booked / (2 * 0.4 * cost.value);
  assert.ok(share > 1 && share < 1.05, `${share}`);
});

test('sessions that bring little load are learned to be cheap, so that more of them fit', () => {
  const { ledger, all } = ledgerOf({ a: 0 });
  const before = ledger.places(all, undefined, 100);
  assert.equal(before, 10);
  bookAll(ledger, all, 100);
  for (let t = 105; t <= 300; t += 5) ledger.report('a', 12, t);
  assert.ok(ledger.places(all, undefined, 300) > before);
});

test('seven hand-outs that no client used teach nothing about what a session costs', () => {
  const { ledger, all } = ledgerOf({ a: 2, b: 2, c: 2 });
  const before = ledger.places(all, undefined, 100);
  for (let i = 0; i < 7; i++) {
    ledger.book({ id: '', address: `192.0.2.${i}` }, all, 100 + 30 * i);
    for (let t = 105 + 30 * i; t < 135 + 30 * i; t += 5) for (const id of ['a', 'b', 'c']) ledger.report(id, 2, t);
  }
  for (let t = 310; t < 500; t += 5) for (const id of ['a', 'b', 'c']) ledger.report(id, 2, t);
  assert.equal(ledger.fleetCost().value, 8);
  assert.equal(ledger.places(all, undefined, 500), before);
});

test('one address gets at most eight unused places for each of six servers, and other addresses are served meanwhile', () => {
  const { ledger, all } = ledgerOf({ a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 }, { learning: false });
  const book = (address: string, count: number) =>
    Array.from({ length: count }, () => ledger.book({ id: '', address }, all, 100).kind);
  assert.deepEqual(new Set(book('school', 48)), new Set(['booked']));
  assert.equal(ledger.isUnconfirmed('school', 100), true);
  assert.deepEqual(book('school', 1), ['unconfirmed']);
  assert.deepEqual(book('home', 1), ['booked']);
});

test('sessions that started do not count as unused places of their address', () => {
  const { ledger, all } = ledgerOf({ a: 0, b: 0, c: 0, d: 0, e: 0, f: 0 }, { learning: false });
  for (let i = 0; i < 48; i++) {
    const outcome = ledger.book({ id: '', address: 'school' }, all, 100);
    assert.ok(outcome.kind === 'booked');
    if (i < 2) ledger.connected(outcome.bookingId, 100);
  }
  assert.equal(ledger.isUnconfirmed('school', 100), false);
});

test('the number of places has a range as long as the cost is uncertain', () => {
  const { ledger, all } = ledgerOf({ a: 0 });
  const { from, to } = ledger.placesBetween(all, undefined, 100);
  const places = ledger.places(all, undefined, 100);
  assert.ok(from < places && places < to, `${from} ${places} ${to}`);
});

test('an unknown session counts nine per cent more when room is computed, but not with learning switched off', () => {
  const { ledger, all } = ledgerOf({ a: 81.5 });
  assert.equal(ledger.fits(all, undefined, 100), false);
  const verdict = ledger.examine('a', undefined, 100);
  assert.ok(verdict.kind === 'no-room' && verdict.predicted > 90 && verdict.level < 90);
  ledger.reconfigure({ ...DEFAULT_ALLOCATION, learning: false });
  assert.equal(ledger.fits(all, undefined, 100), true);
});

test('with learning switched off sessions cost what is configured, divided by the weight', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, {}, { a: { weight: 2 } });
  bookAll(ledger, all, 100, 10);
  for (let t = 105; t <= 300; t += 5) ledger.report('a', 12, t);
  assert.ok((ledger.account('a')?.cost.value ?? 4) < 3);
  ledger.reconfigure({ ...DEFAULT_ALLOCATION, learning: false, cost: 10 });
  assert.ok(Math.abs((ledger.account('a')?.cost.value ?? 0) - 5) < 1e-9);
});

test('new parameters count from the next request on', () => {
  const { ledger, all } = ledgerOf({ a: 85 }, fixed);
  assert.equal(ledger.fits(all, undefined, 100), false);
  ledger.reconfigure({ ...DEFAULT_ALLOCATION, learning: false, target: 94 });
  assert.equal(ledger.fits(all, undefined, 100), true);
  ledger.reconfigure({ ...DEFAULT_ALLOCATION, learning: false, target: 94, threshold: 85 });
  assert.equal(ledger.examine('a', undefined, 100).kind, 'closed');
});

test('what was learned about a server is there when it returns, its load is not', () => {
  const { ledger, all } = ledgerOf({ a: 0 });
  bookAll(ledger, all, 100, 10);
  for (let t = 105; t <= 200; t += 5) ledger.report('a', 12, t);
  const { power = 0 } = ledger.account('a') ?? {};
  assert.ok(power > 1.1);
  ledger.remove('a');
  assert.equal(ledger.account('a'), undefined);
  ledger.add('a', {}, 210);
  assert.equal(ledger.account('a')?.power, power);
  assert.equal(ledger.examine('a', undefined, 210).kind, 'never-heard');
  ledger.report('a', 0, 211);
  assert.equal(ledger.examine('a', undefined, 211).kind, 'fits');
});

test('fifteen hundred requests on a thousand servers go to the least loaded ones, and nowhere twice before once everywhere', () => {
  const { ledger, all } = ledgerOf(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`s${i}`, 10])), fixed);
  const counts = Object.values(countBy(bookAll(ledger, all, 100, 1500)));
  assert.equal(counts.length, 1000);
  assert.equal(Math.max(...counts), 2);
});

test('the last ten thousand servers that left are remembered', () => {
  const { ledger } = ledgerOf({});
  const ids = Array.from({ length: 10_001 }, (_, i) => `s${i}`);
  for (const id of ids) {
    ledger.add(id, {}, 100);
    ledger.report(id, 0, 100);
    bookOn(ledger, { tiers: [[id]] }, 100);
    ledger.remove(id);
  }
  const { servers, bookings } = ledger.save(101, 0);
  assert.equal(servers.length, 10_000);
  assert.equal(bookings.length, 10_000);
  assert.ok(bookings.every(({ server }) => server !== 's0'));
});

test('the last thousand bookings that reports already show are remembered, all others as long as they count', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, { ...fixed, cost: 0.3, target: 1e6 });
  bookAll(ledger, all, 100, 3000);
  const saved = () => ledger.save(200, 0).bookings.length;
  ledger.report('a', 0, 159, 200);
  assert.equal(saved(), 3000, 'a part of their load may still come');
  ledger.report('a', 0, 161, 200);
  assert.equal(saved(), 1000);
});

test('a suspicion outlives a restart and a server that returns', () => {
  const { ledger } = ledgerOf({ hole: 2, b: 40, c: 40, d: 40 });
  const t = sendInto(ledger, 'hole', 100);
  ledger.remove('hole');
  assert.deepEqual(ledger.suspects(), []);
  ledger.add('hole', {}, t);
  assert.equal(ledger.suspects()[0]?.id, 'hole');

  const after = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  for (const id of ['hole', 'b', 'c', 'd']) after.add(id, {}, 5);
  after.restore(JSON.parse(JSON.stringify(ledger.save(t, 0))), 5, 0);
  assert.equal(after.suspects()[0]?.id, 'hole');
  after.report('hole', 2, 10);
  assert.equal(after.suspects()[0]?.id, 'hole');
});

test('a report that was overtaken is dropped, one from the future counts as of now', () => {
  const { ledger } = ledgerOf({ a: 20 });
  ledger.report('a', 80, 90, 101);
  assert.equal(ledger.account('a')?.load, 20);
  ledger.report('a', 40, 5000, 102);
  assert.equal(ledger.account('a')?.measuredAt, 102);
  ledger.report('a', 50, 103);
  assert.equal(ledger.account('a')?.load, 50);
});

test('a reading that is not a number is not a report', () => {
  const { ledger } = ledgerOf({ a: 20 });
  for (const load of [NaN, Infinity, -Infinity]) ledger.report('a', load, 101);
  for (const at of [NaN, Infinity, -Infinity, 1e300]) ledger.report('a', 90, at);
  assert.equal(ledger.account('a')?.load, 20);
});

test('when the clock leaps ahead bookings count until a report retires them', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, fixed);
  assert.equal(bookAll(ledger, all, 101).length, 11);
  assert.equal(ledger.fits(all, undefined, 3700), false);
  ledger.report('a', 0, 3700);
  assert.equal(ledger.booked('a'), 0);
});

test('the time stands still while it is a little behind', () => {
  const { ledger, all } = ledgerOf({ a: 20 }, fixed);
  bookOn(ledger, all, 130);
  bookOn(ledger, all, 110);
  ledger.report('a', 20, 165);
  // Both are 35 s old.
  assert.equal(Math.round(ledger.account('a')?.booked ?? NaN), 8);
});

test('places is how many sessions can be booked now', () => {
  const load = fc.double({ min: 0, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.array(load, { minLength: 1, maxLength: 5 }), (loads) => {
      const { ledger, all } = ledgerOf(Object.fromEntries(loads.map((l, i) => [`s${i}`, l])), fixed);
      const places = ledger.places(all, undefined, 100);
      assert.ok(Math.abs(places - bookAll(ledger, all, 100).length) <= loads.length * 1e-9);
    }),
  );
});

// ---- suspicion

/** All clients are sent to `hole` until it is suspected; the other servers are busy. */
function sendInto(ledger: Ledger, hole: string, from: number): number {
  let t = from;
  for (; ledger.suspects().length === 0 && t < from + 600; t += 5) {
    ledger.report(hole, 2, t);
    if ((t - from) % 10 === 0) ledger.book({ id: `${t}` }, { tiers: [[hole]] }, t);
  }
  return t;
}

test('a server that swallows sessions is suspected and gets no client while others have room', () => {
  const { ledger, all } = ledgerOf({ hole: 2, b: 40, c: 40, d: 40 });
  const t = sendInto(ledger, 'hole', 100);
  const [suspect] = ledger.suspects();
  assert.equal(suspect?.id, 'hole');
  assert.ok(suspect.expected >= 25 && suspect.load < 5);
  for (const id of ['b', 'c', 'd']) ledger.report(id, 40, t);
  assert.notEqual(bookOn(ledger, all, t).server, 'hole');
  assert.equal(ledger.examine('hole', undefined, t).kind, 'suspect');
  assert.equal(ledger.account('hole')?.suspectSince, suspect.since);
});

test('a suspected server gets a client when no other has room, and one session in ten minutes to prove itself', () => {
  const { ledger, all } = ledgerOf({ hole: 2, b: 40, c: 40, d: 40 });
  let t = sendInto(ledger, 'hole', 100);
  assert.equal(bookOn(ledger, { tiers: [['hole'], ['b']] }, t).server, 'b', 'a later tier comes before a suspect');
  for (const id of ['b', 'c', 'd']) ledger.report(id, 89, t);
  const { server, lastResort } = bookOn(ledger, all, t);
  assert.deepEqual([server, lastResort], ['hole', true]);
  t += 601;
  for (const id of ['b', 'c', 'd']) ledger.report(id, 20, t);
  ledger.report('hole', 2, t);
  assert.equal(bookOn(ledger, all, t).server, 'hole');
  assert.notEqual(bookOn(ledger, all, t + 1).server, 'hole');
});

test('a suspected server is trusted again as soon as it shows load, and not before', () => {
  const { ledger } = ledgerOf({ hole: 2, b: 40, c: 40, d: 40 });
  let t = sendInto(ledger, 'hole', 100);
  for (const end = t + 7200; t < end; t += 60) ledger.report('hole', 2, t);
  assert.equal(ledger.suspects().length, 1);
  ledger.report('hole', 20, t);
  assert.equal(ledger.suspects().length, 0);
});

test('a class that leaves makes no server suspect', () => {
  const { ledger } = ledgerOf({ a: 2, b: 40, c: 40, d: 40 });
  for (let i = 0; i < 6; i++) bookOn(ledger, { tiers: [['a']] }, 100 + i);
  for (let t = 105; t <= 700; t += 5) ledger.report('a', Math.min(45, t - 105), t);
  for (let t = 705; t <= 900; t += 5) ledger.report('a', 2, t);
  assert.deepEqual(ledger.suspects(), []);
});

test('suspicion is not acted on while more than a third of the servers look idle', () => {
  const { ledger, all } = ledgerOf({ a: 2, b: 2, c: 40 });
  for (let i = 0; i < 5; i++) for (const id of ['a', 'b']) bookOn(ledger, { tiers: [[id]] }, 100 + i);
  for (let t = 105; t <= 200; t += 5) {
    ledger.report('a', 2, t);
    if (t < 130) ledger.report('b', 2, t);
  }
  assert.deepEqual(
    ledger.suspects().map(({ id }) => id),
    ['a'],
  );
  for (let t = 205; t <= 300; t += 5) ledger.report('b', 2, t);
  assert.deepEqual(ledger.suspects(), []);
  assert.equal(ledger.account('a')?.suspectSince, undefined);
  assert.ok(['a', 'b'].includes(bookOn(ledger, all, 300).server));
});

test('the only server of a fleet is never suspected', () => {
  const { ledger } = ledgerOf({ hole: 2 });
  sendInto(ledger, 'hole', 100);
  assert.deepEqual(ledger.suspects(), []);
  assert.equal(ledger.examine('hole', undefined, 800).kind, 'fits');
});

test('clients that ask again are evidence at once against the server that they were sent to', () => {
  const { ledger } = ledgerOf({ hole: 2, b: 40, c: 40, d: 40 });
  for (let i = 0; i < 4; i++) ledger.book({ id: `client ${i}` }, { tiers: [['hole']] }, 100 + i);
  ledger.report('hole', 2, 110);
  assert.equal(ledger.suspects().length, 0);
  for (let i = 0; i < 4; i++) ledger.book({ id: `client ${i}` }, { tiers: [['b', 'c', 'd']] }, 112);
  ledger.report('hole', 2, 115);
  assert.equal(ledger.suspects()[0]?.id, 'hole');
});

test('a server that always reports 0 does not come to look infinitely strong', () => {
  const { ledger } = ledgerOf({ zero: 0, b: 40, c: 40, d: 40 });
  for (let t = 100; t < 7200; t += 5) {
    ledger.report('zero', 0, t);
    ledger.book({ id: '' }, { tiers: [['zero']] }, t);
  }
  const { power = 0, booked = 0 } = ledger.account('zero') ?? {};
  assert.ok(power < 20, `${power}`);
  assert.ok(booked > 0 && booked < 90, `${booked}`);
});

// ---- for any course of events

interface Step {
  readonly kind: 'report' | 'miss' | 'book' | 'release' | 'remove' | 'add' | 'reconfigure';
  readonly server: number;
  readonly project: string | undefined;
  readonly load: number;
  /** Seconds since the step before; seldom backwards or far. */
  readonly pass: number;
  /** Seconds by which the report is old, or ahead. */
  readonly late: number;
}

const IDS = ['a', 'b', 'c', 'd'];
const ALL: Candidates = {
  tiers: [
    ['a', 'b'],
    ['c', 'd', 'ghost'],
  ],
};

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'report',
    'report',
    'report',
    'report',
    'book',
    'book',
    'book',
    'miss',
    'release',
    'remove',
    'add',
    'reconfigure',
  ),
  server: fc.nat(3),
  project: fc.constantFrom(undefined, 'p', 'q'),
  load: fc.oneof(fc.double({ min: 0, max: 110, noNaN: true }), fc.constantFrom(0, NaN, -5, 1e308, Infinity)),
  pass: fc.oneof(
    fc.double({ min: 0, max: 20, noNaN: true }),
    fc.constantFrom(-3600, -30, 0, 3600, 1e6, NaN, Infinity, -Infinity, 1e300),
  ),
  late: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true }), fc.constantFrom(100, -100, -1e9, NaN)),
});

const someParameters: fc.Arbitrary<AllocationParameters> = fc
  .record({
    target: fc.constantFrom(40, 90, 150),
    cost: fc.constantFrom(0.3, 8, 60),
    settle: fc.constantFrom([10, 60] as const, [0, 1] as const, [60, 10] as const),
    recent: fc.constantFrom(0, 15, 600),
    suspectAfter: fc.constantFrom(1, 25, Infinity),
    trial: fc.constantFrom(1, 600),
    jitter: fc.constantFrom(0, 5),
    learning: fc.boolean(),
    closedAfter: fc.constantFrom(1, 2),
  })
  .map((changes) => ({ ...DEFAULT_ALLOCATION, ...changes }));

/** Plays the steps and calls `check` after each one, and at each booking with what was predicted. */
function play(
  steps: readonly Step[],
  parameters: AllocationParameters,
  checks: {
    before?: (ledger: Ledger, step: Step, now: number) => void;
    booked?: (outcome: Booked) => void;
    after?: (ledger: Ledger, step: Step) => void;
  },
): Ledger {
  let chance = 0;
  const ledger = new Ledger(parameters, () => (chance = (chance + 0.37) % 1));
  for (const [i, id] of IDS.entries()) ledger.add(id, i === 3 ? { maxSessions: 2 } : {}, 0);
  const open: string[] = [];
  let now = 0;
  for (const current of steps) {
    const { kind, server, project, load, pass, late } = current;
    const id = IDS[server] ?? '';
    const at = now + pass;
    if (Math.abs(at) < 1e10) now = at;
    checks.before?.(ledger, current, at);
    switch (kind) {
      case 'report':
        ledger.report(id, load, at - late, at);
        break;
      case 'miss':
        ledger.miss(id, at);
        break;
      case 'book': {
        const outcome = ledger.book({ id: `${server}`, ...(project !== undefined && { project }) }, ALL, at);
        if (outcome.kind !== 'booked') break;
        open.push(outcome.bookingId);
        checks.booked?.(outcome);
        break;
      }
      case 'release':
        ledger.release(open.splice(server, 1)[0] ?? '', at);
        break;
      case 'remove':
        ledger.remove(id);
        break;
      case 'add':
        ledger.add(id, { weight: 1 + server }, at);
        break;
      case 'reconfigure':
        ledger.reconfigure({ ...parameters, cost: 1 + server });
        break;
    }
    checks.after?.(ledger, current);
  }
  return ledger;
}

const course = fc.array(step, { maxLength: 80 });

test('predicted load stays below the target at every booking, for any course of events', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      play(steps, parameters, {
        booked({ predicted, load, cost }) {
          assert.ok(predicted < parameters.target && load < parameters.threshold && cost >= 0.3 && cost <= 60);
        },
      });
    }),
    { numRuns: 300 },
  );
});

test('no figure ever is negative, infinite or not a number, for any course of events', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      play(steps, parameters, {
        after(ledger) {
          for (const id of IDS) {
            const { measuredAt: _, suspectSince: __, ...figures } = ledger.account(id) ?? {};
            for (const value of Object.values({ ...figures, ...ledger.account(id)?.cost }))
              assert.ok(typeof value !== 'number' || (Number.isFinite(value) && value >= 0), JSON.stringify(figures));
          }
          const { low, value, high } = ledger.fleetCost('p');
          assert.ok(low > 0 && low <= value && value <= high && Number.isFinite(high));
        },
      });
    }),
    { numRuns: 300 },
  );
});

test('a session fits exactly when one would be booked, and the verdicts on the servers agree', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      let fitted = false;
      let roomy = new Set<string>();
      play(steps, parameters, {
        before(ledger, { kind, project }, at) {
          if (kind !== 'book') return;
          const verdicts = IDS.map((id) => [id, ledger.examine(id, project, at).kind] as const);
          roomy = new Set(verdicts.filter(([, verdict]) => verdict === 'fits' || verdict === 'suspect').map(([id]) => id));
          fitted = ledger.fits(ALL, project, at);
          assert.equal(fitted, roomy.size > 0);
          for (const id of IDS) assert.equal(ledger.fits({ tiers: [[id]] }, project, at), roomy.has(id));
          // A suspect is chosen only when no other server fits.
          const trusted = verdicts.filter(([, verdict]) => verdict === 'fits').map(([id]) => id);
          if (trusted.length > 0) roomy = new Set(trusted);
        },
        booked({ server }) {
          assert.ok(fitted && roomy.has(server));
          fitted = false;
        },
        after(_, { kind }) {
          if (kind === 'book') assert.equal(fitted, false, 'what fits is booked');
        },
      });
    }),
    { numRuns: 300 },
  );
});

test('while the revision of an account is the same, only reports, misses and time change its view', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      let before = new Map<string, string>();
      const describe = (ledger: Ledger) =>
        new Map(
          IDS.map((id) => {
            // Sessions leave the count by time.
            const { sessions: _, ...account } = ledger.account(id) ?? {};
            return [`${id} ${ledger.revisionOf(id)}`, JSON.stringify(account)];
          }),
        );
      play(steps, parameters, {
        before(ledger, _, at) {
          ledger.fits(ALL, undefined, at);
          before = describe(ledger);
        },
        after(ledger, { kind, server }) {
          for (const [key, account] of describe(ledger)) {
            const isOwn = key.startsWith(`${IDS[server] ?? ''} `) && (kind === 'report' || kind === 'miss');
            if (!isOwn && before.has(key)) assert.equal(account, before.get(key), `${kind} ${key}`);
          }
        },
      });
    }),
    { numRuns: 300 },
  );
});

test('booked load grows by bookings and shrinks by reports, releases and new settings, never with the clock', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      const before = new Map<string, number>();
      play(steps, parameters, {
        before(ledger, _, at) {
          ledger.fits(ALL, undefined, at);
          for (const id of IDS) before.set(id, ledger.account(id)?.booked ?? 0);
        },
        after(ledger, { kind }) {
          if (kind !== 'book' && kind !== 'miss') return;
          for (const id of IDS) assert.ok((ledger.account(id)?.booked ?? 0) >= (before.get(id) ?? 0));
        },
      });
    }),
  );
});

test('after a restart the ledger knows the costs, the bookings and the suspects it knew before', () => {
  fc.assert(
    fc.property(course, someParameters, (steps, parameters) => {
      const original = play(steps, { ...parameters, jitter: 0 }, {});
      for (const id of IDS) original.add(id, {}, NaN);
      const then = original.account('a')?.measuredAt ?? 0;
      const file = JSON.parse(JSON.stringify(original.save(then, 5000))) as unknown;
      const copy = new Ledger({ ...parameters, jitter: 0, cost: original.save(then, 5000).fleet.cost }, () => 0.1);
      // The clock of the engine began again at 0.
      const restored = copy.restore(file, 7, 5000);
      assert.ok(restored.kind === 'restored' && restored.ignored === 0);
      for (const id of IDS) copy.add(id, {}, 7);
      for (const id of IDS) {
        const [a, b] = [original, copy].map((ledger) => ledger.account(id) ?? assert.fail());
        assert.ok(a !== undefined && b !== undefined);
        close(a.power, b.power);
        close(a.cost.value, b.cost.value);
        assert.equal(a.sessions, b.sessions);
        assert.equal(a.suspectSince === undefined, b.suspectSince === undefined);
      }
      close(original.fleetCost('p').value, copy.fleetCost('p').value);
    }),
    { numRuns: 200 },
  );
});

test('a restart in the middle of a class does not forget whom it sent where', () => {
  const { ledger } = ledgerOf({ a: 0, b: 20 }, fixed);
  const { bookingId } = bookOn(ledger, { tiers: [['a']] }, 100);
  bookAll(ledger, { tiers: [['a']] }, 110, 4);
  const saved: unknown = JSON.parse(JSON.stringify(ledger.save(115, 9000)));

  const after = new Ledger({ ...DEFAULT_ALLOCATION, ...fixed }, () => 0.7);
  assert.deepEqual(after.restore(saved, 3, 9010), { kind: 'restored', servers: 1, projects: 0, bookings: 5, ignored: 0 });
  for (const [id, load] of [
    ['a', 0],
    ['b', 20],
  ] as const) {
    after.add(id, {}, 4);
    after.report(id, load, 5);
  }
  // One of 27 s and four of 17 s.
  const expected = 8 * (33 / 50 + 4 * (43 / 50));
  close(after.account('a')?.booked ?? NaN, expected);
  assert.equal(bookOn(after, { tiers: [['a', 'b']] }, 5).server, 'b');
  after.release(bookingId, 6);
  close(after.account('a')?.booked ?? NaN, expected - 8 * (33 / 50));
  assert.notEqual(bookOn(after, { tiers: [['a']] }, 6).bookingId, bookingId);
});

test('a wall clock that was set back between save and restore makes no booking younger than it was', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, fixed);
  bookOn(ledger, all, 100);
  const saved = ledger.save(135, 9000);
  const after = new Ledger({ ...DEFAULT_ALLOCATION, ...fixed }, () => 0.7);
  after.restore(saved, 50, 100);
  after.add('a', {}, 50);
  after.report('a', 0, 50);
  close(after.account('a')?.booked ?? NaN, 4);
});

test('only what is new is worth saving', () => {
  const { ledger, all } = ledgerOf({ a: 0 }, fixed);
  const { revision } = ledger;
  ledger.report('a', 1, 105);
  ledger.miss('a', 106);
  ledger.fits(all, undefined, 107);
  assert.equal(ledger.revision, revision);
  bookOn(ledger, all, 108);
  assert.notEqual(ledger.revision, revision);
});

test('a suspicion is worth saving, and so is the first time that the sessions of a server were seen', () => {
  const { ledger, all } = ledgerOf({ a: 0, b: 0, c: 0 }, fixed);
  bookOn(ledger, { tiers: [['a']] }, 100);
  for (let t = 105; t < 200; t += 5) ledger.report('a', 30, t);
  const seen = ledger.revision;
  for (let t = 200; t < 1000; t += 5) ledger.report('a', 30, t);
  assert.equal(ledger.revision, seen, 'it reported nothing new');
  bookOn(ledger, { tiers: [['a']] }, 1000);
  const booked = ledger.revision;
  for (let t = 1000; t < 1100; t += 5) ledger.report('a', 30, t);
  assert.ok(ledger.revision > booked);

  bookAll(ledger, { tiers: [['b']] }, 1100, 8);
  const innocent = ledger.revision;
  for (let t = 1100; t < 1300; t += 5) for (const id of ['a', 'b', 'c']) ledger.report(id, id === 'a' ? 30 : 0, t);
  assert.equal(ledger.suspects().length, 1);
  assert.ok(ledger.revision > innocent);
  assert.equal(ledger.fits(all, undefined, 1300), true);
});

test('a snapshot of another program is refused with the reason and changes nothing', () => {
  const { ledger } = ledgerOf({ a: 0 });
  for (const value of [undefined, null, 7, 'text', [], {}, { format: 'session-server/ledger', version: 99 }]) {
    const outcome = ledger.restore(value, 100, 0);
    assert.ok(outcome.kind === 'foreign' && outcome.reason.length > 0);
  }
  close(ledger.fleetCost().value, 8);
});

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-4, `${actual} instead of ${expected}`);
}
