/**
 * How long sessions last, from those whose beginning and end are known: behind the gateway one by one, and of simulation servers that report their sessions
 * in sum. Sessions that still run count with the time they have run so far, or only short ones would be seen at first.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { SessionReport } from '../fleet/session-report.ts';
import { USUAL_SPREAD, type SessionLength } from './session-length.ts';

/** Lengths of ended sessions, in sums. */
export interface LengthTally {
  readonly ended: number;
  /** Seconds of all ended sessions together. */
  readonly seconds: number;
  /** Sessions of which each length is known, and the sums of their natural logarithms and of the squares of these. */
  readonly known: number;
  readonly logs: number;
  readonly squares: number;
}

export interface SavedLengths extends LengthTally {
  /** By key of the project. */
  readonly projects: readonly (readonly [string, LengthTally])[];
}

/** Sessions of the configured length with which the mean begins. */
const PRIOR = 20;
/** Sessions after which the older half is forgotten. */
const MAX_ENDED = 2000;
/** Seconds after which the original's simulation server ends a session by itself. */
const MAX_LENGTH = 7200;
/** Seconds. How soon a session ended that ended at once, because of a mistake or a reload, says nothing about others. */
const MIN_LENGTH = 30;
/** Sessions that run, at most; those beyond are not observed. */
const MAX_RUNNING = 50_000;
/** Projects of which lengths are kept; those that ended a session longest ago are forgotten. */
export const MAX_PROJECTS = 1000;
/** Ended sessions from which on a project is judged by its own lengths. */
const ENOUGH_OF_PROJECT = 30;
const MIN_SPREAD = 0.3;
const MAX_SPREAD = 1.5;
/** Seconds between two reports of a server beyond which it is not known what happened between them. */
const MAX_GAP = 120;

const NOTHING: LengthTally = { ended: 0, seconds: 0, known: 0, logs: 0, squares: 0 };

interface Running {
  readonly start: number;
  /** Key of the project. */
  readonly project: string | undefined;
}

interface Reported {
  readonly at: number;
  readonly report: SessionReport;
}

export class ObservedLengths {
  /** By booking. */
  readonly #running = new Map<string, Running>();
  #sumOfStarts = 0;
  #fleet = NOTHING;
  /** The project that ended a session longest ago first. */
  readonly #projects = new Map<string, LengthTally>();
  readonly #reports = new Map<ServerId, Reported>();

  began(bookingId: string, now: number, project?: string): void {
    if (this.#running.has(bookingId) || this.#running.size >= MAX_RUNNING) return;
    this.#running.set(bookingId, { start: now, project });
    this.#sumOfStarts += now;
  }

  /** Nothing, if its beginning is not known. */
  ended(bookingId: string, now: number): void {
    const session = this.#running.get(bookingId);
    if (session === undefined) return;
    const { start, project } = session;
    this.#running.delete(bookingId);
    this.#sumOfStarts = this.#running.size === 0 ? 0 : this.#sumOfStarts - start;
    const one = tallyOf(Math.min(MAX_LENGTH, now - start));
    this.#fleet = sum(this.#fleet, one);
    if (project === undefined) return;
    const before = this.#projects.get(project) ?? NOTHING;
    this.#projects.delete(project);
    this.#projects.set(project, sum(before, one));
    const [oldest] = this.#projects.keys();
    if (oldest !== undefined && this.#projects.size > MAX_PROJECTS) this.#projects.delete(oldest);
  }

  /** What a simulation server reports of its sessions: how many there are at a time, and how many ended since the last report. */
  reported(server: ServerId, report: SessionReport, at: number): void {
    const before = this.#reports.get(server);
    this.#reports.set(server, { at, report });
    if (before === undefined || report.begun < before.report.begun || at - before.at > MAX_GAP) return;
    const ended = Math.max(0, report.begun - before.report.begun - report.sessions + before.report.sessions);
    const seconds = Math.max(0, at - before.at) * before.report.sessions;
    this.#fleet = sum(this.#fleet, { ...NOTHING, ended, seconds });
  }

  /** The server left the fleet. */
  forget(server: ServerId): void {
    this.#reports.delete(server);
  }

  /** Of all sessions. `configured`: seconds that are believed before any session was seen. */
  ofFleet(configured: number, now: number): SessionLength {
    const running = this.#running.size * now - this.#sumOfStarts;
    return lengthOf({ ...this.#fleet, seconds: this.#fleet.seconds + running }, configured);
  }

  /** Of the project, if enough of its sessions ended, else of all. */
  ofProject(project: string | undefined, configured: number, now: number): SessionLength {
    const known = project === undefined ? undefined : this.#projects.get(project);
    return known === undefined || known.ended < ENOUGH_OF_PROJECT ? this.ofFleet(configured, now) : lengthOf(known, configured);
  }

  /** Sessions that ended; older ones count half. */
  get count(): number {
    return this.#fleet.ended;
  }

  save(): SavedLengths {
    return { ...this.#fleet, projects: [...this.#projects] };
  }

  restore({ projects, ...fleet }: SavedLengths): void {
    this.#fleet = fleet;
    for (const [project, tally] of projects.slice(-MAX_PROJECTS)) this.#projects.set(project, tally);
  }
}

function tallyOf(seconds: number): LengthTally {
  const log = Math.log(Math.max(MIN_LENGTH, seconds));
  return { ended: 1, seconds, known: 1, logs: log, squares: log ** 2 };
}

function sum(one: LengthTally, other: LengthTally): LengthTally {
  const by = one.ended + other.ended < MAX_ENDED ? 1 : 0.5;
  return {
    ended: by * (one.ended + other.ended),
    seconds: by * (one.seconds + other.seconds),
    known: by * (one.known + other.known),
    logs: by * (one.logs + other.logs),
    squares: by * (one.squares + other.squares),
  };
}

function lengthOf({ ended, seconds, known, logs, squares }: LengthTally, configured: number): SessionLength {
  const mean = ended === 0 && seconds === 0 ? configured : (seconds + PRIOR * configured) / (ended + PRIOR);
  const deviations = known === 0 ? 0 : Math.max(0, squares - logs ** 2 / known);
  const spread = Math.sqrt((deviations + PRIOR * USUAL_SPREAD ** 2) / (known + PRIOR));
  return { mean, spread: Math.min(MAX_SPREAD, Math.max(MIN_SPREAD, spread)) };
}
