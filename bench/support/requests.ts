/** A load generator: `GET` requests on raw sockets with keep-alive, as fast as they are answered or at a pace. */
import { connect, type Socket } from 'node:net';

export interface RequestsOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Seconds; it ends when the last request is answered. */
  readonly seconds: number;
  /** Requests a second of all connections together; absent: each connection asks again as soon as it is answered. */
  readonly pace?: number;
  /** Further header lines of the request with this number, each ended by `\r\n`. */
  readonly headers?: (request: number) => string;
  readonly answered?: (body: string) => void;
}

export interface RequestsResult {
  readonly answers: number;
  /** Milliseconds of each request; of a paced one since it was due, so that a stall counts for all it delayed. */
  readonly latencies: number[];
  readonly seconds: number;
}

/** Most latencies kept; of more, every so many. */
const MAX_KEPT = 200_000;

export async function makeRequests(options: RequestsOptions): Promise<RequestsResult> {
  const { port, path, connections, seconds, pace, headers, answered } = options;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const began = performance.now();
  const end = began + seconds * 1000;
  const latencies: number[] = [];
  let asked = 0;
  let answers = 0;
  const keep = (latency: number) => {
    answers += 1;
    if (latencies.length < MAX_KEPT) latencies.push(latency);
    else latencies[answers % MAX_KEPT] = latency;
  };
  const ask = async (socket: KeptAlive, due: number) => {
    const extra = headers?.((asked += 1)) ?? '';
    const body = await socket.ask(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n`);
    keep(performance.now() - due);
    answered?.(body);
  };
  const asFastAsAnswered = async (socket: KeptAlive) => {
    for (let now = performance.now(); now < end; now = performance.now()) await ask(socket, now);
  };
  const paced = async (socket: KeptAlive, first: number, every: number) => {
    for (let due = began + first; due < end; due += every) {
      await until(due);
      await ask(socket, due);
    }
  };
  await Promise.all(
    sockets.map((socket, index) =>
      pace === undefined ? asFastAsAnswered(socket) : paced(socket, (index * 1000) / pace, (connections * 1000) / pace),
    ),
  );
  for (const socket of sockets) socket.close();
  return { answers, latencies, seconds: (performance.now() - began) / 1000 };
}

/** One request on a connection of its own, for what is asked now and then. */
export async function getOnce(port: number, path: string, header = ''): Promise<string> {
  const socket = await open(port);
  try {
    return await socket.ask(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
  } finally {
    socket.close();
  }
}

export interface KeptAlive {
  /** The body of the answer. One request at a time. */
  ask(request: string): Promise<string>;
  close(): void;
}

export async function open(port: number): Promise<KeptAlive> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  return keptAlive(socket);
}

function keptAlive(socket: Socket): KeptAlive {
  let heard = '';
  let waiting: { resolve: (body: string) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on('data', (bytes) => {
    heard += bytes.toString('latin1');
    const body = bodyOf(heard);
    if (body === undefined) return;
    heard = '';
    waiting?.resolve(body);
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the session server closed the connection')));
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

/** The body of a whole answer, or `undefined` while a part is missing. */
function bodyOf(text: string): string | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const body = text.slice(headEnd + 4);
  const length = /\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length) ? body.slice(0, Number(length)) : undefined;
  // Chunked: the benchmarks ask nothing in which the mark of the end could stand earlier.
  return body.endsWith('0\r\n\r\n') ? body : undefined;
}

async function until(time: number): Promise<void> {
  const left = time - performance.now();
  // Timers of Node come up to a millisecond early.
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}
