/**
 * Simulation servers that were given work and still look idle: every session on them dies at once, or their gauge is stuck. To a rule that sends people
 * to the least loaded server they are the best of the fleet, and learning makes it worse, because they look infinitely strong
 * (docs/design/allocation.md, "Weak cases and mitigations").
 *
 * The evidence is the load of sessions that should show by now, counted from the last time the server did show load: a class that left, or a
 * machine that was started again, is idle too, and that is not a fault. A suspected server stays so until it shows load; the sessions that it
 * gets now and then, and when no other server has room, give it the chance.
 */
import type { Account } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';
import type { Booking } from './booking.ts';
import type { Costs } from './cost.ts';

/** Seconds after which the load of a session should show. */
const SHOULD_SHOW = 45;
/** Percent a server may show without a session on it. */
const IDLE = 4;
/** A server is idle below this share of the load it should show... */
const IDLE_SHARE = 0.05;
/** ... and its sessions count as seen above this one: it may be three times as strong as the rest of the fleet. */
const SEEN_SHARE = 1 / 3;

/**
 * Load points that should be visible and were not seen yet. What sessions cost on this server is left out on purpose: one that swallows sessions has
 * taught us that they cost nothing there.
 */
export function pointsToShow(account: Account, costs: Costs): number {
  const { bookings, sessionsSeenAt } = account;
  let points = 0;
  for (let i = bookings.length - 1; i >= 0; i--) {
    const booking = bookings[i];
    if (booking === undefined || booking.at <= sessionsSeenAt) break;
    if (shouldShow(booking, account))
      points += (booking.connected === undefined ? booking.weight : 1) * costs.ofProject(booking.project);
  }
  return points;
}

function shouldShow({ at, returned, connected, left }: Booking, { seen = -Infinity, countsSessions }: Account): boolean {
  if (countsSessions && connected === undefined) return false;
  if (returned) return true;
  return left === undefined ? at <= seen - SHOULD_SHOW : left - (connected ?? at) >= SHOULD_SHOW;
}

/** Called after each report: whether the server is suspected from now on. */
export function isSuspect(account: Account, costs: Costs, { suspectAfter }: AllocationParameters): boolean {
  const { seen, mean } = account;
  if (seen === undefined) return account.suspectSince !== undefined;
  const points = pointsToShow(account, costs);
  const expected = Math.max(points, suspectAfter);
  if (mean >= IDLE + SEEN_SHARE * expected) account.sessionsSeenAt = seen - SHOULD_SHOW;
  if (mean >= IDLE + IDLE_SHARE * expected) return false;
  return account.suspectSince !== undefined || points >= suspectAfter;
}

/** Whether sessions came to be seen since `before`, a former `sessionsSeenAt`; the others are ignored, because nothing depends on them. */
export function sawSessions({ bookings, sessionsSeenAt }: Account, before: number): boolean {
  if (sessionsSeenAt === before) return false;
  for (let i = bookings.length - 1; i >= 0; i--) {
    const at = bookings[i]?.at ?? -Infinity;
    if (at <= before) return false;
    if (at <= sessionsSeenAt) return true;
  }
  return false;
}

/** While more than a third of the servers are suspected, the expectation is wrong and not the servers. */
export function isActedOn(suspects: number, servers: number): boolean {
  return suspects > 0 && suspects <= servers / 3;
}
