/** The stream of the demo: a WebSocket for each viewer, on a Unix socket or a port of the loopback interface. */
import { createServer } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { startLoop } from '../../engine/loop.ts';
import type { Clock } from '../../ports.ts';
import { MAX_MESSAGE, readViewerMessage } from './messages.ts';
import type { DemoSimulation, Viewer } from './simulation.ts';

export interface StreamOptions {
  readonly simulation: DemoSimulation;
  readonly clock: Clock;
  /** Path of a Unix socket, or a port. */
  readonly address: string | number;
}

const MAX_VIEWERS = 64;
/** Messages of a viewer in a second; those beyond are ignored. */
const MAX_MESSAGES = 60;
/** Bytes waiting for a viewer: above the first it gets no poses, above the second it is disconnected. */
const BEHIND = 65_536;
const MAX_BUFFER = 4_194_304;
/** Larger messages than this are compressed. */
const COMPRESS_FROM = 512;

/** Resolves when it listens, and rejects with the error of the socket, such as `EADDRINUSE`. It ends with the process. */
export async function startStream({ simulation, clock, address }: StreamOptions): Promise<void> {
  const http = createServer((_, response) => {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('The stream is a WebSocket.\n');
  });
  const sockets = new WebSocketServer({
    server: http,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: { threshold: COMPRESS_FROM, serverNoContextTakeover: true, zlibDeflateOptions: { level: 3, memLevel: 7 } },
  });
  const loop = startLoop({
    clock,
    cycle: () => simulation.tick(clock.now()),
    failed: (error) => {
      throw error;
    },
  });
  // The same error rejects below.
  sockets.on('error', () => undefined);
  sockets.on('connection', (socket) => {
    if (sockets.clients.size > MAX_VIEWERS) socket.close(1013);
    else attach(socket, simulation, clock, () => loop.wake());
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(typeof address === 'number' ? { port: address, host: '127.0.0.1' } : { path: address }, resolve);
  });
}

function attach(socket: WebSocket, simulation: DemoSimulation, clock: Clock, changed: () => void): void {
  const viewer: Viewer = {
    send(text) {
      if (socket.bufferedAmount > MAX_BUFFER) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.send(text);
    },
    isBehind: () => socket.bufferedAmount > BEHIND,
  };
  let second = 0;
  let messages = 0;
  // What is malformed or too large closes the socket with the right code.
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer, isBinary) => {
    const now = Math.floor(clock.now());
    messages = now === second ? messages + 1 : 1;
    second = now;
    const message = isBinary || messages > MAX_MESSAGES ? undefined : readViewerMessage(data.toString('utf8'));
    if (message === undefined) return;
    simulation.handle(viewer, message);
    changed();
  });
  socket.once('close', () => simulation.remove(viewer));
}
