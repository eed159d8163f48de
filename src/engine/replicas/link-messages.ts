/**
 * What a follower and the leader send each other about the clients of the follower. A text has all messages of one turn. What is read is checked as if it came
 * from anyone.
 */
import { z } from 'zod';
import type { Outcome, SessionRequest, Waiting } from '../request-types.ts';

/** The client of a link that waits; numbers are never used again. */
export type ClientNumber = number;

/** From the follower. */
export type Command =
  | readonly ['wait', ClientNumber, LinkedRequest]
  /** The connection of the client is gone. */
  | readonly ['gone', ClientNumber]
  | readonly ['delivered' | 'give-up', /** The token of a place. */ string];

/** From the leader. */
export type News =
  /** Whether a session can start now; if not, why, in a sentence. */
  | readonly ['fleet', boolean, string | null]
  | readonly ['waiting', ClientNumber, Waiting]
  | readonly ['settled', ClientNumber, Outcome];

/** What a client with a WebSocket can ask for. */
export type LinkedRequest = Pick<SessionRequest, 'address' | 'projectUrl' | 'code' | 'resumeToken'> & {
  readonly place: { readonly token: string; /** The client does not know the token. */ readonly isUnknown?: true };
};

/** Characters of a text. A longer turn is several texts. */
export const MAX_TEXT = 1_048_576;
/** Messages of a text. */
const MAX_MESSAGES = 4096;
/** Longer than `limits.headerBytes` lets any request be. */
const MAX_URL = 262_144;

/** `undefined`: no replica wrote it. Never throws. */
export function readCommands(text: string): readonly Command[] | undefined {
  return read(text, command);
}

/** `undefined`: no replica wrote it. Never throws. */
export function readNews(text: string): readonly News[] | undefined {
  return read(text, news);
}

/** Collects the messages of a turn, and sends them as few texts. */
export class MessageWriter {
  readonly #send: (text: string) => void;
  #messages: string[] = [];
  #length = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  write(message: Command | News): void {
    const text = JSON.stringify(message);
    if (this.#length + text.length > MAX_TEXT / 2 || this.#messages.length === MAX_MESSAGES) this.#flush();
    if (this.#messages.length === 0) queueMicrotask(() => this.#flush());
    this.#messages.push(text);
    this.#length += text.length + 1;
  }

  #flush(): void {
    if (this.#messages.length === 0) return;
    const text = `[${this.#messages.join()}]`;
    this.#messages = [];
    this.#length = 0;
    this.#send(text);
  }
}

function read<T>(text: string, message: z.ZodType<T>): readonly T[] | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const result = z.array(message).max(MAX_MESSAGES).safeParse(parsed(text));
  return result.success ? result.data : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const number = z.int().min(0);
const name = z.string().min(1).max(200);
const sentence = z.string().max(10_000);
const seconds = z.number().min(0).max(1e12);

const linkedRequest: z.ZodType<LinkedRequest> = z.object({
  address: z.object({ address: name, limitKey: name.optional() }).transform(({ address, limitKey }) => ({ address, limitKey })),
  place: z.object({ token: name, isUnknown: z.literal(true).exactOptional() }),
  projectUrl: z.string().max(MAX_URL).exactOptional(),
  code: z.string().max(MAX_URL).exactOptional(),
  resumeToken: name.exactOptional(),
});

const command: z.ZodType<Command> = z.union([
  z.tuple([z.literal('wait'), number, linkedRequest]),
  z.tuple([z.literal('gone'), number]),
  z.tuple([z.enum(['delivered', 'give-up']), name]),
]);

const waiting: z.ZodType<Waiting> = z
  .object({
    position: z.int().min(1),
    ofClass: z.boolean(),
    estimate: z.object({ from: seconds, to: seconds }).optional(),
    resumeToken: name,
    turn: z.int().min(0).exactOptional(),
  })
  .transform(({ estimate, ...rest }) => ({ ...rest, estimate }));

const outcome: z.ZodType<Outcome> = z.union([
  z.object({
    kind: z.literal('allocated'),
    id: name,
    url: z.string().max(MAX_URL),
    server: z.string().max(1000),
    bookingId: name,
    expiresAt: seconds,
    endsAt: seconds.exactOptional(),
  }),
  z.object({
    kind: z.literal('refused'),
    code: name,
    reason: sentence,
    position: z.int().exactOptional(),
    retryAfter: seconds.exactOptional(),
  }),
]);

const news: z.ZodType<News> = z.union([
  z.tuple([z.literal('waiting'), number, waiting]),
  z.tuple([z.literal('fleet'), z.boolean(), sentence.nullable()]),
  z.tuple([z.literal('settled'), number, outcome]),
]);
