/** What the engine needs from outside. Types only; each adapter that implements one has a file of its own. */
import type { LookupFunction } from 'node:net';
import type { Endpoint, ServerId } from './core/fleet/endpoint.ts';
import type { ProbeResult } from './core/fleet/probe-result.ts';
import type { Notification } from './core/incidents/incidents.ts';
import type { CalendarContext, CalendarReading } from './core/reservations/calendar-event.ts';
import type { Change, JournalEntry, SharedState, Stamp } from './core/replicas/shared-state.ts';

export type { ProbeResult } from './core/fleet/probe-result.ts';

export interface Clock {
  /** Seconds; monotonic: it never jumps when the machine's clock is set. Its zero has no meaning. */
  now(): number;
  /** Seconds since the epoch, for people and for files. It may jump. */
  wallTime(): number;
  /** Resolves after `seconds`, or at once, without an error, when the signal is aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** An identity that cannot be guessed. */
export type NewId = () => string;

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * For messages that outside clients can trigger: a few lines per minute with the same `key`, and a hundred with the same first word of it; then one line that
   * says how many were suppressed.
   */
  limited(level: 'debug' | 'info' | 'warn', key: string, message: string, fields?: LogFields): void;
}

/** Restricts the addresses of a server that registered itself. */
export interface AddressGuard {
  /** Why this IP address may not be connected to, as a sentence, or `undefined` when it may. */
  readonly refuse: (ip: string) => string | undefined;
  /** Resolves names for connections and refuses forbidden addresses. */
  readonly lookup: LookupFunction;
}

/** Resolves host names, so that one slow name does not delay the others. */
export interface NameLookup {
  readonly lookup: LookupFunction;
  /** The name of this host is being resolved. */
  readonly isPending: (hostname: string) => boolean;
}

/** Proxies for outgoing HTTP requests. Tunnels (CONNECT) are used for both schemes. */
export interface OutgoingProxies {
  /** URL of the proxy for `http`. */
  readonly http?: string | undefined;
  /** URL of the proxy for `https`; absent: that for `http`. */
  readonly https?: string | undefined;
  /** Hosts and domains that are reached directly, in the form of the variable `NO_PROXY`. */
  readonly except: string;
}

/** One request for the load of one server, and for its WebSocket while that was not seen to open. A bad answer is a value; it never throws. */
export interface Probe {
  probe(endpoint: Endpoint): Promise<ProbeResult>;
  /** The server left the fleet: ends a running probe of it, and closes its connection. */
  forget(id: ServerId): void;
  /** Resolves names again, and closes connections to addresses that a name no longer has. Never throws. */
  recheckNames(): Promise<void>;
  /** Ends all running probes and closes all connections. */
  close(): Promise<void>;
}

/** Sends one notification. Throws an `Error` with a stable `code`. Retries, flap damping and order belong to the engine. */
export interface Notifier {
  readonly name: string;
  /** The recipient, shown to operators; not a secret. Absent: the name says it. */
  readonly recipient?: string;
  notify(notification: Notification, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** A failure of the outside world. `permanent` failures are not retried. */
export interface OutsideFailure extends Error {
  readonly code: string;
  readonly permanent?: boolean;
}

/** Small named documents that survive a restart. A document that cannot be read is set aside and reported as absent. */
export interface StateStore {
  /** The stored value; `undefined`: there is none that can be read. */
  read(name: string): Promise<unknown>;
  /** Atomic: after a crash, either the old or the new value is there. Throws an `OutsideFailure`. */
  write(name: string, value: unknown): Promise<void>;
  /** What was read cannot be used, such as a value of another version: it is renamed, and the log says why. Never throws. */
  setAside(name: string, reason: string): Promise<void>;
}

/** The history behind the monitor's charts: large and binary, so it is read and written in pieces. */
export interface HistoryFile {
  /**
   * Hands over the stored bytes in pieces until `take` returns `false`. Returns `false` when nothing is stored. Throws an `OutsideFailure` when it cannot
   * be read.
   */
  read(take: (piece: Uint8Array) => boolean): Promise<boolean>;
  /** Atomic: after a crash, either the old or the new bytes are there. Throws an `OutsideFailure`. */
  write(pieces: Iterable<Uint8Array>): Promise<void>;
  /** What is stored cannot be used: renames it for later inspection. Returns the new name. */
  setAside(): Promise<string>;
}

/** What a replica says once a second. */
export interface Heartbeat {
  readonly id: string;
  /** A member as text, for the others. */
  readonly member: string;
  /** It leads, or wants to lead. */
  readonly wants: boolean;
  /** Seconds for which the lease is granted. */
  readonly lease: number;
  /** The highest term that it knows. */
  readonly term: number;
}

export interface Beaten {
  /** `elected`: it leads from now on. `leads`: it still does. */
  readonly role: 'elected' | 'leads' | 'follows';
  /** Seconds since the epoch, by the clock of the store. */
  readonly time: number;
  /** The present term. */
  readonly term: number;
  /** The term before it was elected. */
  readonly before: number;
  /** The replica that leads. Absent: the lease is free. */
  readonly leader?: string;
  /** Seconds until its lease ends. */
  readonly leaseLeft: number;
  /** The last commit of the store. */
  readonly stamp: Stamp;
  /** The texts of all members, with the seconds since their last heartbeats. */
  readonly members: readonly { readonly text: string; readonly age: number }[];
}

export interface Commit extends Stamp {
  /** The replica that leads. */
  readonly leader: string;
  readonly changes: readonly Change[];
  /** The changes replace everything that was there. */
  readonly replaces: boolean;
}

/**
 * - `done`: it is in the store, now or since an earlier attempt.
 * - `fenced`: another replica was elected since.
 * - `behind`: the store does not have the commit before it, because it forgot.
 */
export type CommitResult = 'done' | 'fenced' | 'behind';

/** What the shared store says about itself. */
export interface StoreFacts {
  /** Name and version of the program. */
  readonly version: string;
  /** `false`: it is a copy of another one. */
  readonly takesWrites: boolean;
  /** `noeviction`, or by which rule it drops keys when its memory is full. */
  readonly evictionPolicy: string;
  /** Bytes. */
  readonly memory: number;
  /** Bytes; 0: no limit. */
  readonly maxMemory: number;
  /** Every write goes to its disk as well. */
  readonly appends: boolean;
  /** Copies that follow it. */
  readonly copies: number;
}

export interface ReportsRead {
  readonly entries: readonly { readonly text: string; /** Seconds since it was appended. */ readonly age: number }[];
  /** For the next call. */
  readonly cursor: string;
  /** There are more than were read at once. */
  readonly hasMore: boolean;
}

/**
 * What replicas of the session server share. Every call ends by itself within a second or two, and throws an `OutsideFailure` when the store did not answer:
 * then nothing is known about what it did. Every call may be repeated.
 */
export interface SharedStore {
  beat(heartbeat: Heartbeat): Promise<Beaten>;
  /** All of it or nothing. */
  commit(commit: Commit): Promise<CommitResult>;
  list(): Promise<SharedState>;
  /** The commits after this one that are still known, in order. What cannot be read ends the list. */
  journal(after: Stamp): Promise<readonly JournalEntry[]>;
  /** The texts of these keys; what is not there is left out. */
  read(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  facts(): Promise<StoreFacts>;
  /** Appends what probes of simulation servers found. Only the last entries are kept. */
  report(text: string): Promise<void>;
  /** The reports after those that `cursor` stands for, in order; without it, all that are kept. */
  reports(cursor?: string): Promise<ReportsRead>;
  /** It stops being a member, and gives back the lease. */
  leave(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Reads calendars that other programs exported. */
export interface CalendarReader {
  /** Never throws. */
  read(text: string, context: CalendarContext): Promise<CalendarReading>;
}
