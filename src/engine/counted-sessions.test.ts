import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ALLOCATION } from '../core/allocation/allocation-parameters.ts';
import { Ledger } from '../core/allocation/ledger.ts';
import type { Slot } from '../core/reservations/capacity.ts';
import { checkCapacity, seatsFree } from '../core/reservations/capacity.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { CountedSessions } from './counted-sessions.ts';
import { bookedFleet, seatFleet } from './seat-fleet.ts';

const TRUE_COST = 5;

/** A server with ten sessions of which one leaves and one comes every two minutes, so that each lasts twenty. Sessions cost less than is believed. */
async function steadyTraffic(countsSessions: boolean, hours = 3) {
  const clock = new FakeClock();
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, learning: false }, () => 0.5);
  ledger.add('a', { countsSessions });
  const options = { clock, ledger, sessionLength: () => 1500, target: () => 90 };
  const counted = new CountedSessions(options);
  const running: string[] = [];
  let begun = 0;
  const report = () => {
    const own = { sessions: running.length, starting: 0, begun, points: TRUE_COST * running.length };
    const load = 1 + TRUE_COST * running.length;
    ledger.report('a', load, clock.now(), clock.now(), countsSessions ? undefined : own);
    counted.reported('a', load, countsSessions ? undefined : own);
  };
  report();
  for (let step = 0; step < hours * 30; step++) {
    const outcome = ledger.book({ id: `${step}`, project: 'p' }, { tiers: [['a']] }, clock.now());
    assert.ok(outcome.kind === 'booked');
    running.push(outcome.bookingId);
    begun += 1;
    if (countsSessions) {
      ledger.connected(outcome.bookingId, clock.now());
      counted.began(outcome.bookingId);
    }
    const left = running.length > 10 ? running.shift() : undefined;
    if (left !== undefined && countsSessions) {
      counted.ended(left);
      ledger.release(left, clock.now());
    }
    for (let i = 0; i < 12; i++) {
      await clock.advance(10);
      report();
    }
  }
  const costs = { ledger, costs: counted.costs, eligible: () => ['a'], keyOf: () => 'p', target: () => 90 };
  return { counted, costs };
}

for (const [who, countsSessions] of [
  ['the gateway', true],
  ['a simulation server', false],
] as const)
  test(`${who} teaches how long sessions last and what they really cost`, async () => {
    const { counted } = await steadyTraffic(countsSessions);
    assert.ok(Math.abs(counted.length().mean - 1300) < 60, String(counted.length().mean));
    const factor = counted.costs.factor('a') ?? 0;
    assert.ok(Math.abs(factor - TRUE_COST / DEFAULT_ALLOCATION.cost) < 0.06, String(factor));
    const view = counted.view({ tiers: [['a']] });
    assert.deepEqual(view, { sessionLength: 60 * Math.round(counted.length().mean / 60), places: 7 });
  });

test('nothing is claimed before enough sessions ended', async () => {
  const { counted } = await steadyTraffic(true, 0.5);
  assert.equal(counted.view({ tiers: [['a']] }), null);
  assert.equal(counted.costs.factor(), undefined);
});

test('a class may have the seats that really fit, and learns how many of them it gets at once', async () => {
  const { costs } = await steadyTraffic(true);
  const slot: Slot = { id: 'r', title: '', seats: 4, start: 1e6, end: 1e6 + 3600, opens: 600, project: 'p' };
  const bySeats = checkCapacity(slot, [], seatFleet(costs), 0);
  assert.ok(bySeats.kind === 'fits');
  assert.ok(bySeats.free > seatsFree(slot, [], bookedFleet(costs)), `${bySeats.free}`);
  costs.costs.forget('a');
  costs.costs.restore({ fleet: { points: 0, learned: 0, seconds: 0 }, servers: [] });
  const learned = checkCapacity(slot, [], seatFleet(costs), 0);
  assert.ok(learned.kind === 'fits' && learned.free < bySeats.free);
  assert.ok(learned.free <= seatsFree(slot, [], bookedFleet(costs)), 'without counting, all come at once');
});
