/**
 * The last decisions and the counts of the last hour as they are saved over a restart, so that the reason why a student was refused can still be found
 * afterwards. Counts have ages instead of times of the engine's clock.
 */
import { z } from 'zod';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Decision } from '../core/views/decision.ts';
import type { SavedHour } from '../core/views/last-hour.ts';
import type { AnswerView } from '../core/views/monitor-view.ts';
import { foreign, soundItems, type Foreign } from './document.ts';

const FORMAT = 'session-server/decisions';
const VERSION = 1;
const MAX_DECISIONS = 400;
const MAX_ANSWERS = 50;
const MAX_SERVERS = 20_000;

export interface SavedHandOuts {
  readonly id: ServerId;
  readonly total: number;
  readonly lastHour: SavedHour;
}

export interface SavedDecisions {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Seconds since the epoch. */
  readonly savedAt: number;
  /** Newest first. */
  readonly decisions: readonly Decision[];
  readonly handedOut: SavedHour;
  readonly refused: SavedHour;
  readonly servers: readonly SavedHandOuts[];
}

/** `wallTime` is seconds since the epoch. */
export function saveDecisions(
  { servers, ...rest }: Omit<SavedDecisions, 'format' | 'version' | 'savedAt'>,
  wallTime: number,
): SavedDecisions {
  return { format: FORMAT, version: VERSION, savedAt: wallTime, ...rest, servers: servers.slice(0, MAX_SERVERS) };
}

/** Never throws. */
export function readDecisions(value: unknown): { readonly kind: 'decisions'; readonly saved: SavedDecisions } | Foreign {
  const read = savedDecisions.safeParse(value);
  return read.success ? { kind: 'decisions', saved: read.data } : foreign(read.error);
}

const name = z.string().max(1000);
const sentence = z.string().max(20_000);
/** Times and durations. */
const amount = z.number().min(0).max(1e12);
const count = z.int().min(0).max(1e12);
const hour = soundItems(z.tuple([count, count]), 60).catch([]);

const answer: z.ZodType<AnswerView> = z.object({
  id: name,
  address: name,
  chosen: z.boolean(),
  eligible: z.boolean(),
  code: name,
  reason: sentence,
});

const decision: z.ZodType<Decision> = z.object({
  id: name,
  at: amount,
  kind: z.enum(['allocated', 'refused', 'abandoned']),
  project: name.optional(),
  server: name.optional(),
  address: name.optional(),
  code: name,
  reason: sentence,
  waited: amount,
  reservation: name.optional(),
  others: soundItems(answer, MAX_ANSWERS),
  omitted: amount,
});

const savedDecisions: z.ZodType<SavedDecisions> = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  savedAt: amount,
  decisions: soundItems(decision, MAX_DECISIONS),
  handedOut: hour,
  refused: hour,
  servers: soundItems(z.object({ id: name, total: count, lastHour: hour }), MAX_SERVERS),
});
