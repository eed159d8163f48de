/**
 * WebSocket `/session`: the position in line, then the URL (docs/design/protocol.md, "WebSocket").
 *
 * Without a subprotocol the client gets plain lines: `queue: N` whenever N changes, then the URL, then a normal close.
 * With `session-server.v1` it gets JSON with an estimate and a resume token: a client that reconnects with
 * `?resume=<token>` within `waiting.resume` seconds keeps its place, and one that closes with the code 4000 gives it up: a
 * page that is left can still do that, while a request to `/api/v1` of another origin would need a preflight first.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { projectParameter } from '../../core/fleet/project.ts';
import { withoutCode } from '../../core/reservations/code.ts';
import { NO_SEAT_LEFT } from '../../engine/class-words.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { Allocated, Outcome, Refused, SessionRequest, Waiter, Waiting } from '../../engine/request-types.ts';
import type { Log } from '../../ports.ts';
import type { AddressOf } from '../server/client-address.ts';
import { onceGone, type SocketHandler } from '../server/sockets.ts';
import { errorText, type SentToServer } from './legacy-routes.ts';

export const SESSION_PROTOCOL = 'session-server.v1';

export interface SessionSocketOptions {
  readonly queue: Pick<QueueService, 'wait' | 'delivered' | 'giveUp'>;
  readonly log: Log;
  /** Why no session can start now, in a sentence; `undefined`: one can. */
  readonly whyClosed: () => string | undefined;
  readonly ready: Promise<unknown>;
  readonly addressOf: AddressOf;
  readonly sent: SentToServer;
  /** Bytes waiting for a client that does not read; above it the client is disconnected. */
  readonly bufferBytes: () => number;
}

/** RFC 6455 § 7.4.1. */
const NORMAL = 1000;
/** RFC 6455 § 7.4.2: for private use. */
const GIVEN_UP = 4000;
const MAX_TOKEN = 200;

/** How messages are written. */
interface Format {
  waiting(waiting: Waiting, whyClosed: () => string | undefined): string;
  allocated(outcome: Allocated): string;
  refused(outcome: Refused): string;
}

const plain: Format = {
  waiting: ({ position }) => `queue: ${position}`,
  allocated: ({ url }) => url,
  refused: (outcome) => errorText(outcome, true),
};

/** `hasCode`: the client shows the code of a class. */
const json = (hasCode: boolean): Format => ({
  waiting: ({ position, ofClass, estimate, resumeToken, turn = 1 }, whyClosed) => {
    const isBeyondSeats = hasCode && !ofClass;
    const reason = isBeyondSeats ? NO_SEAT_LEFT : turn > 1 ? laterTurn(turn) : (whyClosed() ?? null);
    return JSON.stringify({
      ...{ type: 'waiting', position, ...(ofClass && { ofClass }) },
      ...{ estimateSeconds: estimate ?? null, reason, resumeToken },
    });
  },
  allocated: ({ url, server, expiresAt, endsAt }) =>
    JSON.stringify({
      ...{ type: 'allocated', url, server, expiresAt: new Date(expiresAt * 1000).toISOString() },
      ...(endsAt !== undefined && { until: new Date(endsAt * 1000).toISOString() }),
    }),
  refused: ({ code, reason }) => JSON.stringify({ type: 'refused', code, reason }),
});

export function createSessionSocket(options: SessionSocketOptions): SocketHandler {
  return (socket, stream, request, url) => {
    const projectUrl = projectParameter(url.search);
    const { code } = withoutCode(url.pathname);
    const resumeToken = textParameter(url, 'resume')?.slice(0, MAX_TOKEN);
    const address = options.addressOf(request);
    const client = new SocketWaiter(
      options,
      { socket, stream, address: address.address, hasCode: code !== undefined },
      resumeToken,
    );
    void client.begin({
      address,
      ...(projectUrl !== undefined && { projectUrl }),
      ...(resumeToken !== undefined && { resumeToken }),
      ...(code !== undefined && { code }),
    });
  };
}

interface Connection {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly address: string;
  /** It shows the code of a class. */
  readonly hasCode: boolean;
}

/** A client that waits on a WebSocket. */
class SocketWaiter implements Waiter {
  readonly gone: AbortSignal;
  readonly keepPlace: boolean;
  readonly keepOutcome?: true;
  readonly #options: SessionSocketOptions;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #format: Format;
  readonly #address: string;
  #resumeToken: string | undefined;
  #lastPosition: string | undefined;
  #allocated = false;

  constructor(options: SessionSocketOptions, { socket, stream, address, hasCode }: Connection, resumeToken: string | undefined) {
    this.#options = options;
    this.#socket = socket;
    this.#stream = stream;
    this.#address = address;
    this.#resumeToken = resumeToken;
    const canResume = socket.protocol === SESSION_PROTOCOL;
    this.#format = canResume ? json(hasCode) : plain;
    this.keepPlace = canResume;
    if (canResume) this.keepOutcome = true;
    const gone = new AbortController();
    this.gone = gone.signal;
    onceGone(socket, stream, () => {
      gone.abort();
    });
    socket.once('close', (code) => {
      // A client that closes the WebSocket in return has read what was sent before.
      if (this.#resumeToken === undefined) return;
      if (this.#allocated && code === NORMAL) options.queue.delivered(this.#resumeToken);
      if (code === GIVEN_UP) this.#giveUp(this.#resumeToken);
    });
  }

  async begin(request: SessionRequest): Promise<void> {
    const { ready, queue } = this.#options;
    await ready;
    if (this.#socket.readyState === this.#socket.OPEN) await queue.wait(request, this);
  }

  changed(waiting: Waiting): void {
    this.#resumeToken = waiting.resumeToken;
    const text = this.#format.waiting(waiting, this.#options.whyClosed);
    if (text !== this.#lastPosition) this.#send(text);
    this.#lastPosition = text;
  }

  settled(outcome: Outcome): void {
    this.#allocated = outcome.kind === 'allocated';
    if (outcome.kind === 'allocated') this.#options.sent(outcome, this.#address);
    this.#send(outcome.kind === 'allocated' ? this.#format.allocated(outcome) : this.#format.refused(outcome));
    this.#socket.close(NORMAL);
  }

  #giveUp(token: string): void {
    const { queue, log } = this.#options;
    queue.giveUp(token).catch((error: unknown) => {
      log.limited('warn', 'giving up a place', 'giving up a place in line failed', { error });
    });
  }

  #send(text: string): void {
    if (this.#stream.writableLength > this.#options.bufferBytes()) this.#socket.terminate();
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }
}

/** For a client that has sessions or earlier places already. */
function laterTurn(turn: number): string {
  return `You would have ${turn} sessions at once, so clients with fewer come first.`;
}

function textParameter(url: URL, name: string): string | undefined {
  const value = url.searchParams.get(name);
  return value === null || value === '' ? undefined : value;
}
