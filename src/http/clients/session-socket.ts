/**
 * WebSocket `/session`: the place in line, then the URL (PROTOCOL § 4).
 *
 * Without a subprotocol the client gets plain lines: `queue: N` whenever N changes, then the URL, then a normal close. With `session-server.v1` it gets
 * JSON with an estimate and a resume token: whoever connects again with `?resume=<token>` within `waiting.resume` seconds finds the place kept.
 */
import type { WebSocket } from 'ws';
import { projectParameter } from '../../core/fleet/project.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { Allocated, Refused, Waiting } from '../../engine/request-types.ts';
import type { AddressOf } from '../server/client-address.ts';
import { errorText } from './legacy-routes.ts';
import { onceGone, type SocketHandler } from '../server/sockets.ts';

export const SESSION_PROTOCOL = 'session-server.v1';

export interface SessionSocketOptions {
  readonly queue: Pick<QueueService, 'wait' | 'delivered'>;
  readonly ready: Promise<unknown>;
  readonly addressOf: AddressOf;
  /** Bytes waiting for a client that does not read; above it the client is dropped. */
  readonly bufferBytes: () => number;
}

/** Closed normally: the conversation is over. RFC 6455 § 7.4.1. */
const NORMAL = 1000;
const MAX_TOKEN = 200;

interface Speech {
  waiting(waiting: Waiting): string;
  allocated(outcome: Allocated): string;
  refused(outcome: Refused): string;
}

const plain: Speech = {
  waiting: ({ position }) => `queue: ${position}`,
  allocated: ({ url }) => url,
  refused: (outcome) => errorText(outcome, true),
};

const json: Speech = {
  waiting: ({ position, estimate, resumeToken }) =>
    JSON.stringify({ type: 'waiting', position, estimateSeconds: estimate ?? null, resumeToken }),
  allocated: ({ url, server, expiresAt }) =>
    JSON.stringify({ type: 'allocated', url, server, expiresAt: new Date(expiresAt * 1000).toISOString() }),
  refused: ({ code, reason }) => JSON.stringify({ type: 'refused', code, reason }),
};

export function createSessionSocket(options: SessionSocketOptions): SocketHandler {
  const { queue, ready, addressOf, bufferBytes } = options;

  return (socket, stream, request, url) => {
    const speech = socket.protocol === SESSION_PROTOCOL ? json : plain;
    const address = addressOf(request);
    const say = (text: string) => {
      if (stream.writableLength > bufferBytes()) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    };
    let last: string | undefined;
    let token = textParameter(url, 'resume')?.slice(0, MAX_TOKEN);
    let allocated = false;
    const sayPlace = (waiting: Waiting) => {
      token = waiting.resumeToken;
      const text = speech.waiting(waiting);
      if (text !== last) say((last = text));
    };
    const finish = (outcome: Allocated | Refused) => {
      allocated = outcome.kind === 'allocated';
      say(outcome.kind === 'allocated' ? speech.allocated(outcome) : speech.refused(outcome));
      socket.close(NORMAL);
    };

    const closed = new AbortController();
    onceGone(socket, stream, () => {
      closed.abort();
    });
    socket.once('close', (code) => {
      // A client that says good-bye in return has read what was said before.
      if (allocated && code === NORMAL && token !== undefined) queue.delivered(token);
    });
    const projectUrl = projectParameter(url.search);
    const resumeToken = token;
    void converse({
      socket,
      ready,
      start: () =>
        queue.wait(
          {
            address,
            ...(projectUrl !== undefined && { projectUrl }),
            ...(resumeToken !== undefined && { resumeToken }),
          },
          {
            ...{ changed: sayPlace, settled: finish, gone: closed.signal, keepPlace: speech === json },
            ...(speech === json && { keepOutcome: true }),
          },
        ),
    });
  };
}

async function converse({
  socket,
  ready,
  start,
}: {
  socket: WebSocket;
  ready: Promise<unknown>;
  start: () => Promise<void>;
}): Promise<void> {
  await ready;
  if (socket.readyState === socket.OPEN) await start();
}

function textParameter(url: URL, name: string): string | undefined {
  const value = url.searchParams.get(name);
  return value === null || value === '' ? undefined : value;
}
