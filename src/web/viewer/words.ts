/** What the viewer reads from its three connections: its place in line, the start of the session, and the stream. Nothing here throws. */
import { meaningOf, type Cause } from '../../core/gateway/server-words.ts';

export type SessionMessage =
  | {
      readonly kind: 'waiting';
      readonly position: number;
      /** In the line of a class. */
      readonly ofClass: boolean;
      /** Seconds. */
      readonly estimate: { readonly from: number; readonly to: number } | undefined;
      readonly token: string | undefined;
    }
  | { readonly kind: 'allocated'; readonly url: string }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/** A message of `/session` with the subprotocol `session-server.v1`. */
export function readSessionMessage(text: string): SessionMessage | undefined {
  const message = parseObject(text);
  switch (message?.['type']) {
    case 'waiting': {
      const { position, estimateSeconds, resumeToken: token } = message;
      if (!isNumber(position)) return undefined;
      return {
        ...{ kind: 'waiting', position, ofClass: message['ofClass'] === true },
        estimate: readEstimate(estimateSeconds),
        token: typeof token === 'string' ? token : undefined,
      };
    }
    case 'allocated':
      return isSocketUrl(message['url']) ? { kind: 'allocated', url: message['url'] } : undefined;
    case 'refused':
      return { kind: 'refused', code: String(message['code']), reason: String(message['reason']) };
    default:
      return undefined;
  }
}

function readEstimate(value: unknown): { readonly from: number; readonly to: number } | undefined {
  if (!isObject(value)) return undefined;
  const { from, to } = value;
  return isNumber(from) && isNumber(to) ? { from, to } : undefined;
}

export type ClientLine =
  | { readonly kind: 'progress'; readonly text: string }
  /** It may be a failure, and the server continues. */
  | { readonly kind: 'complaint'; readonly text: string }
  /** The server has given up. */
  | { readonly kind: 'failure'; readonly reason: string; readonly cause: Cause }
  /** It has given up, and closes the connection with a code. */
  | { readonly kind: 'farewell'; readonly reason: string }
  | { readonly kind: 'stream'; readonly url: string };

/** A line of `/client` of a simulation server. */
export function readClientLine(text: string): ClientLine | undefined {
  const meaning = meaningOf(text);
  if (meaning.kind === 'failure' || meaning.kind === 'farewell') return meaning;
  const [, word, rest = ''] = /^(loading|webots):\s*(.*)$/s.exec(text) ?? [];
  if (word === 'webots') return isSocketUrl(rest) ? { kind: 'stream', url: rest } : undefined;
  if (word !== 'loading') return undefined;
  return meaning.kind === 'complaint' ? { kind: 'complaint', text: meaning.reason } : { kind: 'progress', text: rest };
}

export interface PoseUpdate {
  /** Of the node, as in the scene: `n100`. */
  readonly id: string;
  readonly translation?: readonly number[];
  /** Axis and angle. */
  readonly rotation?: readonly number[];
}

export type StreamMessage =
  | { readonly kind: 'scene'; readonly xml: string }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'state'; readonly playing: boolean }
  | { readonly kind: 'poses'; readonly time: number; readonly poses: readonly PoseUpdate[] };

/** A message of the stream of a simulation, in the words of Webots. */
export function readStreamMessage(text: string): StreamMessage | undefined {
  if (text.startsWith('application/json:')) return readPoses(text.slice('application/json:'.length));
  if (text.startsWith('model:')) return { kind: 'scene', xml: text.slice('model:'.length) };
  if (text === 'scene load completed') return { kind: 'loaded' };
  if (/^pause(?::|$)/.test(text)) return { kind: 'state', playing: false };
  if (text === 'real-time' || text === 'run' || text === 'fast') return { kind: 'state', playing: true };
  return undefined;
}

function readPoses(text: string): StreamMessage | undefined {
  const { time, poses } = parseObject(text) ?? {};
  if (!isNumber(time) || !Array.isArray(poses)) return undefined;
  return { kind: 'poses', time, poses: poses.flatMap(readPose) };
}

function readPose(pose: unknown): PoseUpdate[] {
  if (!isObject(pose)) return [];
  const { id, translation, rotation } = pose;
  if (typeof id !== 'number' && typeof id !== 'string') return [];
  const [place, turn] = [numbers(translation, 3), numbers(rotation, 4)];
  return [{ id: `n${id}`, ...(place && { translation: place }), ...(turn && { rotation: turn }) }];
}

/** `count` numbers with blanks between them; `undefined`: not that. */
export function numbers(text: unknown, count: number): readonly number[] | undefined {
  if (typeof text !== 'string') return undefined;
  const values = text
    .trim()
    .split(/[\s,]+/, count + 1)
    .map(Number);
  return values.length === count && values.every(Number.isFinite) ? values : undefined;
}

function isSocketUrl(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  try {
    const { protocol } = new URL(value);
    return protocol === 'ws:' || protocol === 'wss:';
  } catch {
    return false;
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
