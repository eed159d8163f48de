/**
 * The last decisions and the counts of the last hour as they are kept over a restart, so that whoever asks after a student that was refused finds the answer
 * although somebody has restarted the session server meanwhile. Plain JSON; ages instead of times of the engine's clock.
 *
 * It may come from another version, another program, or a broken disk: nothing read here throws, and what makes no sense is left out.
 */
import type { Decision } from './decision.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import type { SavedHour } from './last-hour.ts';
import type { AnswerView, DecisionKind } from './monitor-view.ts';

const FORMAT = 'session-server/decisions';
const VERSION = 1;
const MAX_DECISIONS = 400;
const MAX_ANSWERS = 50;
const MAX_SERVERS = 20_000;
/** Characters of a name and of a sentence. */
const MAX_NAME = 1000;
const MAX_SENTENCE = 20_000;
const KINDS: ReadonlySet<unknown> = new Set(['allocated', 'refused', 'abandoned'] satisfies DecisionKind[]);

export interface SavedHandOuts {
  readonly id: ServerId;
  readonly total: number;
  readonly lastHour: SavedHour;
}

export interface KeptDecisions {
  /** Newest first. */
  readonly decisions: readonly Decision[];
  readonly handedOut: SavedHour;
  readonly refused: SavedHour;
  readonly servers: readonly SavedHandOuts[];
}

export interface SavedDecisions extends KeptDecisions {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Seconds since the epoch. */
  readonly savedAt: number;
}

export type DecisionsRead =
  | { readonly kind: 'decisions'; readonly saved: SavedDecisions }
  /** Not ours, of another version, or damaged. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** `wallTime` is seconds since the epoch. */
export function saveDecisions(kept: KeptDecisions, wallTime: number): SavedDecisions {
  return { format: FORMAT, version: VERSION, savedAt: wallTime, ...kept, servers: kept.servers.slice(0, MAX_SERVERS) };
}

export function readDecisions(value: unknown): DecisionsRead {
  const foreign = (reason: string): DecisionsRead => ({ kind: 'foreign', reason });
  if (!isRecord(value) || value['format'] !== FORMAT) return foreign('it was not written by a session server');
  if (value['version'] !== VERSION) return foreign(`it is of another version (${String(value['version']).slice(0, 20)})`);
  const { savedAt, decisions, handedOut, refused, servers } = value;
  if (!isAmount(savedAt) || !Array.isArray(decisions) || !Array.isArray(servers)) return foreign('it is damaged');
  return {
    kind: 'decisions',
    saved: {
      ...{ format: FORMAT, version: VERSION, savedAt },
      decisions: decisions.slice(0, MAX_DECISIONS).flatMap((entry) => readDecision(entry) ?? []),
      handedOut: readHour(handedOut),
      refused: readHour(refused),
      servers: servers.slice(0, MAX_SERVERS).flatMap((entry) => readServer(entry) ?? []),
    },
  };
}

function readDecision(entry: unknown): Decision | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, at, kind, project, server, address, code, reason, waited, others, omitted } = entry;
  if (!isText(id) || !isAmount(at) || !isKind(kind) || !isText(code) || !isText(reason, MAX_SENTENCE)) return undefined;
  if (!isOptionalText(project) || !isOptionalText(server) || !isOptionalText(address)) return undefined;
  if (!isAmount(waited) || !isAmount(omitted) || !Array.isArray(others)) return undefined;
  const answers = others.slice(0, MAX_ANSWERS).flatMap((answer) => readAnswer(answer) ?? []);
  return { id, at, kind, project, server, address, code, reason, waited, others: answers, omitted };
}

function readAnswer(entry: unknown): AnswerView | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, address, chosen, eligible, code, reason } = entry;
  if (!isText(id) || !isText(address) || !isText(code) || !isText(reason, MAX_SENTENCE)) return undefined;
  if (typeof chosen !== 'boolean' || typeof eligible !== 'boolean') return undefined;
  return { id, address, chosen, eligible, code, reason };
}

function readServer(entry: unknown): SavedHandOuts | undefined {
  if (!isRecord(entry)) return undefined;
  const { id, total, lastHour } = entry;
  return isText(id) && isCount(total) ? { id, total, lastHour: readHour(lastHour) } : undefined;
}

function readHour(value: unknown): SavedHour {
  if (!Array.isArray(value)) return [];
  return value.slice(0, 60).flatMap((entry: unknown): [number, number][] => {
    if (!Array.isArray(entry)) return [];
    const [ago, count] = entry as readonly unknown[];
    return isCount(ago) && isCount(count) ? [[ago, count]] : [];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is DecisionKind {
  return KINDS.has(value);
}

function isText(value: unknown, longest = MAX_NAME): value is string {
  return typeof value === 'string' && value.length <= longest;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || isText(value);
}

/** Times and durations. */
function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e12;
}

function isCount(value: unknown): value is number {
  return isAmount(value) && Number.isSafeInteger(value);
}
