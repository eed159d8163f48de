/**
 * Learning windows: what did the load of a server do after sessions were sent there?
 *
 * A window opens with an allocation, or where sessions are counted with a session, and takes the last report before it
 * as the baseline. Windows laid end to end would under-estimate the cost by a quarter to a half: the least loaded server
 * is the one a client has just left, so that departures and arrivals fall into the same window
 * (docs/design/allocation.md, "Findings about estimation"). For the same reason nothing is learned from windows that
 * began on a busy server.
 */
import { hidden, LATE, REPORT_LAG, SHOWN, type Account, type LearningWindow } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';
import { beliefIn, isGroup, ORDINARY, shareOf, type Arrivals } from './arrivals.ts';
import type { Booking, Source } from './booking.ts';
import { limited, type Costs } from './cost.ts';
import type { SessionReport } from '../fleet/session-report.ts';
import { explain, type Expected, type Party, type Seen } from './lesson.ts';

/**
 * Seconds. A window closes once most of its sessions should be visible, but not before and not after these. Closing at the first glimpse would
 * mistake the spike of a start for what the session costs.
 */
const MIN_WINDOW = 45;
const MAX_WINDOW = 90;
const VISIBLE_SHARE = 0.75;
/**
 * Load points of sessions sent there. Of more than these a window closes early when little of it is to be seen: there is room that was not known, and people
 * wait for it.
 */
const TELLING = 60;
/** Percent. A window that begins above it teaches nothing: there, a client is admitted exactly when another leaves. */
const BUSY = 70;
/** Square points: what a server does besides its sessions. */
const UNREST = 7;
/** One standard deviation of a report, as a share of the load. */
const REPORT_NOISE = 0.04;
/** Of several addresses that asked only once or twice, the minimum chance that none came: a check from ever-changing addresses is silent. */
const MIN_NONE = 0.1;
const MIN_ADDRESSES = 3;
const MAX_SHARE = 0.99;

/** What a window showed. */
export interface Observation {
  readonly seen: Seen;
  readonly parties: readonly ObservedParty[];
  /** Arrivals are known, not estimated. */
  readonly counted: boolean;
}

export interface ObservedParty extends Party {
  /** `undefined`: addresses that asked but once or twice. */
  readonly source: Source | undefined;
  /** In the order of `handOuts`. */
  readonly bookings: readonly Booking[];
}

/** Called after each report: closes the window of the account when it is time, and returns what it showed, if that teaches anything. */
export function closeWindow(
  account: Account,
  costs: Costs,
  arrivals: Arrivals,
  parameters: AllocationParameters,
): Observation | undefined {
  const { window, seen } = account;
  if (window === undefined || seen === undefined) return undefined;
  const length = seen - window.start;
  if (length < MIN_WINDOW) return undefined;
  // What a simulation takes to start is not what it costs.
  if (length < MAX_WINDOW && (account.reported?.starting ?? 0) > 0) return undefined;
  const expected = expectedSince(account, window, seen, costs, parameters);
  const isTelling = !account.countsSessions && expected.booked > TELLING && account.mean - window.load < expected.visible;
  if (length < MAX_WINDOW && !isTelling && expected.visible < VISIBLE_SHARE * expected.booked) return undefined;
  account.window = undefined;
  if (account.reported !== undefined) return measured(account, seen, account.reported, costs);
  if (window.load >= BUSY || expected.handOuts.length === 0) return undefined;

  const counted = account.countsSessions;
  const goneOf = counted ? departed(account, window, costs) : NOBODY;
  const gone = counted ? [...goneOf.values()].reduce((sum, points) => sum + points, 0) : window.gone;
  const ordinary = limited(costs.fleet.factor * account.server.factor);
  const noise =
    UNREST +
    (REPORT_NOISE * window.load) ** 2 +
    (REPORT_NOISE * account.mean) ** 2 +
    (counted ? 0 : gone * ordinary + gone ** 2 / 2);
  const change = account.mean - window.load;
  const parties = counted ? [together(expected.handOuts)] : partiesOf(expected.handOuts, arrivals);
  return { seen: { change, gone, goneOf, noise }, parties, counted };
}

/** What all sessions of a server cost, as it measured it: neither its other work nor departures disturb that. */
function measured(account: Account, seen: number, { points, sessions }: SessionReport, costs: Costs): Observation | undefined {
  const running = account.bookings.filter(
    ({ streams, left }) => streams !== undefined && left === undefined && streams <= seen - SHOWN[0],
  );
  if (running.length === 0) return undefined;
  const handOuts = running.map((booking): HandOut => {
    const cost = limited(costs.ofProject(booking.project) * account.server.factor) / ORDINARY;
    return { booking, cost, shown: 1, hidden: 0 };
  });
  // No more than the load: a server cannot make its sessions look more expensive. Sessions of other clients are taken to cost as much.
  const change = (Math.min(points, account.load) * running.length) / Math.max(running.length, sessions);
  return { seen: { change, gone: 0, goneOf: NOBODY, noise: UNREST }, parties: [together(handOuts)], counted: true };
}

/** Takes over what a window showed. */
export function learn(
  { seen, parties, counted }: Observation,
  account: Account,
  costs: Costs,
  arrivals: Arrivals,
  now: number,
): void {
  const lesson = explain(parties, seen, (rise) => costs.varianceOf(rise, account.server));
  costs.learn(lesson.costs, account.server);
  if (counted) return;
  for (const [i, { source, bookings, handOuts }] of parties.entries()) {
    const { evidence = 0, arrived = [] } = lesson.parties[i] ?? {};
    arrivals.believe(source ?? arrivals.singles, evidence, now);
    for (const [j, booking] of bookings.entries()) arrivals.judge(booking, arrived[j] ?? 0, handOuts[j]?.shown ?? 0, now);
  }
}

interface HandOut {
  readonly booking: Booking;
  readonly cost: number;
  /** The part of its load that should have appeared within the window, and the part that is still to come. */
  readonly shown: number;
  readonly hidden: number;
}

interface ExpectedSince {
  readonly handOuts: readonly HandOut[];
  /** Load points of the sessions sent there since the window began, and how much of them should show. */
  readonly booked: number;
  readonly visible: number;
}

function expectedSince(
  { bookings, server, countsSessions }: Account,
  { start }: LearningWindow,
  now: number,
  costs: Costs,
  { learnSettle }: AllocationParameters,
): ExpectedSince {
  const oldest = start - learnSettle[1] - (countsSessions ? LATE : 0);
  const handOuts: HandOut[] = [];
  let booked = 0,
    visible = 0;
  for (let i = bookings.length - 1; i >= 0; i--) {
    const booking = bookings[i];
    if (booking === undefined || booking.at <= oldest) break;
    if (countsSessions && booking.connected === undefined) continue;
    const since = booking.connected ?? booking.at;
    const before = hidden(start - since, learnSettle);
    const after = hidden(now - since, learnSettle);
    const cost = limited(costs.ofProject(booking.project) * server.factor) / ORDINARY;
    if (before > after) handOuts.push({ booking, cost, shown: before - after, hidden: after });
    if (since < start) continue;
    booked += cost * booking.weight;
    visible += (1 - after) * cost * booking.weight;
  }
  return { handOuts, booked, visible };
}

/** Load points of the counted sessions that left since the window began, as far as the recent reports and not the baseline show it. */
function departed(account: Account, { start }: LearningWindow, costs: Costs): Map<string | undefined, number> {
  const gone = new Map<string | undefined, number>();
  for (const { project, left, connected } of account.bookings) {
    if (left === undefined || connected === undefined || left + REPORT_LAG <= start) continue;
    const shown = 1 - hidden(left - connected, SHOWN);
    const points =
      (shown * account.recentShareSince(left + REPORT_LAG) * limited(costs.ofProject(project) * account.server.factor)) /
      ORDINARY;
    if (points > 0) gone.set(project, (gone.get(project) ?? 0) + points);
  }
  return gone;
}

function together(handOuts: readonly HandOut[]): ObservedParty {
  return {
    ...{ source: undefined, belief: 1, teaches: () => true, bookings: handOuts.map(({ booking }) => booking) },
    handOuts: handOuts.map((handOut) => expected(handOut, 1, 1)),
  };
}

/** Each group by itself, and all others together. */
function partiesOf(handOuts: readonly HandOut[], arrivals: Arrivals): ObservedParty[] {
  const bySource = new Map<Source | undefined, HandOut[]>();
  for (const handOut of handOuts) {
    const { source } = handOut.booking;
    const key = source !== undefined && isGroup(source) ? source : undefined;
    const others = bySource.get(key);
    if (others === undefined) bySource.set(key, [handOut]);
    else others.push(handOut);
  }
  return Array.from(bySource, ([source, of]) => (source === undefined ? singles(of, arrivals) : group(source, of, arrivals)));
}

function group(source: Source, of: readonly HandOut[], arrivals: Arrivals): ObservedParty {
  const share = shareOf(source);
  return {
    source,
    belief: beliefIn(source),
    teaches: (evidence) => source.odds + evidence > 0,
    bookings: of.map(({ booking }) => booking),
    handOuts: of.map((handOut) => expected(handOut, share, arrivals.chance(source, handOut.booking.project))),
  };
}

function singles(of: readonly HandOut[], arrivals: Arrivals): ObservedParty {
  const chances = of.map(({ booking }) => arrivals.singleChance(booking.project));
  const noneByChance = chances.reduce((none, chance) => none * (1 - chance), 1);
  const none = of.length >= MIN_ADDRESSES ? Math.max(MIN_NONE, noneByChance) : noneByChance;
  return {
    source: undefined,
    belief: 1 - none,
    teaches: (evidence, came) => came > 0.5 && evidence + arrivals.singles.odds > 0,
    bookings: of.map(({ booking }) => booking),
    handOuts: of.map((handOut, i) => expected(handOut, Math.min(MAX_SHARE, (chances[i] ?? 0) / (1 - none)), chances[i] ?? 0)),
  };
}

function expected({ booking, cost, shown, hidden: rest }: HandOut, share: number, chance: number): Expected {
  return { project: booking.project, points: cost * shown, cost, shown, hidden: rest, share, chance };
}

const NOBODY: ReadonlyMap<string | undefined, number> = new Map();
