/**
 * Headers on their way through the gateway. What concerns one connection alone is taken out in both directions (RFC 9110 § 7.6.1): whoever passes it on lets
 * one side speak about the connection of the other, which is how requests are smuggled. The rest goes on in order, in its own spelling and unread, because
 * simulation servers look for `Host:` letter by letter.
 */
import type { IncomingMessage } from 'node:http';

/** Names and values in turn, as Node takes and gives them. */
export type RawHeaders = readonly string[];

export interface Forwarded {
  /** Of the client. */
  readonly address: string;
  readonly ssl: boolean;
  /** Our name in `Via`. */
  readonly via: string;
}

/** RFC 9110 § 7.6.1, and `Expect`, which is answered here, and what only we can know about the client. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info', 'expect'],
]);
const NOT_BELIEVED: ReadonlySet<string> = new Set([
  ...['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip'],
]);

/** The headers of a request without those of its connection, with who asks and by which way. */
export function requestHeaders(request: IncomingMessage, { address, ssl, via }: Forwarded): string[] {
  const headers = passedOn(request.rawHeaders, request.headers.connection, NOT_BELIEVED);
  const host = valueOf(request.rawHeaders, 'host');
  headers.push('X-Forwarded-For', address, 'X-Forwarded-Proto', ssl ? 'https' : 'http');
  if (host !== undefined) headers.push('X-Forwarded-Host', host);
  // Several `Via` lines are one list (RFC 9110 § 5.3).
  headers.push('Via', `${request.httpVersion} ${via}`);
  return headers;
}

/** The headers of an answer without those of its connection. */
export function responseHeaders(answer: IncomingMessage): string[] {
  return passedOn(answer.rawHeaders, answer.headers.connection);
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

function passedOn(raw: RawHeaders, connection: string | undefined, alsoNot?: ReadonlySet<string>): string[] {
  const named = connection === undefined ? undefined : namedIn(connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_PASSED_ON.has(lower) || named?.has(lower) === true || alsoNot?.has(lower) === true) continue;
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
