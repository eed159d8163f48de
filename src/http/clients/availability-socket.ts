/**
 * WebSocket `/`: `1` when a session can be started now, else `0`; at once, then only when it changes
 * (docs/design/protocol.md, "WebSocket").
 *
 * A change reaches ten thousand clients as one frame that is built once and written to each connection, in slices with
 * pauses, so that requests are answered meanwhile. The value each client was sent last is remembered, so that no client
 * gets the same value twice however often it changes during a round.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Topic } from '../../engine/topic.ts';
import type { Clock, Log } from '../../ports.ts';
import type { SocketHandler } from '../server/sockets.ts';

export interface AvailabilitySocketOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly availability: Topic<boolean>;
  /** Resolves when the first answer may be given. */
  readonly ready: Promise<unknown>;
  /** Bytes waiting for a client that does not read; above it the client is disconnected. */
  readonly bufferBytes: () => number;
}

export interface AvailabilitySocket {
  readonly handler: SocketHandler;
  /** No further changes are sent. */
  stop(): Promise<void>;
}

/** Clients of one slice: about a millisecond of work. */
const SLICE = 100;
/** Seconds between two slices: ten thousand clients take a quarter of a second. */
const PAUSE = 0.001;
/** RFC 6455 § 5.2: a final, unmasked text frame of one byte. */
const FRAMES = { true: Buffer.from([0x81, 1, 0x31]), false: Buffer.from([0x81, 1, 0x30]) } as const;

export function createAvailabilitySocket(options: AvailabilitySocketOptions): AvailabilitySocket {
  const clients = new AvailabilityClients(options);
  void options.ready.then(() => clients.begin());
  return { handler: (socket, stream) => clients.add(socket, stream), stop: () => clients.stop() };
}

class AvailabilityClients {
  readonly #options: AvailabilitySocketOptions;
  /** The value each client was sent last. */
  readonly #sent = new Map<Duplex, boolean | undefined>();
  readonly #slices: Loop;
  /** The clients that are still to be sent the present value. */
  #round: Iterator<Duplex> | undefined;
  #started = false;

  constructor(options: AvailabilitySocketOptions) {
    this.#options = options;
    this.#slices = startLoop({
      clock: options.clock,
      delay: Infinity,
      cycle: () => this.#sendSlice(),
      failed: (error) => {
        options.log.error('sending the availability to clients failed', { error });
        return PAUSE;
      },
    });
  }

  add(socket: WebSocket, stream: Duplex): void {
    this.#sent.set(stream, undefined);
    socket.once('close', () => this.#sent.delete(stream));
    if (this.#started) this.#send(stream);
  }

  begin(): void {
    this.#started = true;
    for (const stream of this.#sent.keys()) this.#send(stream);
    this.#options.availability.subscribe(() => {
      // A change during a round starts it again; clients that have the value already are skipped.
      this.#round = this.#sent.keys();
      this.#slices.wake();
    });
  }

  stop(): Promise<void> {
    return this.#slices.stop();
  }

  #sendSlice(): number {
    for (let count = 0; count < SLICE; count += 1) {
      const next = this.#round?.next();
      if (next === undefined || next.done === true) {
        this.#round = undefined;
        return Infinity;
      }
      this.#send(next.value);
    }
    return PAUSE;
  }

  #send(stream: Duplex): void {
    const { availability, bufferBytes } = this.#options;
    const { value } = availability;
    if (this.#sent.get(stream) === value || !this.#sent.has(stream)) return;
    if (stream.writableLength > bufferBytes()) {
      stream.destroy();
      return;
    }
    this.#sent.set(stream, value);
    stream.write(value ? FRAMES.true : FRAMES.false);
  }
}
