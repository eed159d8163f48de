/**
 * WebSocket `/`: `1` when a session can be started now, else `0`; at once, then only when it changes
 * (docs/design/protocol.md, "WebSocket").
 *
 * Ten thousand clients hear of a change from one frame that is built once and written to each connection, in slices with a moment between them, so that
 * requests are answered meanwhile. What each client heard last is remembered, so that nobody hears the same value twice however often it changes during a round.
 */
import type { Duplex } from 'node:stream';
import { startLoop } from '../../engine/loop.ts';
import type { Topic } from '../../engine/topic.ts';
import type { Clock, Log } from '../../ports.ts';
import type { SocketHandler } from '../server/sockets.ts';

export interface AvailabilitySocketOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly availability: Topic<boolean>;
  /** Resolves when the first answer may be given. */
  readonly ready: Promise<unknown>;
  /** Bytes waiting for a client that does not read; above it the client is dropped. */
  readonly bufferBytes: () => number;
}

export interface AvailabilitySocket {
  readonly handler: SocketHandler;
  /** Nobody is told any more. */
  stop(): Promise<void>;
}

/** Clients told in one go: about a millisecond of work. */
const SLICE = 100;
/** Seconds between two slices: ten thousand clients are told in a quarter of a second. */
const PAUSE = 0.001;
/** RFC 6455 § 5.2: a final, unmasked text frame of one byte. */
const FRAMES = { true: Buffer.from([0x81, 1, 0x31]), false: Buffer.from([0x81, 1, 0x30]) } as const;

export function createAvailabilitySocket(options: AvailabilitySocketOptions): AvailabilitySocket {
  const { clock, log, availability, ready, bufferBytes } = options;
  const heard = new Map<Duplex, boolean | undefined>();
  let round: Iterator<Duplex> | undefined;
  let answering = false;

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

  const tellSlice = (): number => {
    for (let told = 0; told < SLICE; told += 1) {
      const next = round?.next();
      if (next === undefined || next.done === true) {
        round = undefined;
        return Infinity;
      }
      tell(next.value);
    }
    return PAUSE;
  };

  const rounds = startLoop({
    clock,
    delay: Infinity,
    cycle: tellSlice,
    failed: (error) => {
      log.error('telling clients whether a session can start failed', { error });
      return PAUSE;
    },
  });

  void ready.then(() => {
    answering = true;
    for (const stream of heard.keys()) tell(stream);
    availability.subscribe(() => {
      // A change during a round starts it anew; whoever already heard the value is passed over.
      round = heard.keys();
      rounds.wake();
    });
  });

  return {
    handler(socket, stream) {
      heard.set(stream, undefined);
      socket.once('close', () => heard.delete(stream));
      if (answering) tell(stream);
    },
    stop: () => rounds.stop(),
  };
}
