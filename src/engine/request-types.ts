/** A session request, its possible outcomes, and what a waiting client is sent. Types only. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Project } from '../core/fleet/project.ts';
import type { SecondsRange } from '../core/views/monitor-view.ts';
import type { Labels } from '../core/fleet/routing.ts';

/** As the client sent it. */
export interface SessionRequest {
  /** Where the request comes from. `limitKey` is what limits count by; requests without one are not limited. */
  readonly address: { readonly address: string; readonly limitKey: string | undefined };
  /** What the client wants to run, as it sent it. */
  readonly projectUrl?: string;
  /** The server must have these. */
  readonly labels?: Labels;
  /** The code of a class, as the client sent it. */
  readonly code?: string;
  /** The client rather waits than gets a session that ends early, because a class comes. */
  readonly ends?: 'refuse';
  /** The same whenever the same client asks again. */
  readonly clientId?: string;
  /** Continues a ticket whose connection was lost. */
  readonly resumeToken?: string;
  /** It was already counted against the limits of its address. */
  readonly counted?: true;
  /** Absent: the queue makes up the token of its place. */
  readonly place?: ReplicaPlace;
}

/** The place of a client whose connection another process may have, which asks again by the same token when the leader is another one. */
export interface ReplicaPlace {
  /** Unguessable. */
  readonly token: string;
  /** The replica that has the connection of a client which does not know the token. */
  readonly replica?: string;
}

/** A request with an id and its project read. */
export interface ReceivedRequest {
  readonly id: string;
  readonly request: SessionRequest;
  /** `undefined`: none was sent, or it cannot be read. */
  readonly project: Project | undefined;
}

/** A session that its server could not start. */
export interface FailedSession {
  readonly bookingId: string;
  /** Seconds of the clock when the client's waiting began. */
  readonly since: number;
  /** Every server that failed to start it. */
  readonly servers: readonly ServerId[];
}

export interface Allocated {
  readonly kind: 'allocated';
  readonly id: string;
  /** What the client connects to. */
  readonly url: string;
  readonly server: ServerId;
  readonly bookingId: string;
  /** Seconds since the epoch. Until then the booking counts although the client has not connected. */
  readonly expiresAt: number;
  /** Seconds since the epoch: the session is ended then, because a class needs its seat. */
  readonly endsAt?: number;
}

export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  /** A sentence a student can act on. */
  readonly reason: string;
  /** The last position in line of a request that was held for its maximum time. */
  readonly position?: number;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter?: number;
}

export type Outcome = Allocated | Refused;

export interface NoRoom {
  readonly kind: 'no-room';
  /** There is room, but it is reserved for clients in line. */
  readonly othersWait?: true;
  /** There may be room, but not for this address: it has many places that are not known to be used. */
  readonly unconfirmed?: true;
}

/** What a waiting client is sent. */
export interface Waiting {
  /** 1 is next. */
  readonly position: number;
  /** In the line of a class, which comes before the public one. */
  readonly ofClass: boolean;
  /** Seconds left. `undefined`: not enough is known for an estimate. */
  readonly estimate: SecondsRange | undefined;
  readonly resumeToken: string;
  /** Where the line goes by turns: how many sessions the client would have at once. */
  readonly turn?: number;
}

/** The connection of a waiting client. */
export interface Waiter {
  changed(waiting: Waiting): void;
  settled(outcome: Outcome): void;
  /** Aborted when the client disconnects. */
  readonly gone: AbortSignal;
  /** The client knows its resume token, so its place is held for a while after it disconnects. */
  readonly keepPlace: boolean;
  /** The outcome is held as well, until the client has confirmed it. */
  readonly keepOutcome?: true;
}
