/** Servers as the monitor shows them, for tests. The only place in the tests that lists all fields of a `ServerView`. */
import type { ServerView } from '../../src/core/views/monitor-view.ts';

/** Percent. */
const TARGET = 90;

/** A server that has just answered with `load` (percent) and has no sessions. `now`: seconds since the epoch. */
export function idleServer(address: string, number: number, now: number, load: number): ServerView {
  return {
    id: address.replace('/', ':'),
    number,
    address,
    monitorUrl: `https://${address}/monitor`,
    state: 'available',
    since: now,
    reason: 'Takes sessions.',
    load,
    lastLoad: load,
    booked: 0,
    predicted: load,
    cost: 8,
    costUncertainty: 1.6,
    places: placesOf(load, 8),
    sessions: { basis: 'counted', count: 0 },
    classSeats: null,
    handOuts: 0,
    handOutsLastHour: 0,
    lastAnswerAt: now,
    latency: 0.012,
    failures: 0,
    suspectSince: null,
    drain: null,
    weight: 1,
    maxSessions: null,
    labels: {},
    allowedRepositories: null,
    removable: false,
  };
}

/** Sessions of `cost` that fit below the target. */
export function placesOf(predicted: number, cost: number): number {
  return Math.max(0, Math.floor((TARGET - predicted) / cost));
}

/** What changes when a server stops answering. `failures`: probes in a row. */
export function silent(state: 'down' | 'unknown', since: number, failures: number, reason: string): Partial<ServerView> {
  return { state, since, failures, reason, load: null, predicted: null, places: 0 };
}
