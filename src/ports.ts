/** What the engine needs from outside. Types only; each is implemented by one adapter per file, found by name in the `index.ts` of its folder. */
import type { LookupFunction } from 'node:net';
import type { Endpoint, ServerId } from './core/endpoint.ts';
import type { Failure } from './core/fleet.ts';
import type { Candidates } from './core/candidates.ts';
import type { BookingOutcome, BookingRequest } from './core/ledger.ts';
import type { Notification } from './core/incidents.ts';

export interface Clock {
  /** Seconds; monotonic: it never jumps when somebody sets the machine's clock. Its zero means nothing. */
  now(): number;
  /** Seconds since the epoch, for people and for files. It may jump. */
  wallTime(): number;
  /** Resolves after `seconds`, or at once, without an error, when the signal is aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** An identity nobody can guess. */
export type NewId = () => string;

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * For what strangers can cause: at most a few lines a minute with the same `key`, and a hundred with the same first word of it, then one line that says how
   * many were left out.
   */
  limited(level: 'debug' | 'info' | 'warn', key: string, message: string, fields?: LogFields): void;
}

/** Keeps connections to a server that came by itself away from addresses it may not have. */
export interface AddressGuard {
  /** Why this IP address may not be connected to, as a sentence, or `undefined` when it may. */
  readonly refuse: (ip: string) => string | undefined;
  /** For each connection by name: it refuses by itself. */
  readonly lookup: LookupFunction;
}

/** Finds out where hosts are, without that one name keeps the others waiting. */
export interface NameLookup {
  readonly lookup: LookupFunction;
  /** Somebody waits to hear where this host is. */
  readonly isPending: (hostname: string) => boolean;
}

/** One request for one server's load. An answer that does not count is a value; it never throws. */
export interface Probe {
  probe(endpoint: Endpoint): Promise<ProbeResult>;
  /** The server left the fleet: ends a probe of it, and drops its connection. */
  forget(id: ServerId): void;
  /** Ends all probes under way and drops all connections. */
  close(): Promise<void>;
}

export type ProbeResult =
  | { readonly kind: 'sample'; readonly load: number /* percent */; readonly latency: number /* seconds */ }
  | { readonly kind: 'failed'; readonly failure: Failure };

/**
 * Bookings of all servers. `book` chooses and books in one step, so that a store shared by several replicas can implement it without a gap in which
 * two requests get the same last place.
 */
export interface Bookings {
  book(request: BookingRequest, candidates: Candidates): Promise<BookingOutcome>;
  /** Would `book` find a place now, as far as this replica knows? `project` is the key of a project. */
  fits(candidates: Candidates, project?: string): boolean;
  /** Whether `book` would answer `unconfirmed` to a client from this address. */
  isUnconfirmed(address: string | undefined): boolean;
  /** The client of the booking opened its session. */
  connected(bookingId: string): Promise<void>;
  /** The session ended, or the client never got its place: its predicted load is free at once. */
  release(bookingId: string): Promise<void>;
}

/** Sends one notification. Throws an `Error` with a stable `code`; retry, damping and order are the engine's business. */
export interface Notifier {
  readonly name: string;
  /** Whom it tells, for the operator to read; nothing secret. Absent: the name says so. */
  readonly recipient?: string;
  notify(notification: Notification, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A failure of the outside world. `permanent` failures are not retried. */
export interface OutsideFailure extends Error {
  readonly code: string;
  readonly permanent?: boolean;
}

/** Where endpoints come from. */
export interface Discovery {
  readonly name: string;
  list(): Promise<readonly Endpoint[]>;
}

/** Small named documents that survive a restart. What cannot be read is set aside and reported as absent, never a crash. */
export interface StateStore {
  /** The stored value, or `undefined` when there is none that can be read. */
  read(name: string): Promise<unknown>;
  /** Atomic: after a crash the old or the new value is there, never half of one. Throws an `OutsideFailure`. */
  write(name: string, value: unknown): Promise<void>;
  /** What was read is no use to this program, such as a value of another version: it is kept under another name, and the log says why. Never throws. */
  setAside(name: string, reason: string): Promise<void>;
}

/** The history behind the monitor's charts: large and binary, so it is read and written piece by piece. */
export interface HistoryFile {
  /**
   * Hands over the stored bytes in pieces until `take` returns `false`. Returns `false` when nothing is stored. Throws an `OutsideFailure` when it cannot
   * be read.
   */
  read(take: (piece: Uint8Array) => boolean): Promise<boolean>;
  /** Atomic: after a crash the old or the new bytes are there. Throws an `OutsideFailure`. */
  write(pieces: Iterable<Uint8Array>): Promise<void>;
  /** What is stored cannot be used: keeps it under another name, for people to look at. Returns that name. */
  setAside(): Promise<string>;
}
