/** What is known of the sessions of a server, for people who want to see or end them. */
import { isRunning, type Account } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';

export interface KnownSession {
  readonly bookingId: string;
  /** Seconds of the engine's clock when it was handed out. */
  readonly at: number;
  /** Key of the project. */
  readonly project: string | undefined;
  readonly isRunning: boolean;
}

export interface KnownSessions {
  /** `counted`: the gateway sees each of them. `reported`: the server reports their number. `estimated`: from its load. */
  readonly basis: 'counted' | 'reported' | 'estimated';
  /** Sessions that run or are about to begin. */
  readonly count: number;
}

/** Of one server. `cost` is load points of an ordinary session there. */
export function countSessions(
  account: Account,
  cost: number,
  now: number,
  { sessionLength }: AllocationParameters,
): KnownSessions {
  if (account.isRelayed) return { basis: 'counted', count: account.sessions(now, sessionLength) };
  const { reported } = account;
  if (reported !== undefined)
    return { basis: 'reported', count: Math.max(reported.sessions, account.sessions(now, sessionLength)) };
  const load = Math.max(0, account.mean - account.base) + account.booked;
  return { basis: 'estimated', count: cost > 0 ? Math.round(load / cost) : 0 };
}

/** The oldest first. Where sessions are not counted, the hand-outs within the usual length of a session. */
export function listSessions(account: Account, now: number, { sessionLength }: AllocationParameters): readonly KnownSession[] {
  return account.bookings
    .filter((booking) => account.isOut(booking, now, sessionLength) && !booking.returned)
    .map((booking) => ({
      bookingId: booking.id,
      at: booking.at,
      project: booking.project,
      isRunning: isRunning(booking),
    }));
}
