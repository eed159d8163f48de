/** Ends a connection in the middle of a response. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * The client must not take a response that broke off for a complete one. Where the end of the connection is the end of
 * the response, only a reset shows it. With TLS, the missing closing message does.
 */
export function cut(socket: Socket, isEndedByClose: boolean): void {
  if (isEndedByClose && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else socket.destroy();
}
