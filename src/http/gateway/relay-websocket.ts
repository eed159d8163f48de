/** Relays a WebSocket: the opening request as HTTP, then bytes in both directions. */
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerPlainly } from '../server/plain-answers.ts';
import type { HeldBytes } from '../../core/gateway/waiting-bytes.ts';
import { cut } from './cut.ts';
import { headOf, responseHeaders } from './headers.ts';
import { refusalHeaders, refuseUpgrade, UNSUPPORTED_CONNECTION, type Refusal } from './relay-refusal.ts';
import type { RelaysInFlight, RelayTarget } from './relays-in-flight.ts';
import { splice } from './splice.ts';
import type { UpstreamRequest } from './upstream-request.ts';

/** Bytes that a client may send before its WebSocket is open; well-behaved clients send none. */
export const MAX_EARLY_BYTES = 16_384;

export function relayWebSocket(
  relays: RelaysInFlight,
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
  target: RelayTarget,
): void {
  const refuse = (refusal: Refusal, why?: string) => {
    relays.refused(refusal, target, why);
    answerPlainly(stream, refusal.status, `${refusal.reason}\n`, refusalHeaders(refusal));
  };
  const refusal = relays.refusalOf(request) ?? refuseUpgrade(request);
  // Under HTTP there is always a socket, of TCP or of TLS.
  if (refusal !== undefined || !(stream instanceof Socket)) {
    refuse(refusal ?? UNSUPPORTED_CONNECTION);
    return;
  }
  let step: 'abandoned' | 'answered' | 'failed' = 'abandoned';
  const client = new UpgradingClient(stream, head, request.url ?? '');
  const upstream: UpstreamRequest = relays.requestUpstream(request, target, UPGRADE_HEADERS, {
    failed(failure) {
      if (step === 'answered') {
        relays.broke(failure, target);
        cut(stream, true);
      } else refuse(failure.refusal, failure.why);
      step = 'failed';
    },
    responded(answer) {
      step = 'answered';
      upstream.limitIdle(relays.idleTimeout, () => stream.writableLength > 0);
      client.answer(answer, relays.idleTimeout);
    },
    upgraded(answer, socket, first) {
      step = 'answered';
      held.set('request', 0);
      client.open(answer, socket, first, relays.idleTimeout, held);
    },
  });
  const end = () => {
    upstream.end();
    stream.destroy();
  };
  const { held, remove } = relays.add(request, 'webSockets', end);
  stream.once('close', () => {
    remove();
    if (step !== 'failed') relays.count(step);
    upstream.end();
  });
  upstream.send();
}

const UPGRADE_HEADERS = ['Connection', 'Upgrade', 'Upgrade', 'websocket'] as const;

/** A client whose WebSocket is not open yet. It is read meanwhile, because a socket that is not being read never reports its end. */
class UpgradingClient {
  readonly #stream: Socket;
  readonly #earlyBytes: Buffer[];
  /** What the client asked for. */
  readonly #target: string;
  #free = MAX_EARLY_BYTES;

  constructor(stream: Socket, head: Buffer, target: string) {
    this.#stream = stream;
    this.#earlyBytes = [head];
    this.#target = target;
    stream.on('data', this.#keep);
    stream.once('end', this.#leave);
    // The close event follows.
    stream.on('error', () => undefined);
  }

  /** The simulation server has no WebSocket there. The client gets its response instead, and has `idle` seconds to read it. */
  answer(answer: IncomingMessage, idle: number): void {
    const stream = this.#stream;
    // The connection of the server may be closed long before the client has read everything.
    stream.setTimeout(idle * 1000, () => stream.destroy());
    stream.once('finish', () => stream.destroy());
    stream.off('data', this.#keep);
    stream.resume();
    stream.write(headOf(answer, [...responseHeaders(answer, this.#target), 'Connection', 'close']));
    answer.pipe(stream);
  }

  /** From now on bytes pass in both directions. `first`: what the simulation server sent already. */
  open(answer: IncomingMessage, socket: Socket, first: Buffer, idle: number, held: HeldBytes): void {
    const stream = this.#stream;
    stream.write(headOf(answer, [...responseHeaders(answer, this.#target), ...UPGRADE_HEADERS]));
    if (first.length > 0) stream.write(first);
    for (const bytes of this.#earlyBytes) socket.write(bytes);
    stream.off('data', this.#keep);
    stream.off('end', this.#leave);
    void splice(stream, socket, idle, held);
    stream.resume();
  }

  readonly #keep = (bytes: Buffer): void => {
    this.#earlyBytes.push(bytes);
    this.#free -= bytes.length;
    if (this.#free < 0) this.#stream.pause();
  };

  readonly #leave = (): void => {
    this.#stream.destroy();
  };
}
