/**
 * What sessions really cost where they are counted, compared with the cost that is learned.
 *
 * The learned cost is high in steady traffic, because departures hide part of each arrival. Where it is known which sessions run, their load divided by
 * their learned costs says by how much. This factor is for answers to people, never for admission: there, the cost that is too high is a margin that keeps
 * servers from being overloaded (docs/explanation/reserved-seats.md).
 */
import type { ServerId } from '../fleet/endpoint.ts';

/** What was seen of one server, or of all. Newer reports count more. */
export interface CostTally {
  /** Load points of its sessions, times seconds. */
  readonly points: number;
  /** The same by learned costs. */
  readonly learned: number;
  /** Seconds with sessions. */
  readonly seconds: number;
}

export interface SavedCosts {
  readonly fleet: CostTally;
  readonly servers: readonly (readonly [ServerId, CostTally])[];
}

/** Seconds in which the weight of a report halves. */
const HALF_LIFE = 7200;
/** Seconds of reports with sessions from which on the factor is known. */
const ENOUGH = 3600;
/** Seconds that one report stands for at most. */
const MAX_GAP = 60;
const MIN_FACTOR = 0.3;
const MAX_FACTOR = 3;

const NOTHING: CostTally = { points: 0, learned: 0, seconds: 0 };

export class CountedCosts {
  readonly #servers = new Map<ServerId, CostTally>();
  readonly #seenAt = new Map<ServerId, number>();
  #fleet = NOTHING;
  #fleetAt = -Infinity;

  /** `points`: load points of all sessions of the server by its report at `now`; `learned`: by learned costs. */
  observe(server: ServerId, { points, learned }: { readonly points: number; readonly learned: number }, now: number): void {
    const since = now - (this.#seenAt.get(server) ?? now);
    this.#seenAt.set(server, now);
    if (learned <= 0 || since <= 0) return;
    const seconds = Math.min(MAX_GAP, since);
    const more = { points: Math.max(0, points) * seconds, learned: learned * seconds, seconds };
    this.#servers.set(server, later(this.#servers.get(server) ?? NOTHING, more, since));
    this.#fleet = later(this.#fleet, more, Math.min(since, now - this.#fleetAt));
    this.#fleetAt = now;
  }

  /** The server left the fleet. */
  forget(server: ServerId): void {
    this.#servers.delete(server);
    this.#seenAt.delete(server);
  }

  /** By how much the real cost of a session on the server differs from the learned one; `undefined`: not known. */
  factor(server?: ServerId): number | undefined {
    const own = server === undefined ? undefined : this.#servers.get(server);
    const { points, learned, seconds } = own !== undefined && own.seconds >= ENOUGH ? own : this.#fleet;
    if (seconds < ENOUGH) return undefined;
    return Math.min(MAX_FACTOR, Math.max(MIN_FACTOR, points / learned));
  }

  save(): SavedCosts {
    return { fleet: this.#fleet, servers: [...this.#servers] };
  }

  restore({ fleet, servers }: SavedCosts): void {
    this.#fleet = fleet;
    for (const [server, tally] of servers) this.#servers.set(server, tally);
  }
}

function later(before: CostTally, more: CostTally, since: number): CostTally {
  const kept = 2 ** (-since / HALF_LIFE);
  return {
    points: kept * before.points + more.points,
    learned: kept * before.learned + more.learned,
    seconds: kept * before.seconds + more.seconds,
  };
}
