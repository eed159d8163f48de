import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookingsConformance, type BookingsSetup } from '../../test/conformance/bookings.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { DEFAULT_ALLOCATION } from '../core/allocation/allocation-parameters.ts';
import { Ledger } from '../core/allocation/ledger.ts';
import type { Bookings } from '../ports.ts';
import { createMemoryBookings } from './memory.ts';

function setUp(): BookingsSetup & { readonly ledger: Ledger; readonly clock: { now(): number } } {
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, learning: false, suspectAfter: Infinity }, () => 0.5);
  let now = new FakeClock().now();
  const clock = { now: () => now };
  const done = (act: () => void): Promise<void> => {
    act();
    return Promise.resolve();
  };
  return {
    ledger,
    clock,
    replicas: [createMemoryBookings(ledger, clock)],
    add: (id, options) => done(() => ledger.add(id, options, now)),
    report: (id, load) => done(() => ledger.report(id, load, now)),
    miss: (id) => done(() => ledger.miss(id, now)),
    advance: (seconds) => void (now += seconds),
    close: () => Promise.resolve(),
  };
}

bookingsConformance('the memory of one process', () => Promise.resolve(setUp()));

test('a store that chooses and books in two steps gives a last place twice, which the suite would notice', async () => {
  const { ledger, clock } = setUp();
  ledger.add('a', {}, 0);
  ledger.report('a', 75, clock.now());
  const candidates = { tiers: [['a']] };
  const whole = createMemoryBookings(ledger, clock);
  const halved: Bookings = {
    ...whole,
    async book({ id }) {
      if (!whole.fits(candidates)) return { kind: 'no-room' };
      await Promise.resolve();
      return { kind: 'booked', bookingId: id, server: 'a', load: 75, predicted: 83, cost: 8, tier: 0, lastResort: false };
    },
  };
  const kinds = async (store: Bookings) =>
    (await Promise.all(['r1', 'r2'].map((id) => store.book({ id }, candidates)))).map(({ kind }) => kind);
  assert.deepEqual(await kinds(halved), ['booked', 'booked']);
  assert.deepEqual(await kinds(whole), ['booked', 'no-room']);
});
