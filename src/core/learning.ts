/**
 * Learning windows: what did the load of a server do after sessions were sent there?
 *
 * A window opens with an allocation and takes the last report before it as the baseline. Windows laid end to end would under-estimate the cost by a
 * quarter to a half: the least loaded server is the one somebody has just left, so that departures and arrivals fall into the same window
 * (ALLOCATION, "Two findings of our own"). For the same reason nothing is learned from windows that began on a busy server.
 */
import { hidden, type Account, type LearningWindow } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';
import { limited, type Costs, type Evidence } from './cost.ts';

/**
 * Seconds. A window closes once most of its sessions should be visible, but not before and not after these. Closing at the first glimpse would
 * mistake the spike of a start for what the session costs.
 */
const LEAST_LENGTH = 45;
const MOST_LENGTH = 90;
const MOST = 0.75;
/** Percent. A window that begins above it teaches nothing: there, somebody is let in exactly when somebody leaves. */
const BUSY = 70;
/** Square points: what a server does besides its sessions. */
const UNREST = 10;
/** One standard deviation of a report, as a share of the load. */
const REPORT_NOISE = 0.04;
/** One standard deviation of the cost of single sessions of one project, as a share. */
const SESSION_SPREAD = 0.3;

/** Called after each report: closes the window of the account when it is time, and returns what it showed, if that teaches anything. */
export function closeWindow(account: Account, costs: Costs, parameters: AllocationParameters): Evidence | undefined {
  const { window, seen } = account;
  if (window === undefined || seen === undefined) return undefined;
  const length = seen - window.start;
  if (length < LEAST_LENGTH) return undefined;
  const seenOf = appeared(account, window, seen, costs, parameters);
  if (length < MOST_LENGTH && seenOf.visible < MOST * seenOf.booked) return undefined;
  account.window = undefined;
  if (window.load >= BUSY) return undefined;

  const { points, square, uncertain, expected } = seenOf;
  const ordinary = limited(costs.fleet.factor * account.server.factor);
  const noise =
    UNREST +
    (REPORT_NOISE * window.load) ** 2 +
    (REPORT_NOISE * account.mean) ** 2 +
    SESSION_SPREAD ** 2 * square +
    window.gone * ordinary +
    uncertain ** 2 +
    window.gone ** 2 / 2;
  return { expected, surprise: account.mean - window.load - (points - window.gone), noise };
}

interface Appeared {
  /** Load points that should have appeared since the window began. */
  readonly points: number;
  /** The same, for each project. */
  readonly expected: Map<string | undefined, number>;
  /** Sum of their squares. */
  readonly square: number;
  /** Load points of which it is open whether they have appeared. */
  readonly uncertain: number;
  /** Load points of the sessions sent there since the window began, and how much of them should show. */
  readonly booked: number;
  readonly visible: number;
}

function appeared(
  { bookings, server }: Account,
  { start }: LearningWindow,
  now: number,
  costs: Costs,
  { learnSettle }: AllocationParameters,
): Appeared {
  const expected = new Map<string | undefined, number>();
  let points = 0,
    square = 0,
    uncertain = 0,
    booked = 0,
    visible = 0;
  for (let i = bookings.length - 1; i >= 0; i--) {
    const booking = bookings[i];
    const before = booking === undefined ? 0 : hidden(start - booking.at, learnSettle);
    if (booking === undefined || before === 0) break;
    const after = hidden(now - booking.at, learnSettle);
    const cost = limited(costs.ofProject(booking.project) * server.factor);
    const came = (before - after) * cost;
    points += came;
    expected.set(booking.project, (expected.get(booking.project) ?? 0) + came);
    square += came * cost;
    uncertain += after * (1 - after) * cost;
    if (booking.at < start) continue;
    booked += cost;
    visible += (1 - after) * cost;
  }
  return { points, expected, square, uncertain, booked, visible };
}
