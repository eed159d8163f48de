/** A session request, what can become of it, and what its client hears meanwhile. Types only. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { SecondsRange } from '../core/views/monitor-view.ts';
import type { Labels } from '../core/fleet/routing.ts';

export interface SessionRequest {
  /** Who asks; `limitKey` is what limits count by, and `undefined` is not limited. */
  readonly address: { readonly address: string; readonly limitKey: string | undefined };
  /** What the client wants to run, as it said it. */
  readonly projectUrl?: string;
  /** The server must have these. */
  readonly labels?: Labels;
  /** The same when a client asks again. */
  readonly clientId?: string;
  /** Continues a ticket whose connection was lost. */
  readonly resumeToken?: string;
  /** It was counted against the limits of its address when it was made for the first time. */
  readonly counted?: true;
}

/** A session that its server could not begin. */
export interface FailedSession {
  /** Absent: nobody knows of a booking. */
  readonly bookingId?: string;
  /** Seconds of the clock when the client's waiting began. */
  readonly since: number;
  /** Every server that failed it. */
  readonly servers: readonly ServerId[];
}

export interface Allocated {
  readonly kind: 'allocated';
  readonly id: string;
  /** What the client connects to. */
  readonly url: string;
  readonly server: ServerId;
  readonly bookingId: string;
  /** Seconds since the epoch; until then the place is counted for a client that has not come yet. */
  readonly expiresAt: number;
}

export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  /** A sentence a student can act on. */
  readonly reason: string;
  /** Place in line of a client that waited as long as it was held. */
  readonly position?: number;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number;
}

export type Outcome = Allocated | Refused;

/** What a waiting client is told. */
export interface Waiting {
  /** 1 is next. */
  readonly position: number;
  /** Seconds left, `undefined` while there is nothing to tell it from. */
  readonly estimate: SecondsRange | undefined;
  readonly resumeToken: string;
}

export interface Waiter {
  changed(waiting: Waiting): void;
  settled(outcome: Outcome): void;
  /** Aborted when the client goes away. */
  readonly gone: AbortSignal;
  /** The place is kept for a while when the client goes away: it knows its resume token. */
  readonly keepPlace: boolean;
  /** So is the server that it got, until the client is known to have heard of it. */
  readonly keepOutcome?: true;
}
