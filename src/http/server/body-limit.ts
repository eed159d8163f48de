/**
 * The limit of a body. The framework's own makes an object of a stream of each chunk: a body of 60 kB in chunks of one byte takes half a second. Here the chunks are
 * joined as they arrive.
 */
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit as limitKnownLength } from 'hono/body-limit';
import { Pieces } from './joined-pieces.ts';
import type { Env } from './routes.ts';

export interface BodyLimit {
  /** Bytes. */
  readonly maxSize: number;
  readonly onError: (c: Context<Env>) => Response;
}

/** Chunks of a body. The largest one needs a few hundred packets, and each chunk costs time. */
const MAX_PIECES = 16_384;

export function bodyLimit({ maxSize, onError }: BodyLimit): MiddlewareHandler<Env> {
  const limit = limitKnownLength({ maxSize, onError: (c) => onError(c as Context<Env>) });
  return async (c, next) => {
    // Tests of single routes have no connection.
    const { incoming } = (c.env as Partial<HttpBindings> | undefined) ?? {};
    if (incoming?.headers['transfer-encoding'] === undefined || 'rawBody' in incoming) return limit(c, next);
    const body = await readChunks(incoming, maxSize);
    if (body === 'too-large') return onError(c);
    // The client does not receive it.
    if (body === 'gone') return c.body(null, 204);
    // Where the framework looks for it.
    Object.assign(incoming, { rawBody: body });
    return next();
  };
}

function readChunks(incoming: IncomingMessage, max: number): Promise<Buffer | 'too-large' | 'gone'> {
  return new Promise((resolve) => {
    const pieces = new Pieces();
    let count = 0;
    const settle = (outcome: Buffer | 'too-large' | 'gone') => {
      incoming.off('data', take);
      resolve(outcome);
    };
    const take = (piece: Buffer) => {
      pieces.add(piece);
      count += 1;
      if (count > MAX_PIECES) incoming.socket.destroy();
      else if (pieces.size > max) settle('too-large');
    };
    incoming.on('data', take);
    incoming.once('end', () => settle(pieces.joined()));
    incoming.once('error', () => settle('gone'));
    incoming.once('close', () => settle('gone'));
  });
}
