/**
 * What a simulation server sends on `/client`, and what it understands there. Clients that will not be updated read these lines: `loading:` since R2023a,
 * `docker:` in R2022, and each ignores the other. Lines of progress stay below 40 characters and hold nothing from outside.
 */
import { errorMessage } from '../gateway/client-messages.ts';
import { STREAM_MODES, type StreamMode } from './launch-plan.ts';
import { PROGRESS } from './sentences.ts';
import type { ProgressStep } from './session-life.ts';

export type ClientMessage =
  | { readonly kind: 'start'; readonly url: string; readonly mode?: StreamMode }
  /** `file` is a path below `controllers`, such as `arm/arm.py`. */
  | { readonly kind: 'reset-controller'; readonly file: string }
  /** A start message that cannot be served. `reason` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'ignored' };

/** Never throws. The caller limits the size of the text. */
export function readClientMessage(text: string): ClientMessage {
  const message = parse(text);
  if (message === undefined) return { kind: 'ignored' };
  const { start, 'reset controller': reset } = message;
  if (typeof reset === 'string')
    return /^[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,99}\/[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,99}$/.test(reset)
      ? { kind: 'reset-controller', file: reset }
      : { kind: 'ignored' };
  if (start === undefined) return { kind: 'ignored' };
  if (!isObject(start) || typeof start['url'] !== 'string') return { kind: 'refused', reason: 'The start message names no URL.' };
  const { url, mode } = start;
  if (mode === undefined) return { kind: 'start', url };
  const known = STREAM_MODES.find((name) => name === mode);
  // It becomes an argument of the simulator.
  return known === undefined
    ? { kind: 'refused', reason: `The stream mode must be ${STREAM_MODES.join(', ')}.` }
    : { kind: 'start', url, mode: known };
}

export function progressLines(step: ProgressStep): readonly string[] {
  return sentenceLines(PROGRESS[step]);
}

/** Any sentence of ours for the progress bar. */
export function sentenceLines(text: string): readonly string[] {
  return [`loading: ${text}`, `docker: ${text}`];
}

/** A refusal reaches the progress bar of new clients and the alert of all of them. */
export function refusalLines(text: string): readonly string[] {
  return [`loading: Error: ${oneLine(text)}`, errorMessage(text)];
}

/** A second start message is answered in the progress bar alone: the session goes on. */
export const ALREADY_STARTED = 'loading: Error: This connection has a simulation already.';

export interface PublicAddress {
  readonly server: string;
  readonly ssl: boolean;
  /** A reverse proxy maps `/PORT`. */
  readonly portRewrite: boolean;
}

/** Nothing may follow the port: clients append to it. */
export function streamLine({ server, ssl, portRewrite }: PublicAddress, port: number): string {
  return `webots:${ssl ? 'wss' : 'ws'}://${server}${portRewrite ? '/' : ':'}${port}`;
}

/** How this server announces itself to others. */
export function announcedUrl({ server, ssl, portRewrite }: PublicAddress, port: number): string {
  return `${ssl ? 'https' : 'http'}://${server}${portRewrite ? '/' : ':'}${port}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
