/** What waits in the gateway because one side does not read, counted in bytes. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { HeldBytes } from '../../core/gateway/waiting-bytes.ts';
import type { RawHeaders } from './reach.ts';

/** Maximum bytes that all relays together may hold. Above it, the relay that holds the most is ended. */
export const MAX_WAITING = 134_217_728;
/** A connection that is not read any more still has what it read last: at most one read of the operating system. */
const LAST_READ = 65_536;
/** What a packet costs besides its bytes while it is a part of an incomplete message. */
const PACKET = 128;
/** Bytes of a control frame besides its payload (RFC 6455 § 5.2). */
const CONTROL_FRAME = 6;

/** Something with a buffer of what was written and not sent. */
type Sink = Pick<Duplex, 'writableLength'>;

/** `to` does not take more: counts what waits for it, and what its source has read already. */
export function holdUnsent(held: HeldBytes, reason: string, to: Sink): void {
  held.set(reason, to.writableLength + LAST_READ);
}

/** Counts the parts of messages that are not complete yet. `stream` is the connection under the WebSocket. */
export function holdIncomplete(held: HeldBytes, reason: string, socket: WebSocket, stream: Duplex): void {
  let bytes = 0;
  const count = (now: number) => {
    bytes = Math.max(0, now);
    held.set(reason, bytes);
  };
  // Before the WebSocket itself reads them.
  stream.prependListener('data', (chunk: Buffer) => count(bytes + chunk.length + PACKET));
  socket.prependListener('message', () => count(0));
  for (const control of ['ping', 'pong'] as const)
    socket.on(control, (payload: Buffer) => count(bytes - payload.length - CONTROL_FRAME - PACKET));
}

/** Headers are kept until the message that they belong to has ended. */
export function sizeOfHeaders(raw: RawHeaders): number {
  return raw.reduce((sum, text) => sum + text.length, 0);
}
