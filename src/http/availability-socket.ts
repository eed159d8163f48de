/**
 * WebSocket `/`: `1` when a session can be started now, else `0`; at once, then only when it changes (PROTOCOL § 4).
 *
 * Ten thousand clients hear of a change from one frame that is built once and written to each connection, in slices, so that requests are answered
 * between them. What each client heard last is remembered, so that nobody hears the same value twice however often it changes during a round.
 */
import type { Duplex } from 'node:stream';
import type { Topic } from '../engine/topic.ts';
import type { SocketHandler } from './sockets.ts';

export interface AvailabilitySocketOptions {
  readonly availability: Topic<boolean>;
  /** Resolves when the first answer may be given. */
  readonly ready: Promise<unknown>;
  /** Bytes waiting for a client that does not read; above it the client is dropped. */
  readonly bufferBytes: () => number;
}

/** Clients told in one go: a few milliseconds of work. */
const SLICE = 250;
/** RFC 6455 § 5.2: a final, unmasked text frame of one byte. */
const FRAMES = { true: Buffer.from([0x81, 1, 0x31]), false: Buffer.from([0x81, 1, 0x30]) } as const;

export function createAvailabilitySocket({ availability, ready, bufferBytes }: AvailabilitySocketOptions): SocketHandler {
  const heard = new Map<Duplex, boolean | undefined>();
  let round: Iterator<Duplex> | undefined;

  const tell = (stream: Duplex) => {
    const { value } = availability;
    if (heard.get(stream) === value || !heard.has(stream)) return;
    if (stream.writableLength > bufferBytes()) {
      stream.destroy();
      return;
    }
    heard.set(stream, value);
    stream.write(value ? FRAMES.true : FRAMES.false);
  };

  const tellSlice = () => {
    for (let told = 0; told < SLICE; told += 1) {
      const next = round?.next();
      if (next === undefined || next.done === true) {
        round = undefined;
        return;
      }
      tell(next.value);
    }
    setImmediate(tellSlice);
  };

  void ready.then(() => {
    availability.subscribe(() => {
      // A change during a round starts it anew; whoever already heard the value is passed over.
      const running = round !== undefined;
      round = heard.keys();
      if (!running) tellSlice();
    });
    for (const stream of heard.keys()) tell(stream);
  });
  let answering = false;
  void ready.then(() => (answering = true));

  return (socket, stream) => {
    heard.set(stream, undefined);
    socket.once('close', () => heard.delete(stream));
    if (answering) tell(stream);
  };
}
