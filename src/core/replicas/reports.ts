/**
 * What replicas write about the simulation servers that they poll. Several reports are one entry, with ages instead of times, because every replica has a clock
 * of its own. What is read comes from the store, which others can write to.
 */
import type { Failure } from '../fleet/fleet.ts';
import type { ProbeResult } from '../fleet/probe-result.ts';
import type { SessionReport } from '../fleet/session-report.ts';

export interface ProbeReport {
  /** Id of the simulation server. */
  readonly server: string;
  /** Seconds from the end of the probe until the entry was written. */
  readonly age: number;
  readonly result: ProbeResult;
}

export interface ReportBatch {
  /** Id of the replica. */
  readonly by: string;
  /** Counts the entries of a replica. An entry that is written again has its number again. */
  readonly number: number;
  readonly reports: readonly ProbeReport[];
}

/** Reports of one entry. */
export const MAX_REPORTS = 200;
/** Seconds: an older report is useless. */
export const MAX_AGE = 30;
/** Characters of an entry, of an id, and of a sentence about a server. */
const MAX_LENGTH = 256 * 1024;
const MAX_ID_LENGTH = 520;
const MAX_REASON_LENGTH = 200;
/** Percent and counts; what is larger is an error of the sender. */
const MAX_LOAD = Number.MAX_VALUE;
const MAX_COUNT = 1_000_000;
/** Seconds. */
const MAX_LATENCY = 120;

/** At most `MAX_REPORTS` of them. */
export function batchText({ by, number, reports }: ReportBatch): string {
  return JSON.stringify([by, number, ...reports.map(written)]);
}

/** Reads what `batchText` wrote, without reports that make no sense. `undefined`: no replica wrote it. Never throws. */
export function readBatch(text: string): ReportBatch | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const value = parsed(text);
  if (!Array.isArray(value) || value.length > 2 + MAX_REPORTS) return undefined;
  const [by, number, ...entries] = value as readonly unknown[];
  if (!isText(by, MAX_ID_LENGTH) || !isNumber(number, Number.MAX_SAFE_INTEGER) || !Number.isInteger(number)) return undefined;
  return { by, number, reports: entries.flatMap((entry) => readReport(entry) ?? []) };
}

/** Milliseconds; a failure has a text where a sample has its load. */
function written({ server, age, result }: ProbeReport): readonly unknown[] {
  const milliseconds = Math.round(age * 1000);
  if (result.kind === 'failed') {
    const { code, reason } = result.failure;
    return [server, milliseconds, code, sentence(reason)];
  }
  const { load, latency, sessions, loadOnly } = result;
  const counted = sessions && [sessions.sessions, sessions.starting, sessions.begun, sessions.points];
  const sample = [server, milliseconds, load, Math.round(latency * 1e6) / 1000];
  if (loadOnly !== undefined) return [...sample, counted ?? null, sentence(loadOnly)];
  return counted === undefined ? sample : [...sample, counted];
}

/** A part of it may come from the simulation server. */
function sentence(text: string): string {
  return text.slice(0, MAX_REASON_LENGTH).replace(/\p{Cc}/gu, ' ');
}

function readReport(value: unknown): ProbeReport | undefined {
  if (!Array.isArray(value) || value.length < 4 || value.length > 6) return undefined;
  const [server, age, what, more, sessions, loadOnly] = value as readonly unknown[];
  if (!isText(server, MAX_ID_LENGTH) || !isNumber(age, 1000 * MAX_AGE)) return undefined;
  const result = typeof what === 'string' ? readFailure(what, more) : readSample(what, more, sessions ?? undefined, loadOnly);
  return result && { server, age: age / 1000, result };
}

function readFailure(code: string, reason: unknown): ProbeResult | undefined {
  const failure: Failure | undefined =
    /^[a-z][a-z-]{0,39}$/.test(code) && isText(reason, MAX_REASON_LENGTH) ? { code, reason } : undefined;
  return failure && { kind: 'failed', failure };
}

function readSample(load: unknown, latency: unknown, counted: unknown, loadOnly: unknown): ProbeResult | undefined {
  if (!isNumber(load, MAX_LOAD) || !isNumber(latency, 1000 * MAX_LATENCY)) return undefined;
  const sessions = counted === undefined ? undefined : readSessions(counted);
  if ((counted !== undefined && sessions === undefined) || (loadOnly !== undefined && !isText(loadOnly, MAX_REASON_LENGTH)))
    return undefined;
  return {
    ...{ kind: 'sample', load, latency: latency / 1000 },
    ...(sessions !== undefined && { sessions }),
    ...(loadOnly !== undefined && { loadOnly }),
  };
}

function readSessions(value: unknown): SessionReport | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined;
  const [sessions, starting, begun, points] = value as readonly unknown[];
  if (!isCount(sessions) || !isCount(starting) || !isCount(begun) || !isNumber(points, MAX_COUNT)) return undefined;
  return starting > sessions ? undefined : { sessions, starting, begun, points };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNumber(value: unknown, max: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= max;
}

function isCount(value: unknown): value is number {
  return isNumber(value, MAX_COUNT) && Number.isInteger(value);
}

/** Without control characters, so that it can be shown and logged. */
function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max && !/\p{Cc}/u.test(value);
}
