/**
 * The chance that a hand-out becomes a session, learned for each network address.
 *
 * What a session costs and whether a hand-out becomes one are two things, and the load shows only their product. An
 * uptime check that asks every five seconds and never connects must not teach that sessions are cheap, or the next class
 * is let in all at once (docs/design/allocation.md, "Requests that never become sessions"). So silence lowers only the
 * chance of the silent address, once that has asked several times. Addresses that ask once or twice are judged together,
 * by what they want to run.
 *
 * All times are seconds of the engine's clock.
 */
import type { Booking, Source, Tally } from './booking.ts';

/** What survives a restart: of each address that is judged by itself, and of each project that others wanted to run. */
export interface SavedArrivals {
  /** Address, hand-outs that arrived and that did not, logarithm of the odds; the last to get something comes last. */
  readonly addresses: readonly (readonly [string, number, number, number])[];
  /** Key, hand-outs that arrived and that did not; the key of those without a project is empty. */
  readonly projects: readonly (readonly [string, number, number])[];
}

/** How hand-outs fared lately, each fading with a half-life of six hours. */
export interface ArrivalRate {
  readonly judged: number;
  readonly arrived: number;
}

/** The chance of a hand-out of which nothing is known. What a session costs is stated per such hand-out. */
export const ORDINARY = 0.95;
const HALF_LIFE = 6 * 3600;
/** Hand-outs to one address from which on it is judged by itself. */
export const GROUP = 3;
/** Hand-outs of one address that count as evidence. */
const MAX_EVIDENCE = 60;
const MAX_ODDS = 6;
/** How much the silence of addresses that asked but once or twice counts against those that ask next: they are others. */
const SILENCE = 0.3;
/** Before anything is known of an address: the share of its hand-outs that arrive, if any do, and the odds that they do. */
const GROUP_BEFORE = { arrived: 1.96, all: 2, odds: Math.log(ORDINARY / (0.98 - ORDINARY)) } as const;
const SINGLE_BEFORE = { arrived: 9.5, all: 10 } as const;
const CHANCE = { min: 0.02, max: 0.99 } as const;
/** Seconds over which the habit of an address is measured, and how long it must be known before it has one. */
const HABIT = 1800;
const ACQUAINTED = 300;
/** Seconds a hand-out is recent. */
const RECENT = 60;
/** Of a shorter time too, so that a class is noticed when its first third has come. */
const JUST_NOW = 20;
const MAX_ADDRESSES = 10_000;
const MAX_PROJECTS = 10_000;
/** Of each kind, in a snapshot. */
const MAX_SAVED = 2000;

export class Arrivals {
  /** The address that was given something last comes last. */
  readonly #sources = new Map<string, Source>();
  /** Of addresses that ask once or twice, by what they want to run. The last that was learned of comes last. */
  readonly #projects = new Map<string | undefined, Tally>();
  /**
   * All addresses that asked but once or twice: how sure it is that any of their hand-outs become sessions. It never falls below what is usual, so that a
   * class of newcomers that is seen counts at once, however many checks came before it.
   */
  readonly singles = newSource('', 0);
  #all: Tally = { arrived: 0, absent: 0, at: 0 };

  /** The address gets a hand-out at `now`. Returns what it is judged by. */
  sourceOf(address: string, now: number): Source {
    const source = this.#sources.get(address) ?? newSource(address, now);
    this.#sources.delete(address);
    this.#sources.set(address, source);
    dropOldest(this.#sources, MAX_ADDRESSES);
    this.#lookForSurplus(source, now);
    return source.surplus ?? source;
  }

  /** The booking was made for the source, which `sourceOf` gave. */
  handedOut(booking: Booking): void {
    const { source, at } = booking;
    if (source === undefined) return;
    source.handedOut += 1;
    source.recent.push(booking);
    forgetOld(source, at);
    source.rate = rateAt(source, at) + 1 / HABIT;
    source.ratedAt = at;
  }

  /** The chance that this hand-out became, or becomes, a session. */
  chance(source: Source | undefined, project: string | undefined): number {
    if (source === undefined) return ORDINARY;
    return isGroup(source) ? groupChance(source) : this.singleChance(project);
  }

  singleChance(project: string | undefined): number {
    const { arrived, absent } = this.#projects.get(project) ?? NOTHING;
    return (arrived + SINGLE_BEFORE.arrived) / (arrived + absent + SINGLE_BEFORE.all);
  }

  /** `share` of a hand-out was seen, and it arrived with the chance `arrived`. */
  judge({ source, project }: Booking, arrived: number, share: number, now: number): void {
    if (source === undefined) return;
    count(this.#all, arrived, share, now, Infinity);
    count(source, arrived, share, now);
    if (isGroup(source)) return;
    const tally = this.#projects.get(project) ?? { arrived: 0, absent: 0, at: now };
    this.#projects.delete(project);
    this.#projects.set(project, tally);
    dropOldest(this.#projects, MAX_PROJECTS);
    count(tally, arrived, share, now);
  }

  /** Evidence that the hand-outs of the source become sessions at all, or against it, as a logarithm. */
  believe(source: Source, evidence: number, now: number): void {
    fade(source, now);
    const isSingles = source === this.singles;
    const step = isSingles && evidence < 0 ? SILENCE * evidence : evidence;
    source.odds = clamp(source.odds + step, isSingles ? 0 : -MAX_ODDS, MAX_ODDS);
  }

  /** Hand-outs to the address within the last minute of which no session is known to have begun. */
  unconfirmed(address: string, now: number): number {
    const source = this.#sources.get(address);
    if (source === undefined) return 0;
    const open = ({ at, connected }: Booking) => at > now - RECENT && connected === undefined;
    return source.recent.filter(open).length + (source.surplus?.recent.filter(open).length ?? 0);
  }

  rate(now: number): ArrivalRate {
    fade(this.#all, now);
    const { arrived, absent } = this.#all;
    return { judged: arrived + absent, arrived };
  }

  save(now: number): SavedArrivals {
    const addresses: [string, number, number, number][] = [];
    for (const source of [...this.#sources.values()].filter(isGroup).slice(-MAX_SAVED)) {
      fade(source, now);
      addresses.push([source.address, rounded(source.arrived), rounded(source.absent), rounded(source.odds)]);
    }
    const projects: [string, number, number][] = [];
    for (const [key = '', tally] of [...this.#projects].slice(-MAX_SAVED)) {
      fade(tally, now);
      projects.push([key, rounded(tally.arrived), rounded(tally.absent)]);
    }
    return { addresses, projects };
  }

  /** Takes over what was saved at `savedAt`; what was learned since stays. */
  restore({ addresses, projects }: SavedArrivals, savedAt: number): void {
    for (const [address, arrived, absent, odds] of addresses.slice(-MAX_SAVED)) {
      if (this.#sources.has(address)) continue;
      const source = { ...newSource(address, savedAt), odds: clamp(odds, -MAX_ODDS, MAX_ODDS), handedOut: GROUP };
      count(source, arrived / (arrived + absent || 1), arrived + absent, savedAt);
      this.#sources.set(address, source);
    }
    for (const [key, arrived, absent] of projects.slice(-MAX_SAVED)) {
      const project = key === '' ? undefined : key;
      if (this.#projects.has(project)) continue;
      const tally = { arrived: 0, absent: 0, at: savedAt };
      count(tally, arrived / (arrived + absent || 1), arrived + absent, savedAt);
      this.#projects.set(project, tally);
    }
  }

  forget(): void {
    this.#sources.clear();
    this.#projects.clear();
    this.#all = { arrived: 0, absent: 0, at: this.#all.at };
  }

  forgetProject(project: string): void {
    this.#projects.delete(project);
  }

  #lookForSurplus(source: Source, now: number): void {
    forgetOld(source, now);
    const { surplus } = source;
    if (surplus !== undefined) forgetOld(surplus, now);
    fade(source, now);
    const known = now - source.since;
    if (surplus === undefined && (source.odds >= 0 || known < ACQUAINTED)) return;
    const usual = RECENT * habit(source, now);
    const excess = source.recent.length + (surplus?.recent.length ?? 0) - usual;
    if (surplus !== undefined) {
      if (excess < unusual(usual) / 2) source.surplus = undefined;
      return;
    }
    const usualNow = JUST_NOW * habit(source, now);
    const excessNow = source.recent.filter(({ at }) => at > now - JUST_NOW).length - usualNow;
    if (excess <= unusual(usual) && excessNow <= unusual(usualNow)) return;
    const moved = source.recent.splice(-Math.ceil(Math.max(excess, excessNow)));
    const fresh = newSource(source.address, now);
    for (const booking of moved) booking.source = fresh;
    fresh.recent.push(...moved);
    fresh.handedOut = moved.length;
    source.surplus = fresh;
  }
}

/** What is booked for a hand-out of this chance, compared to an ordinary one. To nine decimals: whether a session fits is decided by less. */
export function expectedPart(chance: number): number {
  return Math.round((1e9 * chance) / ORDINARY) / 1e9;
}

/** Whether it is judged by itself. */
export function isGroup({ handedOut }: Source): boolean {
  return handedOut >= GROUP;
}

/** Given that hand-outs of the group become sessions at all: the share that does. */
export function shareOf({ arrived, absent }: Tally): number {
  return (arrived + GROUP_BEFORE.arrived) / (arrived + absent + GROUP_BEFORE.all);
}

/** The chance that hand-outs of the group become sessions at all. */
export function beliefIn({ odds }: Source): number {
  return 1 / (1 + Math.exp(-(odds + GROUP_BEFORE.odds)));
}

function groupChance(source: Source): number {
  return clamp(beliefIn(source) * shareOf(source), CHANCE.min, CHANCE.max);
}

function newSource(address: string, now: number): Source {
  return {
    ...{ address, arrived: 0, absent: 0, at: now, odds: 0, handedOut: 0, since: now, rate: 0, ratedAt: now },
    ...{ recent: [], surplus: undefined },
  };
}

function count(tally: Tally | Source, arrived: number, share: number, now: number, most = MAX_EVIDENCE): void {
  fade(tally, now);
  tally.arrived += share * arrived;
  tally.absent += share * (1 - arrived);
  const all = tally.arrived + tally.absent;
  if (all <= most) return;
  tally.arrived *= most / all;
  tally.absent *= most / all;
}

function fade(tally: Tally | Source, now: number): void {
  if (now <= tally.at) return;
  const left = 0.5 ** ((now - tally.at) / HALF_LIFE);
  tally.arrived *= left;
  tally.absent *= left;
  if ('odds' in tally) tally.odds *= left;
  tally.at = now;
}

function forgetOld({ recent }: Source, now: number): void {
  let old = 0;
  while ((recent[old]?.at ?? Infinity) <= now - RECENT) old += 1;
  if (old > 0) recent.splice(0, old);
}

/** Hand-outs per second; of an address that is known for less than `HABIT` a mean over that time. */
function habit(source: Source, now: number): number {
  return rateAt(source, now) / -Math.expm1(-Math.max(1, now - source.since) / HABIT);
}

function rateAt({ rate, ratedAt }: Source, now: number): number {
  return rate * Math.exp(-(now - ratedAt) / HABIT);
}

function unusual(usual: number): number {
  return 2 * Math.sqrt(usual) + 1;
}

function dropOldest<K>(map: Map<K, unknown>, most: number): void {
  if (map.size <= most) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/** Fewer digits are faster written, and nothing is known as precisely. */
function rounded(value: number): number {
  return Math.round(1e3 * value) / 1e3;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

const NOTHING: Readonly<Tally> = { arrived: 0, absent: 0, at: 0 };
