/**
 * Two connections made one: what comes from either goes to the other, no faster than it is taken, until one of them ends; then the other ends too. Nothing is
 * understood and nothing kept, so that it costs little and cannot be wrong about what passes.
 */
import type { Socket } from 'node:net';

/** Seconds between two questions of the operating system whether a silent peer is alive. */
const ALIVE = 30;
/** Seconds in which one side has to take something of what waits for it after the other has ended; as long as for an answer by HTTP. */
const UNREAD = 30;

/** Either may be a TLS connection. `idle`: seconds nothing may pass in either direction. Resolves when both are closed. */
export function splice(a: Socket, b: Socket, idle: number): Promise<void> {
  for (const socket of [a, b]) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, ALIVE * 1000);
  }
  // Reading from one is writing to the other: one timer sees both directions, and the one that HTTP had for requests is of no use any more.
  a.setTimeout(0);
  b.setTimeout(idle * 1000, () => b.destroy());
  return new Promise((resolve) => {
    let open = 2;
    const closed = () => {
      open -= 1;
      if (open === 0) resolve();
    };
    const unread = Math.min(idle, UNREAD);
    pass(a, b, unread, closed);
    pass(b, a, unread, closed);
  });
}

function pass(from: Socket, to: Socket, unread: number, closed: () => void): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  // The close event follows.
  from.on('error', ignore);
  from.on('close', (failed) => {
    if (failed) to.destroy();
    else {
      // What was taken before the end is still delivered, to whoever takes it.
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
