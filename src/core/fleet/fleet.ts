/**
 * The simulation servers and their states.
 *
 * The state of a server is derived from its facts in one function and never stored beside them, so that the facts cannot contradict the state that
 * people see. Events come in; the new facts and, if the state changed, a transition come out.
 *
 * A server is offered only while it is *available*. The first failed probe already makes it *unknown*, and `downAfter` failures in a row make it *down*,
 * which is what people are notified of (docs/design/protocol.md, "Deliberate differences from the original").
 */
import type { Endpoint, ServerId } from './endpoint.ts';

export type ServerState = 'unknown' | 'available' | 'full' | 'draining' | 'down';

export interface FleetRules {
  /** Percent. A report at or above it makes the server full. */
  readonly loadThreshold: number;
  /** Percent. A full server is available again once all reports of the last `recent` seconds are below the smaller of this and `loadThreshold`. */
  readonly target: number;
  /** Seconds. */
  readonly recent: number;
  /** Failed probes in a row after which a server is down. */
  readonly downAfter: number;
}

export interface Drain {
  /** Seconds since the epoch. */
  readonly since: number;
  readonly by: string;
  readonly reason?: string;
  /** Seconds since the epoch; at that time the server is offered again. Absent: until resumed. */
  readonly until?: number;
}

export interface Failure {
  /** Stable name of what went wrong, such as `timeout` or `not-a-number`. */
  readonly code: string;
  /** A sentence for the operator. */
  readonly reason: string;
}

/** Everything known of one simulation server. All times are seconds of the engine's clock. */
export interface ServerFacts {
  readonly endpoint: Endpoint;
  /** Percent, of the last good sample. It stays while probes fail, for people to see. */
  readonly load?: number;
  readonly sampledAt?: number;
  /** Seconds the last good probe took. */
  readonly latency?: number;
  /** Set when it reports a load but clients cannot connect to it: why, as a sentence about the server. */
  readonly loadOnly?: string;
  /** Failed probes since the last good one. */
  readonly failures: number;
  readonly failedSince?: number;
  readonly lastFailure?: Failure;
  readonly drain?: Drain;
  /** It reached `loadThreshold` and has not left room for `recent` seconds since. */
  readonly saturated: boolean;
  /** Time of the latest report that left no room; meaningful while `saturated`. */
  readonly lastWithoutRoom?: number;
  /** When the present state began. */
  readonly since: number;
}

export type FleetEvent =
  | { readonly kind: 'sampled'; readonly load: number; readonly latency: number; readonly loadOnly?: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'drained'; readonly drain: Drain }
  | { readonly kind: 'resumed' };

/** A change of server state. */
export interface Transition {
  readonly id: ServerId;
  readonly address: string;
  readonly from: ServerState;
  readonly to: ServerState;
  /** Seconds of the engine's clock. */
  readonly at: number;
  /** Percent, when the server answered. */
  readonly load?: number;
  readonly failure?: Failure;
  /** It had never answered before, or reported load only. */
  readonly first?: true;
}

export interface Applied {
  readonly facts: ServerFacts;
  readonly transition?: Transition;
}

/** The facts of a server that was not probed yet: *unknown* is not *idle*. */
export function newServer(endpoint: Endpoint, at: number): ServerFacts {
  return { endpoint, failures: 0, saturated: false, since: at };
}

/** Down comes before draining, so that the failure of a drained machine is reported; draining before the rest, so that no client is sent there. */
export function stateOf(facts: ServerFacts, rules: FleetRules): ServerState {
  if (facts.failures >= rules.downAfter) return 'down';
  if (facts.drain !== undefined) return 'draining';
  if (facts.failures > 0 || facts.load === undefined || facts.loadOnly !== undefined) return 'unknown';
  return facts.saturated ? 'full' : 'available';
}

/** Applies one event to the facts. `at` is seconds of the engine's clock. */
export function apply(facts: ServerFacts, event: FleetEvent, at: number, rules: FleetRules): Applied {
  const from = stateOf(facts, rules);
  const changed = fold(facts, event, at, rules);
  const to = stateOf(changed, rules);
  if (from === to) return { facts: changed };
  const transition: Transition = {
    id: facts.endpoint.id,
    address: facts.endpoint.address,
    from,
    to,
    at,
    ...(event.kind === 'sampled' && { load: event.load }),
    ...(event.kind === 'sampled' && wasNeverOffered(facts) && { first: true }),
    ...(event.kind === 'failed' && { failure: event.failure }),
  };
  return { facts: { ...changed, since: at }, transition };
}

/** What was learned of a server elsewhere becomes what is known of it here. Its address and its drain are those that are known here. */
export function adopt(facts: ServerFacts, { drain: _, ...known }: ServerFacts, at: number, rules: FleetRules): Applied {
  const from = stateOf(facts, rules);
  const adopted = { ...known, endpoint: facts.endpoint, ...(facts.drain !== undefined && { drain: facts.drain }) };
  const to = stateOf(adopted, rules);
  if (from === to) return { facts: adopted };
  const { load, lastFailure, failures } = known;
  const transition: Transition = {
    ...{ id: facts.endpoint.id, address: facts.endpoint.address, from, to, at },
    ...(failures === 0 && load !== undefined && { load }),
    ...(failures === 0 && wasNeverOffered(facts) && { first: true }),
    ...(failures > 0 && lastFailure !== undefined && { failure: lastFailure }),
  };
  return { facts: adopted, transition };
}

function wasNeverOffered({ load, loadOnly }: ServerFacts): boolean {
  return load === undefined || loadOnly !== undefined;
}

/** The loads of the servers that answer, at one moment. Percent. */
export interface FleetLoads {
  readonly least: number;
  readonly mean: number;
  readonly most: number;
  /** Mean of the booked load points. */
  readonly booked: number;
}

/** `undefined`: no server answers. */
export function fleetLoads(servers: Iterable<ServerFacts>, booked: (id: ServerId) => number): FleetLoads | undefined {
  let [least, most, sum, sumBooked, count] = [Infinity, -Infinity, 0, 0, 0];
  for (const { load, failures, endpoint } of servers) {
    if (load === undefined || failures > 0) continue;
    least = Math.min(least, load);
    most = Math.max(most, load);
    sum += load;
    sumBooked += booked(endpoint.id);
    count += 1;
  }
  if (count === 0) return undefined;
  // The sum of two of the largest numbers is infinite, and JSON has no infinity.
  return { least, mean: Math.min(sum, Number.MAX_VALUE) / count, most, booked: sumBooked / count };
}

/** Mean load in percent of the servers that answer, or `undefined` when none does. */
export function meanLoad(servers: Iterable<ServerFacts>): number | undefined {
  return fleetLoads(servers, () => 0)?.mean;
}

function fold(facts: ServerFacts, event: FleetEvent, at: number, rules: FleetRules): ServerFacts {
  switch (event.kind) {
    case 'sampled':
      return sampled(facts, event, at, rules);
    case 'failed':
      return { ...facts, failures: facts.failures + 1, failedSince: facts.failedSince ?? at, lastFailure: event.failure };
    case 'drained':
      return { ...facts, drain: event.drain };
    case 'resumed': {
      const { drain: _, ...rest } = facts;
      return rest;
    }
  }
}

function sampled(
  facts: ServerFacts,
  { load, latency, loadOnly }: Extract<FleetEvent, { kind: 'sampled' }>,
  at: number,
  rules: FleetRules,
): ServerFacts {
  const { endpoint, since, lastFailure, drain } = facts;
  const leavesRoom = load < Math.min(rules.target, rules.loadThreshold);
  const lastWithoutRoom = leavesRoom ? facts.lastWithoutRoom : at;
  const wasOpenLately = lastWithoutRoom === undefined || at - lastWithoutRoom >= rules.recent;
  const saturated = load >= rules.loadThreshold || (facts.saturated && !(leavesRoom && wasOpenLately));
  // Written out, because this runs at every probe and V8 is slow to add members to a spread object.
  return {
    endpoint,
    since,
    load,
    latency,
    sampledAt: at,
    failures: 0,
    saturated,
    ...(lastFailure !== undefined && { lastFailure }),
    ...(drain !== undefined && { drain }),
    ...(loadOnly !== undefined && { loadOnly }),
    ...(lastWithoutRoom !== undefined && { lastWithoutRoom }),
  };
}
