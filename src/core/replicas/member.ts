/** What a replica says about itself with every heartbeat. What is read comes from the store, which others can write to. */
import { NO_STAMP, type Stamp } from './shared-state.ts';

export interface Member {
  /** Another one for each run of the program. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Of the program. */
  readonly version: string;
  /** The newest format of what is shared that it reads and writes. */
  readonly format: number;
  /** URL at which the other replicas reach it. Absent: they do not. */
  readonly address?: string;
  /** The last commit that its mirror shows. */
  readonly stamp: Stamp;
  /** Digests of the settings that count for decisions, by section. */
  readonly settings: Digests;
  /** Seconds that the store took to answer it last. */
  readonly latency?: number;
  /** Seconds by which the clock of its machine is ahead of that of the store. */
  readonly clock?: number;
  /** Simulation servers that it polls. Absent: its version does not share polls. */
  readonly polls?: number;
}

export type Digests = Readonly<Record<string, string>>;

/** A member, and the seconds since its last heartbeat. */
export interface SeenMember extends Member {
  readonly age: number;
}

/** Characters of a member's text. */
const MAX_LENGTH = 2000;
const MAX_NAME_LENGTH = 200;
const MAX_SECTIONS = 30;

/** `undefined`: no replica wrote it. Never throws. */
export function readMember(text: string): Member | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, name, version, format, address, stamp, settings, latency, clock, polls } = value as Readonly<
    Record<string, unknown>
  >;
  if (!isName(id) || !isName(name) || !isName(version) || !isDigests(settings) || !isCount(format)) return undefined;
  if (address !== undefined && !isHttpUrl(address)) return undefined;
  return {
    ...{ id, name, version, format, settings, stamp: readStamp(stamp) },
    ...(address !== undefined && { address }),
    ...(isSeconds(latency) && { latency }),
    ...(isSeconds(clock) && { clock }),
    ...(isCount(polls) && { polls }),
  };
}

/** The sections in which two replicas differ. */
export function differingSections(a: Digests, b: Digests): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((section) => a[section] !== b[section]).sort();
}

function readStamp(value: unknown): Stamp {
  if (typeof value !== 'object' || value === null) return NO_STAMP;
  const { term, number } = value as Readonly<Record<string, unknown>>;
  return isCount(term) && isCount(number) ? { term, number } : NO_STAMP;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Without control characters, so that it can be shown and logged. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH && /^[\x20-\x7e]+$/.test(value);
}

function isHttpUrl(value: unknown): value is string {
  return isName(value) && /^https?:\/\/[^\s/?#@]+$/.test(value);
}

function isDigests(value: unknown): value is Digests {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  return entries.length <= MAX_SECTIONS && entries.every(([section, digest]) => isName(section) && isName(digest));
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < 1e12;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
