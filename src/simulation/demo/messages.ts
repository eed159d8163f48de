/**
 * What viewers say to the demo, in the words that Webots uses for its own stream. A viewer of Webots shows the demo, and
 * the viewer of the session server shows Webots.
 */
import type { Input } from './worlds/world.ts';

export type ViewerMessage =
  | { readonly kind: 'watch' }
  | { readonly kind: 'pause' | 'step' | 'reset' }
  /** `pauseAfter`: milliseconds of simulation after which it pauses by itself. */
  | { readonly kind: 'play'; readonly mode: 'real-time' | 'fast'; readonly pauseAfter?: number }
  | { readonly kind: 'timeout'; readonly pauseAfter?: number }
  | { readonly kind: 'drive'; readonly input: Input };

/** Bytes of a message. */
export const MAX_MESSAGE = 1024;

const VERB = /^(?<verb>real-time|fast|timeout):(?<time>-?\d{1,9})$/;

/** `undefined`: not a message of the demo. Never throws. */
export function readViewerMessage(text: string): ViewerMessage | undefined {
  if (/^(?:w3d|x3d)(?:;broadcast)?$/.test(text)) return { kind: 'watch' };
  if (text === 'pause' || text === 'step' || text === 'reset') return { kind: text };
  if (text === 'real-time' || text === 'fast') return { kind: 'play', mode: text };
  if (text.startsWith('robot:')) return readDrive(text.slice('robot:'.length));
  const { verb, time } = VERB.exec(text)?.groups ?? {};
  if (verb === undefined) return undefined;
  const pauseAfter = Number(time);
  // As in Webots, a negative time means never.
  const limit = pauseAfter < 0 ? {} : { pauseAfter };
  return verb === 'timeout' ? { kind: 'timeout', ...limit } : { kind: 'play', mode: verb as 'real-time' | 'fast', ...limit };
}

/** A message to the robot: `{"name":…,"message":"drive FORWARD TURN LIFT REACH"}`, each number from -1 to 1. */
function readDrive(text: string): ViewerMessage | undefined {
  const message = messageOf(text);
  const [word, ...values] = message?.split(' ') ?? [];
  const [forward, turn, lift = 0, reach = 0] = values.map(readShare);
  if (word !== 'drive' || values.length > 4 || forward === undefined || turn === undefined) return undefined;
  const input = { forward, turn, lift, reach };
  return Object.values(input).every(Number.isFinite) ? { kind: 'drive', input } : undefined;
}

function messageOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
      ? value.message
      : undefined;
  } catch {
    return undefined;
  }
}

function readShare(text: string): number {
  return /^-?\d(?:\.\d{1,4})?$/.test(text) ? Math.min(1, Math.max(-1, Number(text))) : NaN;
}
