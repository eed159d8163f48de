/** `/client`: a WebSocket for each session. All origins may open one, as with the original; it lives as long as its session. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { PingTurns } from '../../core/limits/ping-turns.ts';
import { startLoop } from '../../engine/loop.ts';
import { ONE_AT_A_TIME } from '../../http/server/one-at-a-time.ts';
import { answerPlainly } from '../../http/server/plain-answers.ts';
import type { AddressOf } from '../../http/server/client-address.ts';
import type { Clock, Log } from '../../ports.ts';
import type { Client } from '../engine/session.ts';
import type { SessionHandle } from '../engine/sessions.ts';

export interface ClientSocketsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly addressOf: AddressOf;
  /** `undefined`: there are too many connections. */
  readonly accept: (client: Client) => SessionHandle | undefined;
}

export interface ClientSockets {
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/** Bytes of a message: a start message is small. */
const MAX_MESSAGE = 65_536;
/** Frames and packets of one message, each of which costs memory besides its bytes. */
const PARTS = { maxFragments: 64, maxBufferedChunks: 1024 };
/** Messages of one client in a second; those beyond are ignored. */
const MAX_MESSAGES = 20;
/** Bytes waiting for a client that does not read; above it the client is disconnected. */
const MAX_BUFFER = 1_048_576;
/** Seconds between two pings; a client that vanished is noticed after 20 to 40 s. */
const PING = { interval: 20, slice: 0.5 };
/** Seconds a client has to agree to the end of its connection. */
const CLOSING = 2;

export function createClientSockets(options: ClientSocketsOptions): ClientSockets {
  const { clock, log } = options;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
    ...{ ...PARTS, ...ONE_AT_A_TIME },
  });
  const turns = new PingTurns<WebSocket>(PING);
  const pinging = startLoop({
    clock,
    delay: PING.slice,
    cycle: () => {
      const { ping, silent } = turns.take(clock.now());
      for (const socket of silent) socket.terminate();
      for (const socket of ping) socket.ping();
      return PING.slice;
    },
    failed: (error) => {
      log.error('sending pings to clients failed', { error });
      return PING.slice;
    },
  });

  return {
    upgrade(request, stream, head) {
      stream.on('error', () => stream.destroy());
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        answerPlainly(stream, 426, 'This is a WebSocket.\n', { Upgrade: 'websocket' });
        return;
      }
      server.handleUpgrade(request, stream, head, (socket) => {
        // What is malformed or too large closes the socket with the right code.
        socket.on('error', () => undefined);
        startSession(socket, request, turns, options);
      });
    },
    close: () => pinging.stop(),
  };
}

function startSession(
  socket: WebSocket,
  request: IncomingMessage,
  turns: PingTurns<WebSocket>,
  { clock, log, addressOf, accept }: ClientSocketsOptions,
) {
  const { address, limitKey } = addressOf(request);
  const handle = accept({ address, limitKey, ...clientOf(socket, clock) });
  if (handle === undefined) {
    socket.close(1013);
    return;
  }
  const mayBeRead = messageLimit(clock);
  turns.add(socket, clock.now());
  socket.on('message', (data: Buffer, isBinary) => {
    if (mayBeRead() && !isBinary) handle.message(data.toString('utf8'));
    else log.limited('info', 'ignored', `[${handle.id}] a message from the client was ignored`);
  });
  socket.on('pong', () => {
    turns.answered(socket);
  });
  socket.once('close', () => {
    turns.remove(socket);
    handle.left();
  });
}

function clientOf(socket: WebSocket, clock: Clock): Pick<Client, 'say' | 'close'> {
  return {
    say(line) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > MAX_BUFFER) socket.terminate();
      else socket.send(line);
    },
    close(code) {
      socket.close(code);
      void clock.sleep(CLOSING).then(() => {
        socket.terminate();
      });
    },
  };
}

/** Counts a message at each call, and returns whether the client has not sent too many in this second. */
function messageLimit(clock: Clock): () => boolean {
  let second = 0;
  let messages = 0;
  return () => {
    const now = Math.floor(clock.now());
    if (now !== second) messages = 0;
    second = now;
    messages += 1;
    return messages <= MAX_MESSAGES;
  };
}
