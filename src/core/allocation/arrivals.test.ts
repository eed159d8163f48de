import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Booking, Source } from './booking.ts';
import { Arrivals, isGroup } from './arrivals.ts';

/** Hands out something to the address at each of these times; returns what the last one is judged by. */
function handOut(arrivals: Arrivals, address: string, times: readonly number[], project?: string): Booking[] {
  return times.map((at) => {
    const source = arrivals.sourceOf(address, at);
    const booking: Booking = { id: `${at}`, server: 'a', at, request: '', project, source, weight: 1, returned: false };
    arrivals.handedOut(booking);
    return booking;
  });
}

const every = (seconds: number, count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i * seconds);

function last(bookings: readonly Booking[]): Booking & { readonly source: Source } {
  const booking = bookings.at(-1);
  assert.ok(booking?.source);
  return { ...booking, source: booking.source };
}

test('a hand-out of which nothing is known becomes a session with the chance of an ordinary one', () => {
  const arrivals = new Arrivals();
  const [first] = handOut(arrivals, '192.0.2.1', [0]);
  assert.equal(arrivals.chance(first?.source, 'p'), 0.95);
  const group = last(handOut(arrivals, '192.0.2.1', [1, 2]));
  assert.ok(isGroup(group.source) && Math.abs(arrivals.chance(group.source, 'p') - 0.95) < 1e-9);
  assert.equal(arrivals.chance(undefined, 'p'), 0.95);
});

test('silence lowers the chance of the silent addresses only', () => {
  const arrivals = new Arrivals();
  const check = last(handOut(arrivals, '192.0.2.1', every(5, 20)));
  for (let i = 0; i < 20; i++) {
    arrivals.judge(check, 0, 1, 100);
    arrivals.believe(check.source, -0.5, 100);
  }
  assert.equal(arrivals.chance(check.source, undefined), 0.02);
  const school = last(handOut(arrivals, '198.51.100.7', every(1, 5, 100)));
  assert.ok(Math.abs(arrivals.chance(school.source, undefined) - 0.95) < 1e-9);
  assert.equal(arrivals.singleChance(undefined), 0.95);
});

test('addresses that ask once are judged together, by what they want to run', () => {
  const arrivals = new Arrivals();
  for (let i = 0; i < 30; i++) arrivals.judge(last(handOut(arrivals, `192.0.2.${i}`, [i], 'demo')), 0, 1, i);
  assert.ok(arrivals.singleChance('demo') < 0.3);
  assert.equal(arrivals.singleChance('class'), 0.95);
});

test('a group that was silent is expected to start sessions again after some days', () => {
  const arrivals = new Arrivals();
  const check = last(handOut(arrivals, '192.0.2.1', every(5, 20)));
  for (let i = 0; i < 60; i++) {
    arrivals.judge(check, 0, 1, 100);
    arrivals.believe(check.source, -2, 100);
  }
  arrivals.sourceOf('192.0.2.1', 4 * 86_400);
  assert.ok(arrivals.chance(check.source, undefined) > 0.9);
});

test('a class behind the address of a silent check gets a chance of its own', () => {
  const arrivals = new Arrivals();
  const check = last(handOut(arrivals, '192.0.2.1', every(5, 400)));
  arrivals.believe(check.source, -6, 2000);
  for (let i = 0; i < 60; i++) arrivals.judge(check, 0, 1, 2000);
  const pupils = handOut(arrivals, '192.0.2.1', every(1, 30, 2000));
  assert.ok(arrivals.chance(last(pupils).source, undefined) > 0.9);
  const surplus = pupils.filter(({ source }) => source !== check.source).length;
  assert.ok(surplus > 20, `${surplus} of 30 are distinguished from the check`);
  const later = last(handOut(arrivals, '192.0.2.1', every(5, 40, 2060)));
  assert.equal(later.source, check.source, 'it ends when the address asks as usual again');
});

test('a check that continues as usual is not taken for a class', () => {
  const arrivals = new Arrivals();
  const check = last(handOut(arrivals, '192.0.2.1', every(5, 100)));
  arrivals.believe(check.source, -6, 500);
  assert.ok(handOut(arrivals, '192.0.2.1', every(5, 200, 500)).every(({ source }) => source === check.source));
});

test('hand-outs of the last minute count as unconfirmed until their session begins', () => {
  const arrivals = new Arrivals();
  const bookings = handOut(arrivals, '192.0.2.1', every(10, 10));
  assert.equal(arrivals.unconfirmed('192.0.2.1', 90), 6);
  for (const booking of bookings.slice(-2)) booking.connected = 91;
  assert.equal(arrivals.unconfirmed('192.0.2.1', 91), 4);
  assert.equal(arrivals.unconfirmed('192.0.2.1', 1000), 0);
  assert.equal(arrivals.unconfirmed('192.0.2.2', 91), 0);
});

test('how many of the hand-outs arrived is counted', () => {
  const arrivals = new Arrivals();
  const bookings = handOut(arrivals, '192.0.2.1', every(1, 10));
  for (const [i, booking] of bookings.entries()) arrivals.judge(booking, i < 4 ? 0 : 1, 1, 10);
  const { judged, arrived } = arrivals.rate(10);
  assert.ok(Math.abs(judged - 10) < 0.01 && Math.abs(arrived - 6) < 0.01);
});

test('what was learned of groups and projects survives a restart and fades meanwhile', () => {
  const arrivals = new Arrivals();
  const check = last(handOut(arrivals, '192.0.2.1', every(5, 20)));
  for (let i = 0; i < 20; i++) arrivals.judge(check, 0, 1, 100);
  arrivals.believe(check.source, -5, 100);
  for (let i = 0; i < 20; i++) arrivals.judge(last(handOut(arrivals, `198.51.100.${i}`, [i], 'demo')), 0, 1, 100);
  const saved = arrivals.save(100);
  assert.deepEqual(
    saved.addresses.map(([address]) => address),
    ['192.0.2.1'],
    'addresses that asked only once are not listed',
  );
  const after = new Arrivals();
  after.restore(saved, 0);
  const before = arrivals.chance(check.source, undefined);
  assert.ok(Math.abs(after.chance(after.sourceOf('192.0.2.1', 0), undefined) - before) < 0.01);
  assert.ok(after.singleChance('demo') < 0.4);
  assert.ok(after.chance(after.sourceOf('192.0.2.1', 86_400), undefined) > before);
});

test('a hundred thousand addresses leave ten thousand in memory, and two thousand in a snapshot', () => {
  const arrivals = new Arrivals();
  for (let i = 0; i < 100_000; i++) handOut(arrivals, `address ${i}`, [i, i, i]);
  const { addresses } = arrivals.save(100_000);
  assert.equal(addresses.length, 2000);
  assert.equal(addresses.at(-1)?.[0], 'address 99999');
  assert.equal(arrivals.unconfirmed('address 89999', 89_999), 0, 'forgotten');
  assert.equal(arrivals.unconfirmed('address 99999', 99_999), 3);
});
