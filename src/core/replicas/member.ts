/** What a replica says about itself with every heartbeat. What is read comes from the store, which others can write to. */
import { NO_STAMP, type Stamp } from './shared-state.ts';

export interface Member {
  /** Another one for each run of the program. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Of the program. */
  readonly version: string;
  /** Format of what is shared. */
  readonly format: number;
  /** URL at which the other replicas reach it. Absent: they do not. */
  readonly address?: string;
  /** The last commit that its mirror shows. */
  readonly stamp: Stamp;
  /** Digest of the settings that count for decisions. */
  readonly settings: string;
}

/** A member, and the seconds since its last heartbeat. */
export interface SeenMember extends Member {
  readonly age: number;
}

/** Format of what this version shares. Replicas of another one wait and never lead. */
export const FORMAT = 1;
/** Where the format of what is shared is. */
export const FORMAT_KEY = 'format';
/** Characters of a member's text. */
const MAX_LENGTH = 2000;
const MAX_NAME_LENGTH = 200;

/** `undefined`: no replica wrote it. Never throws. */
export function readMember(text: string): Member | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, name, version, format, address, stamp, settings } = value as Readonly<Record<string, unknown>>;
  if (!isName(id) || !isName(name) || !isName(version) || !isName(settings) || !isCount(format)) return undefined;
  if (address !== undefined && !isHttpUrl(address)) return undefined;
  return { id, name, version, format, settings, ...(address !== undefined && { address }), stamp: readStamp(stamp) };
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

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
