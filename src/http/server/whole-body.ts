/**
 * Reads the body of a request before its route answers. A route that refuses a body answers before its end, and a connection that is closed with unread bytes is
 * reset: many clients, and reverse proxies, then lose the answer and report an error of their own (RFC 9112 § 9.6). Too large a body is read on and dropped, up to a limit.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import { Pieces } from './joined-pieces.ts';

/** Bytes that are dropped of a body that is too large. */
const MAX_DROPPED = 16_777_216;
/** Seconds for which they are dropped. */
const MAX_DROPPING = 5;

/** `maxBytes`: the largest body that any route takes. `handle` gets the body as `rawBody`, where the framework looks for it; a larger one gets it in part. */
export function readBodyFirst(handle: RequestListener, maxBytes: () => number): RequestListener {
  return (incoming, outgoing) => {
    if (!hasBody(incoming)) {
      handle(incoming, outgoing);
      return;
    }
    const max = maxBytes();
    const body = new Pieces();
    let dropped = 0;
    let timer: NodeJS.Timeout | undefined;
    const go = () => {
      clearTimeout(timer);
      incoming.off('data', take).off('end', go);
      handle(Object.assign(incoming, { rawBody: body.joined() }), outgoing);
    };
    const giveUp = () => {
      incoming.pause();
      outgoing.shouldKeepAlive = false;
      go();
    };
    const take = (piece: Buffer) => {
      if (body.size <= max) body.add(piece);
      else dropped += piece.length;
      if (body.size > max) timer ??= setTimeout(giveUp, MAX_DROPPING * 1000);
      if (dropped > MAX_DROPPED) giveUp();
    };
    incoming.on('data', take).once('end', go);
    // Without its end, nobody waits for an answer.
    incoming.once('close', () => clearTimeout(timer));
  };
}

function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
