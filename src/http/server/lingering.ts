/**
 * Answers to requests whose bodies are not read to the end. A connection that is closed with unread bytes is reset: many clients, and reverse proxies, then lose
 * the answer and report an error of their own. So what still comes is read and dropped, up to a limit, before the connection is closed (RFC 9112 § 9.6).
 */
import type { IncomingMessage, RequestListener } from 'node:http';

/** Bytes that are dropped of a body. */
const MAX_DROPPED = 16_777_216;
/** Smaller pieces of them cost as much time. */
const PIECE = 1024;
/** Seconds for which they are dropped; as long as nginx does, and as a body may take. */
const MAX_DROPPING = 30;

export function withLingering(handle: RequestListener): RequestListener {
  return (incoming, outgoing) => {
    if (hasBody(incoming))
      // Before the listener of Node's own that closes the connection.
      outgoing.prependOnceListener('finish', () => {
        if (!incoming.complete) linger(incoming);
      });
    handle(incoming, outgoing);
  };
}

function linger(incoming: IncomingMessage): void {
  const { socket } = incoming;
  let left = MAX_DROPPED;
  let isClosing = false;
  const timer = setTimeout(() => socket.destroy(), MAX_DROPPING * 1000);
  // Node calls this for a connection that ends with its answer. Its own function would not wait for the client.
  socket.destroySoon = () => {
    isClosing = true;
    socket.end();
  };
  // A listener that kept the pieces, or paused the body until they are used, has no use for the rest.
  incoming.removeAllListeners('data');
  incoming.on('data', (piece: Buffer) => {
    left -= Math.max(PIECE, piece.length);
    if (left < 0) socket.destroy();
  });
  incoming.once('end', () => {
    clearTimeout(timer);
    Reflect.deleteProperty(socket, 'destroySoon');
    if (isClosing) socket.destroySoon();
  });
  socket.once('close', () => clearTimeout(timer));
  incoming.resume();
}

function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
