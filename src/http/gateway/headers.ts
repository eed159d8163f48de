/**
 * Headers on their way through the gateway. What concerns one connection alone is taken out in both directions (RFC 9110 § 7.6.1): whoever passes it on lets
 * one side speak about the connection of the other, which is how requests are smuggled. The rest goes on in order, in its own spelling and unread, because
 * simulation servers look for `Host:` letter by letter.
 */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import { isMonitorCookie } from '../server/monitor-cookie.ts';

/** Names and values in turn, as Node takes and gives them. */
export type RawHeaders = readonly string[];

export interface Forwarded {
  /** Of the client. */
  readonly address: string;
  readonly ssl: boolean;
  /** Our name in `Via`. */
  readonly via: string;
  /** The name by which clients know us, with its port. */
  readonly host: () => string;
}

/** RFC 9110 § 7.6.1, and `Expect`, which is answered here, and what only we can know about the client. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info', 'expect'],
]);
const NOT_BELIEVED: ReadonlySet<string> = new Set([
  ...['forwarded', 'x-forwarded', 'forwarded-for', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'x-cluster-client-ip'],
  ...['x-original-url', 'x-rewrite-url'],
]);
/** All of this family, whatever its members are called today. */
const FORWARDED = /^x-forwarded-/;

/** The headers of a request without those of its connection, with who asks and by which way. */
export function requestHeaders(request: IncomingMessage, { address, ssl, via, host: own }: Forwarded): string[] {
  const headers = ofClient(passedOn(request.rawHeaders, request.headers.connection));
  const host = valueOf(request.rawHeaders, 'host');
  headers.push('X-Forwarded-For', address, 'X-Forwarded-Proto', ssl ? 'https' : 'http');
  if (host !== undefined) headers.push('X-Forwarded-Host', host);
  // HTTP/1.0 does without, and what we send is HTTP/1.1 (RFC 9112 § 3.2).
  else headers.push('Host', own());
  // Several `Via` lines are one list (RFC 9110 § 5.3).
  headers.push('Via', `${request.httpVersion} ${via}`);
  return headers;
}

/** The headers of an answer without those of its connection. */
export function responseHeaders(answer: IncomingMessage): string[] {
  return passedOn(answer.rawHeaders, answer.headers.connection);
}

/** The reason phrase of an answer, or the usual one for its status where it holds what no line may hold (RFC 9112 § 4). */
export function fitPhrase({ statusCode = 502, statusMessage = '' }: IncomingMessage): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage) ? statusMessage : (STATUS_CODES[statusCode] ?? '');
}

/** How many `Host` lines the request has. */
export function hostsOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
}

/** Has the request come through here before? Then the route leads back to the gateway. */
export function cameThrough(request: IncomingMessage, via: string): boolean {
  return request.headers.via?.includes(via) === true;
}

/** As it was sent; the parsed headers may have been changed for our own pages. */
function valueOf(raw: RawHeaders, lowerName: string): string | undefined {
  const index = raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === lowerName);
  return index < 0 ? undefined : raw[index + 1];
}

/** Without what only we can know about the client, and without our own cookie. */
function ofClient(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    // Programs that know headers as variables of the environment do not tell the two apart.
    const plain = name.toLowerCase().replaceAll('_', '-');
    if (NOT_BELIEVED.has(plain) || FORWARDED.test(plain)) continue;
    const left = plain === 'cookie' ? withoutMonitorCookie(value) : value;
    if (left !== '' || value === '') kept.push(name, left);
  }
  return kept;
}

function withoutMonitorCookie(cookies: string): string {
  const pairs = cookies.split(';').map((pair) => pair.trim());
  const others = pairs.filter((pair) => !isMonitorCookie(pair));
  return others.length === pairs.length ? cookies : others.join('; ');
}

function passedOn(raw: RawHeaders, connection: string | undefined): string[] {
  const named = connection === undefined ? undefined : namedIn(connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_PASSED_ON.has(lower) || named?.has(lower) === true) continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}

/** Headers that `Connection` declares to be of the connection. It cannot declare away those that frame the message or name the host. */
function namedIn(connection: string): ReadonlySet<string> | undefined {
  if (/^(?:keep-alive|close|upgrade)$/i.test(connection)) return undefined;
  const names = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  for (const name of ['content-length', 'host', 'via']) names.delete(name);
  return names;
}
