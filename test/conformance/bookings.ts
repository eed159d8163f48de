/**
 * What every store of bookings must do, in memory or shared by several session servers. A store's test calls `bookingsConformance` with a way to set
 * one up; the suite has no clock of its own and never waits.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Candidates } from '../../src/core/candidates.ts';
import type { BookingOutcome, ServerOptions } from '../../src/core/ledger.ts';
import type { Bookings } from '../../src/ports.ts';

/** One store, and the outside it lives in. Sessions cost 8 points in it, whatever happens: learning is off. */
export interface BookingsSetup {
  /** The store as seen by each of the session servers that share it; one for a store that is not shared. */
  readonly replicas: readonly Bookings[];
  add(id: string, options: ServerOptions): Promise<void>;
  /** A server was measured just now. */
  report(id: string, load: number): Promise<void>;
  miss(id: string): Promise<void>;
  /** Time passes. */
  advance(seconds: number): void;
  close(): Promise<void>;
}

/** Load points below which predicted load stays. */
const TARGET = 90;
const COST = 8;

export function bookingsConformance(name: string, setUp: () => Promise<BookingsSetup>): void {
  const withStore = async (loads: readonly number[], body: (setup: BookingsSetup, all: Candidates) => Promise<void>) => {
    const setup = await setUp();
    try {
      const ids = loads.map((_, i) => `server ${i}`);
      for (const [i, id] of ids.entries()) {
        await setup.add(id, {});
        await setup.report(id, loads[i] ?? 0);
      }
      await body(setup, { tiers: [ids] });
    } finally {
      await setup.close();
    }
  };
  const first = ({ replicas }: BookingsSetup): Bookings => replicas[0] ?? assert.fail('a setup has a replica at least');
  /** Room for this many sessions on a server: its predicted load stays below the target. */
  const places = (load: number): number => Math.max(0, Math.ceil((TARGET - load) / COST) - 1);

  describe(`${name} as a store of bookings`, () => {
    test('a session goes to the server with the least predicted load and is counted there at once', () =>
      withStore([30, 20], async (setup, all) => {
        const bookings = first(setup);
        const outcome = await bookings.book({ id: 'r1' }, all);
        assert.ok(outcome.kind === 'booked');
        assert.equal(outcome.server, 'server 1');
        assert.deepEqual([outcome.load, Math.round(outcome.cost), Math.round(outcome.predicted)], [20, 8, 28]);
        assert.notEqual(outcome.bookingId, '');
        await bookings.book({ id: 'r2' }, all);
        const third = await bookings.book({ id: 'r3' }, all);
        assert.ok(third.kind === 'booked' && third.server === 'server 0', '36 by now, against 30');
      }));

    test('thirty requests at once on three idle servers go ten to each', () =>
      withStore([0, 0, 0], async ({ replicas }, all) => {
        const outcomes = await Promise.all(Array.from({ length: 30 }, (_, i) => at(replicas, i).book({ id: `r${i}` }, all)));
        assert.deepEqual([...countByServer(outcomes).values()].sort(), [10, 10, 10]);
      }));

    test('thirty at once behind one address all get a place, and one address does not get the whole fleet before any of it is used', () =>
      withStore([0, 0, 0, 0, 0, 0], async ({ replicas }, all) => {
        const from = (address: string, count: number) =>
          Promise.all(Array.from({ length: count }, (_, i) => at(replicas, i).book({ id: `${address} ${i}`, address }, all)));
        const booked = (outcomes: readonly BookingOutcome[]) => outcomes.filter(({ kind }) => kind === 'booked').length;
        assert.equal(booked(await from('school', 30)), 30);
        const more = await from('school', 30);
        assert.equal(booked(more), 18, '48 are 8 for each server');
        assert.equal(more.at(-1)?.kind, 'unconfirmed');
        assert.equal(at(replicas, 0).isUnconfirmed('school'), true);
        assert.equal(booked(await from('home', 1)), 1);
      }));

    test('places of an address whose sessions began count no longer against it', () =>
      withStore([0, 0, 0, 0, 0, 0], async ({ replicas }, all) => {
        const bookings = at(replicas, 0);
        for (let i = 0; i < 48; i++) {
          const outcome = await bookings.book({ id: '', address: 'school' }, all);
          assert.ok(outcome.kind === 'booked');
          if (i < 2) await bookings.connected(outcome.bookingId);
        }
        assert.equal(bookings.isUnconfirmed('school'), false);
      }));

    test('a released place is free at once, and free once', () =>
      withStore([75], async (setup, all) => {
        const bookings = first(setup);
        const outcome = await bookings.book({ id: 'r1' }, all);
        assert.ok(outcome.kind === 'booked');
        assert.equal((await bookings.book({ id: 'r2' }, all)).kind, 'no-room');
        assert.equal(bookings.fits(all), false);
        await bookings.release(outcome.bookingId);
        await bookings.release(outcome.bookingId);
        await bookings.release('never booked');
        assert.equal(bookings.fits(all), true);
        assert.equal((await bookings.book({ id: 'r3' }, all)).kind, 'booked');
        assert.equal((await bookings.book({ id: 'r4' }, all)).kind, 'no-room');
      }));

    test('a booking fades when reports show the session, and not before', () =>
      withStore([75], async (setup, all) => {
        const bookings = first(setup);
        await bookings.book({ id: 'r1' }, all);
        setup.advance(3600);
        assert.equal(bookings.fits(all), false, 'an hour without a report is no news');
        await setup.report('server 0', 75);
        assert.equal(bookings.fits(all), true);
      }));

    test('a server that was never heard of, or missed two polls, gets nobody', () =>
      withStore([0], async (setup, all) => {
        await setup.add('silent', {});
        assert.equal(first(setup).fits({ tiers: [['silent', 'unheard of']] }), false);
        await setup.miss('server 0');
        await setup.miss('server 0');
        assert.equal((await first(setup).book({ id: 'r1' }, all)).kind, 'no-room');
        await setup.report('server 0', 0);
        assert.equal((await first(setup).book({ id: 'r1' }, all)).kind, 'booked');
      }));

    test('a later tier is used only when the earlier ones have no room', () =>
      withStore([75, 0], async (setup) => {
        const tiers = { tiers: [['server 0'], ['server 1']] };
        const servers = [];
        for (const id of ['r1', 'r2', 'r3']) {
          const outcome = await first(setup).book({ id }, tiers);
          servers.push(outcome.kind === 'booked' && [outcome.server, outcome.tier]);
        }
        assert.deepEqual(servers, [
          ['server 0', 0],
          ['server 1', 1],
          ['server 1', 1],
        ]);
      }));

    test('no more sessions are out than the server may have', () =>
      withStore([], async (setup) => {
        await setup.add('small', { maxSessions: 2 });
        await setup.report('small', 0);
        const outcomes = await Promise.all(
          Array.from({ length: 5 }, (_, i) => at(setup.replicas, i).book({ id: `r${i}` }, { tiers: [['small']] })),
        );
        assert.equal(outcomes.filter(({ kind }) => kind === 'booked').length, 2);
      }));

    test('of many requests at once exactly as many are booked as there are places', () =>
      fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 4 }),
          (scheduler, loads) =>
            withStore(loads, async ({ replicas }, all) => {
              const expected = loads.reduce((sum, load) => sum + places(load), 0);
              const outcomes: BookingOutcome[] = [];
              for (let i = 0; i < expected + 5; i++) {
                void scheduler
                  .schedule(Promise.resolve(), `request ${i}`)
                  .then(() => at(replicas, i).book({ id: `r${i}` }, all))
                  .then((outcome) => outcomes.push(outcome));
              }
              await scheduler.waitIdle();
              await settled(() => outcomes.length === expected + 5);
              for (const [server, count] of countByServer(outcomes))
                assert.equal(count, places(loads[Number(server.slice(7))] ?? 0), `${server} was filled to the last place`);
              assert.equal(outcomes.filter(({ kind }) => kind === 'booked').length, expected);
            }),
        ),
        { numRuns: 60 },
      ));

    test('two requests never get the same last place, whatever comes between', () =>
      fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(fc.constantFrom('book', 'book', 'book', 'release', 'report', 'miss'), { minLength: 5, maxLength: 40 }),
          (scheduler, acts) =>
            withStore([60, 70], async (setup, all) => {
              const { replicas } = setup;
              const out = new Map<string, string>();
              let ended = 0;
              const act = async (kind: string, i: number): Promise<void> => {
                if (kind === 'report') await setup.report(`server ${i % 2}`, i % 2 === 0 ? 60 : 70);
                if (kind === 'miss') await setup.miss(`server ${i % 2}`);
                if (kind === 'release') {
                  const [oldest] = out.keys();
                  if (oldest === undefined) return;
                  // Counted as out until the store has freed it.
                  await at(replicas, i).release(oldest);
                  out.delete(oldest);
                }
                if (kind !== 'book') return;
                const outcome = await at(replicas, i).book({ id: `r${i}` }, all);
                if (outcome.kind !== 'booked') return;
                assert.ok(!out.has(outcome.bookingId), 'no booking has the id of another');
                assert.ok(outcome.predicted < TARGET);
                out.set(outcome.bookingId, outcome.server);
              };
              const check = () => {
                for (const [id, load] of [
                  ['server 0', 60],
                  ['server 1', 70],
                ] as const) {
                  const sessions = [...out.values()].filter((server) => server === id).length;
                  assert.ok(load + sessions * COST < TARGET, `${id} has ${sessions} sessions`);
                }
              };
              const failures: unknown[] = [];
              for (const [i, kind] of acts.entries()) {
                void scheduler
                  .schedule(Promise.resolve(), `${kind} ${i}`)
                  .then(() => act(kind, i))
                  .then(check)
                  .catch((error: unknown) => failures.push(error))
                  .finally(() => (ended += 1));
              }
              await scheduler.waitIdle();
              await settled(() => ended === acts.length);
              assert.deepEqual(failures, []);
            }),
        ),
        { numRuns: 100 },
      ));
  });
}

function at(replicas: readonly Bookings[], i: number): Bookings {
  return replicas[i % replicas.length] ?? assert.fail('a setup has a replica at least');
}

function countByServer(outcomes: readonly BookingOutcome[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes)
    if (outcome.kind === 'booked') counts.set(outcome.server, (counts.get(outcome.server) ?? 0) + 1);
  return counts;
}

/** Lets what was started run to its end; a store on another machine answers over a socket. */
async function settled(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}
