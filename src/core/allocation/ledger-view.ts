/** A server's account as people see it: why it would, or would not, get a session, and what the monitor shows. */
import type { Account } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';
import { VARIANCE, type CostView } from './cost.ts';
import type { ServerId } from '../fleet/endpoint.ts';

/** What one session more would bring a server to. */
export interface Prediction {
  /** Percent, as last reported. */
  readonly load: number;
  /** Percent: the highest report of the last `recent` seconds. */
  readonly peak: number;
  /** Load points of sessions handed out that the reports do not show yet. */
  readonly booked: number;
  /** Load points added because a probe failed. */
  readonly doubt: number;
  /** Load points of the new session. */
  readonly cost: number;
  /** Percent: peak, booked load, doubt and the new session, each session as dear as it may turn out. There is room while it stays below `target`. */
  readonly predicted: number;
  /** Percent: the same with the last report. Of several servers with room the session goes to the one where this is least. */
  readonly level: number;
  /** Percent. */
  readonly target: number;
}

/** `fits` and `suspect` have room; the others have not. */
export type Verdict =
  | { readonly kind: 'unknown-server' }
  | { readonly kind: 'never-heard' }
  /** Its load is at or above the threshold, or too many probes failed in a row. */
  | {
      readonly kind: 'closed';
      readonly cause: 'load' | 'missed';
      readonly load: number;
      readonly threshold: number;
      readonly missed: number;
    }
  | ({ readonly kind: 'no-room' } & Prediction)
  | {
      readonly kind: 'max-sessions';
      readonly sessions: number;
      readonly maxSessions: number;
      /** Seconds until one of them no longer counts. */
      readonly freeIn: number;
    }
  /** It looks idle although it was given work: it gets a session when no other server has room, or once in a while to prove itself. */
  | ({ readonly kind: 'suspect'; /** Seconds ago. */ readonly suspectFor: number } & Prediction)
  | ({ readonly kind: 'fits' } & Prediction);

export interface AccountView {
  readonly id: ServerId;
  /** Rough power compared to the other servers, by the operator, and as learned. */
  readonly weight: number;
  readonly power: number;
  readonly maxSessions?: number;
  /** Percent, and when it was measured; absent: never. */
  readonly load?: number;
  readonly measuredAt?: number;
  /** Percent: the highest report of the last `recent` seconds. */
  readonly peak?: number;
  /** Percent: reported load, booked load and doubt. */
  readonly predicted?: number;
  /** Load points of the bookings that the reports do not show yet, and how many these are. */
  readonly booked: number;
  readonly bookings: number;
  /** Sessions handed out within `sessionLength` and not released. */
  readonly sessions: number;
  /** Failed probes since the last report. */
  readonly missed: number;
  /** Load points of a session of no particular project here. */
  readonly cost: CostView;
  /** There was a lesson on this server: until then the cost is what was configured, or what sessions cost elsewhere. */
  readonly learned: boolean;
  /** Absent also while so many servers look suspect that the expectation must be wrong. */
  readonly suspectSince?: number;
}

/** A server that was given work and still looks idle. */
export interface Suspect {
  readonly id: ServerId;
  readonly since: number;
  /** Load points that should show and do not. */
  readonly expected: number;
  /** Percent: mean of the recent reports. */
  readonly load: number;
}

/** `cost`: load points of the session in question, and `margin` the share by which it may turn out higher; `avoided`: suspected, and not due for a session to prove itself. */
export function verdict(
  account: Account,
  { cost, margin }: { readonly cost: number; readonly margin: number },
  avoided: boolean,
  now: number,
  parameters: AllocationParameters,
): Verdict {
  const { threshold, target, sessionLength } = parameters;
  const { load, missed, peak, booked, maxSessions, suspectSince, seen } = account;
  if (seen === undefined) return { kind: 'never-heard' };
  if (!account.isOpen(parameters))
    return { kind: 'closed', cause: load >= threshold ? 'load' : 'missed', load, threshold, missed };

  const predicted = account.ceiling(parameters) + cost * (1 + margin);
  const level = account.level(parameters) + cost;
  const prediction: Prediction = { load, peak, booked, doubt: account.doubt(parameters), cost, predicted, level, target };
  if (predicted >= target) return { kind: 'no-room', ...prediction };
  const freeAt = account.freeAt(now, parameters);
  if (maxSessions !== undefined && now < freeAt)
    return { kind: 'max-sessions', sessions: account.sessions(now, sessionLength), maxSessions, freeIn: freeAt - now };
  if (avoided) return { kind: 'suspect', suspectFor: now - (suspectSince ?? now), ...prediction };
  return { kind: 'fits', ...prediction };
}

/** `suspicious`: suspicions are acted on. */
export function view(
  account: Account,
  cost: CostView,
  suspicious: boolean,
  now: number,
  parameters: AllocationParameters,
): AccountView {
  const { id, weight, maxSessions, load, seen, missed, booked, server, suspectSince } = account;
  return {
    id,
    weight,
    power: 1 / server.factor,
    ...(maxSessions !== undefined && { maxSessions }),
    ...(seen !== undefined && {
      load,
      measuredAt: seen,
      peak: Math.max(load, account.peak),
      predicted: account.level(parameters),
    }),
    booked,
    bookings: account.hiddenBookings(now, parameters),
    sessions: account.sessions(now, parameters.sessionLength),
    missed,
    cost,
    learned: server.variance < VARIANCE.server.before,
    ...(suspicious && suspectSince !== undefined && { suspectSince }),
  };
}
