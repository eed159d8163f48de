/** Responses written on a bare connection: to an upgrade, or to a connection without a readable request. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RefusalView } from '../../core/views/monitor-view.ts';

export function answerPlainly(
  socket: Duplex,
  status: number,
  body: string,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const fields = Object.entries({
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...headers,
  });
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  socket.on('error', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => {
    // Disconnects clients that keep sending.
    socket.destroy();
  });
}

/** The same where the path of the request is known. */
export function refusePlainly(
  socket: Duplex,
  path: string,
  { status, ...refusal }: RefusalView & { readonly status: number },
  more: Readonly<Record<string, string>> = {},
): void {
  const { body, headers } = refusalFor(path, refusal);
  answerPlainly(socket, status, body, { ...headers, ...more });
}

/** Below `/api` refusals are JSON with a code. */
export function refusalFor(
  path: string,
  refusal: RefusalView,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  return path.startsWith('/api/')
    ? { body: JSON.stringify(refusal), headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } }
    : { body: `${refusal.reason}\n`, headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
}
