/**
 * What survives a restart of the ledger: learned costs, suspicions, and the bookings that still matter, so that a restart in the middle of a class does
 * not send all clients to one server again. Plain JSON; times are ages in seconds, because the engine's clock starts at zero again.
 *
 * It may come from another version, another program, or a broken disk: nothing read here throws, and what makes no sense is left out.
 */
import type { Account } from './account.ts';
import type { SavedArrivals } from './arrivals.ts';
import type { Booking } from './booking.ts';
import { VARIANCE, type Costs } from './cost.ts';

const FORMAT = 'session-server/ledger';
const VERSION = 1;
/** The youngest ones. A fleet that hands out more within half an hour loses only those that its reports show long since. */
const MAX_BOOKINGS = 10_000;
const MAX_ENTRIES = 100_000;
/** Characters of an id or a key. */
const MAX_TEXT_LENGTH = 600;
/** Seconds; what is older is of no use. */
const OLDEST = 1e9;

export interface SavedServer {
  readonly id: string;
  readonly weight: number;
  readonly log: number;
  readonly variance: number;
  /** Ages, in seconds, of the last allocation, of the youngest session that was seen in the load, and of the suspicion. */
  readonly used?: number | undefined;
  readonly seen?: number | undefined;
  readonly suspect?: number | undefined;
}

export interface SavedBooking {
  readonly id: string;
  readonly server: string;
  /** Seconds. */
  readonly age: number;
  readonly request?: string | undefined;
  readonly project?: string | undefined;
  readonly returned?: true | undefined;
}

export interface LedgerSnapshot {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Seconds since the epoch. */
  readonly savedAt: number;
  /** How many there were in all: ids of bookings are never given twice. */
  readonly allocations: number;
  /** `cost`: load points that were configured to begin with. */
  readonly fleet: { readonly cost: number; readonly log: number; readonly variance: number };
  readonly servers: readonly SavedServer[];
  /** Key, logarithm, variance; the least recently learned first. */
  readonly projects: readonly (readonly [string, number, number])[];
  /** The oldest first. */
  readonly bookings: readonly SavedBooking[];
  /** Who came and who did not; absent from snapshots of the first version of this program. */
  readonly arrivals?: SavedArrivals;
}

export type SnapshotRead =
  | { readonly kind: 'snapshot'; readonly snapshot: LedgerSnapshot; /** Entries left out. */ readonly ignored: number }
  /** Not ours, of another version, or damaged. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** `bookings`: the oldest first. */
export function takeSnapshot(
  accounts: Iterable<Account>,
  bookings: readonly Booking[],
  costs: Costs,
  arrivals: SavedArrivals,
  allocations: number,
  now: number,
  wallTime: number,
): LedgerSnapshot {
  const servers: SavedServer[] = [];
  for (const account of accounts) {
    const learned = account.server.variance < VARIANCE.server.before;
    if (learned || account.suspectSince !== undefined || account.bookings.length > 0) servers.push(savedServer(account, now));
  }
  const { fleet, before } = costs;
  return {
    format: FORMAT,
    version: VERSION,
    savedAt: wallTime,
    allocations,
    fleet: { cost: before, log: fleet.log, variance: fleet.variance },
    servers,
    projects: Array.from(costs.projects(), ([key, { log, variance }]) => [key, rounded(log), rounded(variance)] as const),
    bookings: bookings.slice(-MAX_BOOKINGS).map((booking) => savedBooking(booking, now)),
    arrivals,
  };
}

export function readSnapshot(value: unknown): SnapshotRead {
  if (!isObject(value)) return foreign('it is not an object');
  if (value['format'] !== FORMAT) return foreign('it was not written by a session server');
  if (value['version'] !== VERSION) return foreign(`it is of another version (${String(value['version']).slice(0, 20)})`);
  const { savedAt, allocations, fleet, servers, projects, bookings } = value;
  if (!isIn(savedAt, 0, 1e12) || !isIn(allocations, 0, Number.MAX_SAFE_INTEGER))
    return foreign('its times or counts are damaged');
  if (!isObject(fleet) || !isIn(fleet['cost'], 1e-3, 1e3) || !isLearned(fleet['log'], fleet['variance']))
    return foreign('the cost of the fleet is damaged');
  if (!Array.isArray(servers) || !Array.isArray(projects) || !Array.isArray(bookings)) return foreign('a list is missing');

  const kept = {
    servers: keep(servers, readServer),
    projects: keep(projects, readProject),
    bookings: keep(bookings, readBooking),
  };
  const arrivals = readArrivals(value['arrivals']);
  const snapshot: LedgerSnapshot = {
    format: FORMAT,
    version: VERSION,
    savedAt,
    allocations: Math.floor(allocations),
    fleet: { cost: fleet['cost'], log: Number(fleet['log']), variance: Number(fleet['variance']) },
    ...kept,
    ...(arrivals !== undefined && { arrivals }),
  };
  const ignored =
    servers.length + projects.length + bookings.length - kept.servers.length - kept.projects.length - kept.bookings.length;
  return { kind: 'snapshot', snapshot, ignored };
}

function savedServer({ id, server, weight, suspectSince, usedAt, sessionsSeenAt }: Account, now: number): SavedServer {
  return {
    id,
    weight,
    log: rounded(server.log),
    variance: rounded(server.variance),
    used: ageOf(usedAt, now),
    seen: ageOf(sessionsSeenAt, now),
    suspect: suspectSince === undefined ? undefined : ageOf(suspectSince, now),
  };
}

function savedBooking({ id, server, at, request, project, returned }: Booking, now: number): SavedBooking {
  return {
    id,
    server,
    age: ageOf(at, now) ?? OLDEST,
    request: request.length > 0 && request.length <= MAX_TEXT_LENGTH ? request : undefined,
    project,
    returned: returned || undefined,
  };
}

function ageOf(at: number, now: number): number | undefined {
  const age = Math.max(0, rounded(now - at));
  return age <= OLDEST ? age : undefined;
}

/** Fewer digits are faster written, and nothing is known as precisely. */
function rounded(value: number): number {
  return Math.round(1e6 * value) / 1e6;
}

function readServer(value: unknown): SavedServer | undefined {
  if (!isObject(value)) return undefined;
  const { id, weight, log, variance, used, seen, suspect } = value;
  if (!isText(id) || !isIn(weight, 1e-3, 1e3) || !isLearned(log, variance)) return undefined;
  return {
    id,
    weight,
    log: Number(log),
    variance: Number(variance),
    ...(isAge(used) && { used }),
    ...(isAge(seen) && { seen }),
    ...(isAge(suspect) && { suspect }),
  };
}

function readProject(value: unknown): readonly [string, number, number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [key, log, variance] = value as readonly unknown[];
  return isText(key) && isLearned(log, variance) ? [key, Number(log), Number(variance)] : undefined;
}

function readBooking(value: unknown): SavedBooking | undefined {
  if (!isObject(value)) return undefined;
  const { id, server, age, request, project, returned } = value;
  if (!isText(id) || !isText(server) || !isAge(age)) return undefined;
  return {
    id,
    server,
    age,
    ...(isText(request) && { request }),
    ...(isText(project) && { project }),
    ...(returned === true && { returned }),
  };
}

/** Nothing else depends on it, so that a damaged one counts as none. */
function readArrivals(value: unknown): SavedArrivals | undefined {
  if (!isObject(value)) return undefined;
  const { addresses, projects } = value;
  if (!Array.isArray(addresses) || !Array.isArray(projects)) return undefined;
  return { addresses: keep(addresses, readAddress), projects: keep(projects, readTally) };
}

function readAddress(value: unknown): SavedArrivals['addresses'][number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [address, arrived, absent, odds] = value as readonly unknown[];
  return isShortText(address) && isCount(arrived) && isCount(absent) && isIn(odds, -100, 100)
    ? [address, arrived, absent, odds]
    : undefined;
}

function readTally(value: unknown): SavedArrivals['projects'][number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [key, arrived, absent] = value as readonly unknown[];
  return isShortText(key) && isCount(arrived) && isCount(absent) ? [key, arrived, absent] : undefined;
}

function keep<T>(values: readonly unknown[], read: (value: unknown) => T | undefined): readonly T[] {
  return values
    .slice(0, MAX_ENTRIES)
    .map(read)
    .filter((value) => value !== undefined);
}

function foreign(reason: string): SnapshotRead {
  return { kind: 'foreign', reason };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT_LENGTH;
}

/** It may be empty: the key of what has none. */
function isShortText(value: unknown): value is string {
  return value === '' || isText(value);
}

function isCount(value: unknown): value is number {
  return isIn(value, 0, 1e6);
}

function isIn(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function isAge(value: unknown): value is number {
  return isIn(value, 0, OLDEST);
}

function isLearned(log: unknown, variance: unknown): boolean {
  return isIn(log, -100, 100) && isIn(variance, 0, 100);
}
