/**
 * Headers on their way through this program. Those that concern a single connection are removed in both directions (RFC 9110 § 7.6.1): forwarding them would
 * let one side control the connection of the other, which is how requests are smuggled.
 */

/** RFC 9110 § 7.6.1, and `Expect`, which is answered here. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info', 'expect'],
]);
/** These frame the message, name the host or show loops; `Connection` cannot remove them. */
const ALWAYS_FORWARDED = ['content-length', 'host', 'via'];

/** Names and values in turn, as they came. `connection`: the header of this name. */
export function endToEnd(raw: readonly string[], connection: string | undefined): string[] {
  const named = connection === undefined ? undefined : namedIn(connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || named?.has(lower) === true) continue;
    headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}

/** Headers that `Connection` declares to be of the connection. */
function namedIn(connection: string): ReadonlySet<string> | undefined {
  if (/^(?:keep-alive|close|upgrade)$/i.test(connection)) return undefined;
  const names = new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  for (const name of ALWAYS_FORWARDED) names.delete(name);
  return names;
}
