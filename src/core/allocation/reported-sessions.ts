/**
 * Which hand-outs became sessions and which of these have ended, where a server reports only numbers.
 *
 * The server knows how many sessions began and how many there are, but not by which hand-out a client came. So a session
 * that began is that of the hand-out most likely to become one, and of equals that of the oldest. Never are more
 * hand-outs held for sessions than the server has: the oldest ends first. An error thus lasts until the next report.
 */
import type { SessionReport } from '../fleet/session-report.ts';
import { isRunning } from './account.ts';
import type { Booking } from './booking.ts';

export interface SessionChanges {
  /** Hand-outs whose sessions began. */
  readonly began: readonly Booking[];
  /** Hand-outs whose sessions ended. */
  readonly ended: readonly Booking[];
  /** Hand-outs whose simulations started. */
  readonly started: readonly Booking[];
}

/** Seconds between a hand-out and the report with its session, for a server that reported before. */
const MAX_AGE = 70;

/** `before`: the previous report; absent: the sessions of the first one began at any time since `oldest`. */
export function sessionChanges(
  bookings: readonly Booking[],
  { before, report, now, oldest }: { before: SessionReport | undefined; report: SessionReport; now: number; oldest: number },
): SessionChanges {
  const isKnown = before !== undefined && report.begun >= before.begun;
  const newSessions = isKnown ? report.begun - before.begun : report.sessions;
  const from = isKnown ? now - MAX_AGE : oldest;
  const running = bookings.filter(isRunning);
  const open = bookings.filter(
    ({ at, connected, left, returned }) => connected === undefined && left === undefined && !returned && at >= from,
  );
  // Of a server that reports for the first time the youngest are the likeliest to be there still.
  const likely = isKnown ? open : open.toReversed();
  const began = likely.toSorted((a, b) => b.weight - a.weight).slice(0, Math.max(0, newSessions));
  const here = [...running, ...began];
  const ended = here.slice(0, Math.max(0, here.length - report.sessions));
  const staying = here.slice(ended.length);
  const started = staying.slice(0, Math.max(0, staying.length - report.starting)).filter(({ streams }) => streams === undefined);
  return { began, ended, started };
}
