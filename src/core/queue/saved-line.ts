/**
 * The waiting line as it is kept over a restart: plain JSON with a version. Ages are stored, not times, because the clock's zero changes. Reading takes
 * what is sound and names what is not; it never throws, whatever the value is.
 */
import type { Labels } from '../fleet/routing.ts';

export interface SavedLine {
  readonly version: 1;
  /** Seconds since the epoch. */
  readonly savedAt: number;
  /** In the order of the line. */
  readonly tickets: readonly SavedTicket[];
}

export interface SavedTicket {
  readonly id: string;
  readonly token: string;
  readonly address?: string;
  readonly clientId?: string;
  readonly project?: string;
  readonly labels?: Labels;
  /** Seconds. */
  readonly waited: number;
}

/** Seconds after which nobody can still be waiting for a place in a saved line. */
export const SAVED_LINE_LIFETIME = 600;

export type ReadLine =
  | {
      readonly kind: 'line';
      readonly tickets: readonly SavedTicket[];
      /** What was left out, a sentence each. */
      readonly problems: readonly string[];
    }
  /** Not ours, of another version, or damaged as a whole: somebody may want it back, so it should not be overwritten. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** `wallTime` is seconds since the epoch; the time since the line was saved counts as waited. */
export function readSavedLine(value: unknown, wallTime: number): ReadLine {
  if (!isRecord(value)) return { kind: 'foreign', reason: 'the saved waiting line is no object' };
  if (value['version'] !== 1) return { kind: 'foreign', reason: 'the saved waiting line has another version' };
  const { savedAt, tickets: entries } = value;
  if (!isSeconds(savedAt) || !Array.isArray(entries)) return { kind: 'foreign', reason: 'the saved waiting line is damaged' };
  const away = wallTime - savedAt;
  if (away > SAVED_LINE_LIFETIME)
    return { kind: 'line', tickets: [], problems: [`the saved waiting line is ${Math.round(away / 60)} minutes old`] };

  const tickets: SavedTicket[] = [];
  let damaged = 0;
  for (const entry of entries as readonly unknown[]) {
    const ticket = readTicket(entry, Math.max(0, away));
    if (ticket === undefined) damaged += 1;
    else tickets.push(ticket);
  }
  return { kind: 'line', tickets, problems: damaged === 0 ? [] : [`${damaged} of ${entries.length} saved tickets are damaged`] };
}

const MAX_WAIT = 1e7;
const MAX_LABELS = 100;

function readTicket(entry: unknown, away: number): SavedTicket | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, token, address, clientId, project, labels, waited } = entry;
  if (!isText(id, 200) || !isText(token, 200) || !isSeconds(waited) || waited > MAX_WAIT) return undefined;
  if (address !== undefined && !isText(address, 200)) return undefined;
  if (clientId !== undefined && !isText(clientId, 200)) return undefined;
  if (project !== undefined && !isText(project, 1000)) return undefined;
  if (labels !== undefined && !isLabels(labels)) return undefined;
  return {
    ...{ id, token, waited: waited + away },
    ...(address !== undefined && { address }),
    ...(clientId !== undefined && { clientId }),
    ...(project !== undefined && { project }),
    ...(labels !== undefined && { labels }),
  };
}

function isLabels(value: unknown): value is Labels {
  if (!isRecord(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_LABELS &&
    entries.every(([name, text]) => isText(name, 200) && typeof text === 'string' && text.length <= 1000)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
