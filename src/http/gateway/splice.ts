/**
 * Joins two connections: bytes from either go to the other, no faster than they are read, until one of them ends; then the
 * other ends too. The bytes are neither parsed nor stored, so this costs little and cannot misread them.
 */
import type { Socket } from 'node:net';
import type { HeldBytes } from '../../core/gateway/waiting-bytes.ts';
import { holdUnsent } from './relay-memory.ts';

/** Seconds between two checks by the operating system that a silent peer is alive. */
const TCP_KEEP_ALIVE = 30;
/** Seconds one side may leave the remaining bytes unread after the other has ended; the same as for HTTP responses. */
const MAX_UNREAD = 30;

/** Either may be a TLS connection. `idle`: seconds without bytes in either direction after which both are closed. `held` counts what waits. Resolves when both are. */
export function splice(a: Socket, b: Socket, idle: number, held: HeldBytes): Promise<void> {
  for (const socket of [a, b]) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE * 1000);
  }
  // Reading from one means writing to the other, so one timer covers both directions. The other one is HTTP's timer for requests.
  a.setTimeout(0);
  b.setTimeout(idle * 1000, () => b.destroy());
  return new Promise((resolve) => {
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open === 0) resolve();
    };
    const waiting = (reason: string): Waiting => ({
      wait: (to) => holdUnsent(held, reason, to),
      free: () => held.set(reason, 0),
    });
    const unread = Math.min(idle, MAX_UNREAD);
    pass(a, b, unread, closed, waiting('first'));
    pass(b, a, unread, closed, waiting('second'));
  });
}

interface Waiting {
  readonly wait: (to: Socket) => void;
  readonly free: () => void;
}

function pass(from: Socket, to: Socket, unread: number, closed: () => void, { wait, free }: Waiting): void {
  from.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    wait(to);
  });
  to.on('drain', () => {
    free();
    from.resume();
  });
  from.on('end', () => to.end());
  // The close event follows.
  from.on('error', ignore);
  from.on('close', (failed) => {
    if (failed) to.destroy();
    else {
      // Bytes from before the end are still delivered, if the other side reads them.
      to.setTimeout(unread * 1000, () => to.destroy());
      to.destroySoon();
    }
    closed();
  });
  if (from.destroyed) {
    to.destroy();
    closed();
  }
}

function ignore(): void {
  // See above.
}
