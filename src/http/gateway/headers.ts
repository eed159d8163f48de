/**
 * Headers on their way through the gateway. Headers that concern a single connection are removed in both directions
 * (RFC 9110 § 7.6.1): forwarding them would let one side control the connection of the other, which is how requests are
 * smuggled. All other headers are forwarded in order and in their own spelling, because simulation servers look for
 * `Host:` letter by letter.
 */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { endToEnd } from '../server/end-to-end.ts';
import { isMonitorCookie } from '../server/monitor-cookie.ts';
import { withinPort, type RawHeaders } from './reach.ts';

export interface Forwarded {
  /** Address of the client. */
  readonly address: string;
  readonly ssl: boolean;
  /** Our name in `Via`. */
  readonly via: string;
  /** The name by which clients know us, with its port. */
  readonly host: () => string;
}

/** What these functions read of a request or response. */
export type MessageHeaders = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'>;

/** Claims about the client that only the gateway can make. */
const NOT_TRUSTED: ReadonlySet<string> = new Set([
  ...['forwarded', 'x-forwarded', 'forwarded-for', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'x-cluster-client-ip'],
  ...['x-original-url', 'x-rewrite-url'],
]);
/** The whole family, so that members to come are covered. */
const FORWARDED = /^x-forwarded-/;
/** The headers of a request without those of its connection, and with the client's address and route. */
export function requestHeaders(request: MessageHeaders, { address, ssl, via, host: own }: Forwarded): string[] {
  const headers = withoutClaims(endToEnd(request.rawHeaders, request.headers.connection));
  const host = valueOf(request.rawHeaders, 'host');
  headers.push('X-Forwarded-For', address, 'X-Forwarded-Proto', ssl ? 'https' : 'http');
  if (host !== undefined) headers.push('X-Forwarded-Host', host);
  // HTTP/1.0 needs no host, and HTTP/1.1, which the gateway sends, does (RFC 9112 § 3.2).
  else headers.push('Host', own());
  // Several `Via` lines are one list (RFC 9110 § 5.3).
  headers.push('Via', `${request.httpVersion} ${via}`);
  return headers;
}

/** The headers of a response without those of its connection, and without those that reach beyond the port. `target`: as the client wrote it. */
export function responseHeaders(
  { rawHeaders, headers }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  target: string,
): string[] {
  return withinPort(endToEnd(rawHeaders, headers.connection), target);
}

/** The reason phrase of a response, or the standard one where it has characters that are not allowed (RFC 9112 § 4). */
export function reasonPhrase({
  statusCode = 502,
  statusMessage = '',
}: Pick<IncomingMessage, 'statusCode' | 'statusMessage'>): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage) ? statusMessage : (STATUS_CODES[statusCode] ?? '');
}

/** The status line and headers of a response that is written on a bare connection. */
export function headOf(answer: Pick<IncomingMessage, 'statusCode' | 'statusMessage'>, headers: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${reasonPhrase(answer)}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** How many `Host` lines the request has. */
export function hostCount({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): number {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
}

/** Whether the request has passed through this gateway before, so that its route is a loop. */
export function cameThrough({ headers }: Pick<IncomingMessage, 'headers'>, via: string): boolean {
  return headers.via?.includes(via) === true;
}

/** The value as it was sent; the parsed headers may have been changed for our own pages. */
export function valueOf(raw: RawHeaders, lowerName: string): string | undefined {
  const index = raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === lowerName);
  return index < 0 ? undefined : raw[index + 1];
}

/** Without claims about the client, and without our own cookie. */
function withoutClaims(headers: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    // Programs that see headers as environment variables cannot distinguish `_` from `-`.
    const plain = name.toLowerCase().replaceAll('_', '-');
    if (NOT_TRUSTED.has(plain) || FORWARDED.test(plain)) continue;
    const left = plain === 'cookie' ? withoutMonitorCookie(value) : value;
    if (left !== '' || value === '') result.push(name, left);
  }
  return result;
}

function withoutMonitorCookie(cookies: string): string {
  const pairs = cookies.split(';').map((pair) => pair.trim());
  const others = pairs.filter((pair) => !isMonitorCookie(pair));
  return others.length === pairs.length ? cookies : others.join('; ');
}
