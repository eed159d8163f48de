/**
 * Requests that never become sessions, for a whole day: no stream of them, however shaped, makes room that fresh knowledge would not see. A client that comes
 * afterwards from another address gets no more sessions on any server than on a fleet that has just started.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_ALLOCATION } from '../../src/core/allocation/allocation-parameters.ts';
import type { Candidates } from '../../src/core/fleet/candidates.ts';
import { Ledger, type ServerOptions } from '../../src/core/allocation/ledger.ts';

const DAY = 86_400;
const POLL = 30;
const SERVERS = ['a', 'b', 'c'];
const ALL: Candidates = { tiers: [SERVERS] };

/** Requests from a pool of addresses, at a steady pace or in bursts, for a part of the day. */
interface Stream {
  readonly every: number;
  readonly burst: number;
  /** As many addresses take turns; 0: each request comes from an address of its own. */
  readonly addresses: number;
  readonly project: string | undefined;
  readonly from: number;
  readonly length: number;
}

const stream: fc.Arbitrary<Stream> = fc.record({
  every: fc.constantFrom(5, 31, 60, 300, 3600),
  burst: fc.constantFrom(1, 2, 10, 30),
  addresses: fc.constantFrom(0, 1, 2, 5, 40),
  project: fc.constantFrom(undefined, 'demo', 'class'),
  from: fc.integer({ min: 0, max: DAY - 1 }),
  length: fc.integer({ min: 60, max: DAY }),
});

const fleet: fc.Arbitrary<readonly ServerOptions[]> = fc.array(
  fc.record({ weight: fc.constantFrom(0.5, 1, 3), countsSessions: fc.boolean() }),
  { minLength: 3, maxLength: 3 },
);

function start(options: readonly ServerOptions[]): Ledger {
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  for (const [i, id] of SERVERS.entries()) ledger.add(id, options[i], 0);
  return ledger;
}

/** The load of an idle machine: no client came. */
function report(ledger: Ledger, loads: readonly number[], now: number): void {
  for (const [i, id] of SERVERS.entries()) ledger.report(id, loads[i] ?? 0, now);
}

/** Requests of one stream, in order: when, and from where. */
function* requestsOf({ every, burst, addresses, from, length }: Stream, number: number) {
  let count = 0;
  for (let at = from; at < Math.min(DAY, from + length); at += every * burst) {
    for (let i = 0; i < burst; i += 1) {
      count += 1;
      yield { at, address: `stream ${number} ${addresses === 0 ? count : count % addresses}` };
    }
  }
}

function playDay(ledger: Ledger, streams: readonly Stream[], loads: readonly number[]): void {
  const requests = streams
    .flatMap((each, number) => Array.from(requestsOf(each, number), (request) => ({ ...request, project: each.project })))
    .sort((a, b) => a.at - b.at);
  let next = 0;
  for (let now = 0; now < DAY; now += POLL) {
    report(ledger, loads, now);
    for (; (requests[next]?.at ?? Infinity) < now + POLL; next += 1) {
      const { at = now, address = '', project } = requests[next] ?? {};
      ledger.book({ id: '', address, ...(project !== undefined && { project }) }, ALL, at);
    }
  }
}

/** A class behind an unknown address: how many of it the server takes at once. */
function classOn(ledger: Ledger, id: string): number {
  const candidates: Candidates = { tiers: [[id]] };
  const isBooked = () =>
    ledger.book({ id: '', address: `school ${id}`, project: 'lesson' }, candidates, DAY + 120).kind === 'booked';
  let count = 0;
  while (isBooked()) count += 1;
  return count;
}

/** Two minutes later, so that the last bookings of the day hide nothing any more. */
function settle(ledger: Ledger, loads: readonly number[]): Ledger {
  for (let now = DAY; now <= DAY + 120; now += 5) report(ledger, loads, now);
  return ledger;
}

test('no stream of requests that are never used raises the number of sessions a server gets', () => {
  fc.assert(
    fc.property(
      fleet,
      fc.array(stream, { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 3, maxLength: 3 }),
      (options, streams, loads) => {
        const ledger = start(options);
        playDay(ledger, streams, loads);
        const [after, fresh] = [settle(ledger, loads), settle(start(options), loads)];
        for (const id of SERVERS) {
          const [count, before] = [classOn(after, id), classOn(fresh, id)];
          assert.ok(count <= before, `${id} takes ${count} of the class, and ${before} when nothing was learned`);
        }
        const { value } = ledger.fleetCost();
        assert.ok(value >= DEFAULT_ALLOCATION.cost, `a session is thought to cost ${value} points`);
      },
    ),
    { numRuns: 40 },
  );
});
