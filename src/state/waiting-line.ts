/**
 * The waiting line as it is saved over a restart: the tickets whose clients can come back. Ages are stored instead of times, because the zero of the
 * engine's clock changes.
 */
import { z } from 'zod';
import type { Ticket } from '../core/queue/line-order.ts';
import type { SavedTicket } from '../core/queue/waiting-line.ts';
import { foreign, soundItem, type Foreign } from './document.ts';

export interface SavedLine {
  readonly version: 1;
  /** Seconds since the epoch. */
  readonly savedAt: number;
  /** In the order of the line. */
  readonly tickets: readonly SavedTicket[];
}

export interface ReadLine {
  readonly kind: 'line';
  readonly tickets: readonly SavedTicket[];
  /** What was left out, a sentence each. */
  readonly problems: readonly string[];
}

/** Seconds after which no client can still be waiting for its position in a saved line. */
export const SAVED_LINE_LIFETIME = 600;

/** `now` is seconds of the engine's clock, `wallTime` seconds since the epoch. */
export function saveWaitingLine(line: Iterable<Ticket>, now: number, wallTime: number): SavedLine {
  const tickets: SavedTicket[] = [];
  for (const { token, joinedAt, lostAt: _, except: __, ...request } of line)
    if (token !== undefined) tickets.push({ ...request, token, waited: Math.max(0, now - joinedAt) });
  return { version: 1, savedAt: wallTime, tickets };
}

/** `wallTime` is seconds since the epoch. The time since the line was saved counts as waited. Never throws. */
export function readWaitingLine(value: unknown, wallTime: number): ReadLine | Foreign {
  const read = savedLine.safeParse(value);
  if (!read.success) return foreign(read.error);
  const { savedAt, tickets: entries } = read.data;
  const away = Math.max(0, wallTime - savedAt);
  if (away > SAVED_LINE_LIFETIME) return { kind: 'line', tickets: [], problems: [`it is ${Math.round(away / 60)} minutes old`] };
  const tickets = entries
    .flatMap((entry) => soundItem(savedTicket, entry))
    .map((ticket) => ({ ...ticket, waited: ticket.waited + away }));
  const damaged = entries.length - tickets.length;
  return { kind: 'line', tickets, problems: damaged === 0 ? [] : [`${damaged} of ${entries.length} tickets are damaged`] };
}

const savedLine = z.object({
  version: z.literal(1),
  savedAt: z.number().min(0),
  tickets: z.array(z.unknown()),
});

const MAX_LABELS = 100;
const name = z.string().min(1).max(200);
const labels = z.record(name, z.string().max(1000)).refine((record) => Object.keys(record).length <= MAX_LABELS);

const savedTicket: z.ZodType<SavedTicket> = z.object({
  id: name,
  token: name,
  address: name.exactOptional(),
  clientId: name.exactOptional(),
  project: z.string().min(1).max(1000).exactOptional(),
  labels: labels.exactOptional(),
  reservation: name.exactOptional(),
  ends: z.literal('refuse').exactOptional(),
  turn: z.string().min(1).max(1000).exactOptional(),
  replica: name.exactOptional(),
  orphan: z.literal(true).exactOptional(),
  waited: z.number().min(0).max(1e7),
});
