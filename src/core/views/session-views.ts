/**
 * The waiting line and the sessions that run, as the page and the API list them. Neither has an address or an identifier of a
 * client: see docs/explanation/data-protection.md.
 *
 * Times are seconds since the epoch. Text from outside is not escaped here.
 */
import type { ServerId } from '../fleet/endpoint.ts';

/** One request in the waiting line. */
export interface WaitingClientView {
  /** Id of the request, as in decisions and in the log. */
  readonly id: string;
  /** In its line, 1 is next. */
  readonly position: number;
  /** It waits for a reserved seat, in the line of its class, which comes before all others. */
  readonly ofClass: boolean;
  readonly since: number;
  readonly project: string | null;
  /** Its client is connected. Without a connection, a place is kept for `waiting.resume` seconds. */
  readonly connected: boolean;
  /** Why it has no server yet, in a sentence. */
  readonly reason: string;
}

export interface WaitingListView {
  readonly at: number;
  /** Requests in line; the list may have fewer. */
  readonly total: number;
  readonly clients: readonly WaitingClientView[];
}

/**
 * How the sessions of a server are known. `counted`: its clients come through the gateway. `reported`: the simulation server
 * reports their number. `estimated`: from its load.
 */
export type SessionBasis = 'counted' | 'reported' | 'estimated';

/** The sessions of one server in a number. */
export interface SessionCountView {
  readonly basis: SessionBasis;
  /** Sessions that run or are about to begin. */
  readonly count: number;
}

/** `handed-out`: its client has not come yet, or that is not known. */
export type SessionState = 'running' | 'handed-out';

export interface SessionView {
  readonly id: string;
  readonly serverId: ServerId;
  readonly server: string;
  readonly state: SessionState;
  /** When it began; of a session that was handed out, when that was. */
  readonly since: number;
  /** The project as it was asked for, or without scheme and branch; `null`: not known. */
  readonly project: string | null;
  readonly basis: SessionBasis;
  /** Its connection comes through the gateway, so an operator can close it. */
  readonly closable: boolean;
}

export interface SessionListView {
  readonly at: number;
  /** Sessions that are known one by one; the list may have fewer. */
  readonly total: number;
  readonly sessions: readonly SessionView[];
}
