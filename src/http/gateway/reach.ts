/**
 * Response headers that reach beyond `/PORT/`. To a browser, all simulation servers and the monitor page are one origin.
 * A header that changes what the browser does with the whole origin, or with the whole host, would let the code of one
 * project act on the pages of all others. Headers that concern only the response itself are forwarded.
 */
/** Names and values in turn, as Node takes and gives them. */
export type RawHeaders = readonly string[];

/** Their effect outlives the response, and holds for the origin, the host name or the reverse proxy before the gateway. */
const TOO_FAR: ReadonlySet<string> = new Set([
  // Storage, cache and connections of the origin (Clear Site Data; RFC 7838; RFC 9842).
  ...['clear-site-data', 'alt-svc', 'use-as-dictionary'],
  // The scope of a service worker (Service Workers, "Service-Worker-Allowed").
  'service-worker-allowed',
  // How browsers connect to the host name (RFC 6797; RFC 7469; RFC 9163).
  ...['strict-transport-security', 'public-key-pins', 'public-key-pins-report-only', 'expect-ct'],
  // Where browsers report failed requests of the origin (Network Error Logging; Reporting, first version).
  ...['nel', 'report-to'],
  // What browsers send with, or how they isolate, later requests of the origin (RFC 8942; HTML, "Origin-keyed agent clusters").
  ...['accept-ch', 'accept-ch-lifetime', 'critical-ch', 'origin-agent-cluster'],
  // Sign-in state of the origin (FedCM; Device Bound Session Credentials).
  ...['set-login', 'sec-session-registration', 'secure-session-registration', 'set-cookie2'],
  // Commands to nginx and Apache, if the gateway is behind one of them: they would deliver a file of their own.
  ...['x-accel-redirect', 'x-sendfile'],
]);

/** The headers without those that reach beyond the port. `target` is the request target as the client wrote it, such as `/2000/page`. */
export function withinPort(headers: RawHeaders, target: string): string[] {
  const result: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2);
    const lower = name.toLowerCase();
    if (TOO_FAR.has(lower) || (lower === 'set-cookie' && isCookieTooFar(value, target))) continue;
    result.push(name, value);
  }
  return result;
}

/**
 * Whether the path of the request has nothing after the port, such as `/2000`. Browsers take everything up to the last
 * slash as the folder of a page, which is the whole site here.
 */
export function isOutsideFolder(target: string): boolean {
  return !/^\/[0-9]+\//.test(target);
}

/**
 * RFC 6265 § 5.2: attributes are separated by semicolons, an empty domain is ignored, and a path that does not begin with
 * a slash means the folder of the request. With several, the last one counts. Here each must be narrow.
 */
function isCookieTooFar(cookie: string, target: string): boolean {
  // Browsers disagree on control characters: some cut the cookie there.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(cookie)) return true;
  const attributes = cookie.split(';').slice(1).map(readAttribute);
  if (attributes.some(({ name, value }) => name === 'domain' && value !== '')) return true;
  const paths = attributes.filter(({ name }) => name === 'path').map(({ value }) => value);
  const port = /^\/[0-9]+/.exec(target)?.[0] ?? target;
  const isNarrow = (path: string) =>
    path.startsWith('/') ? path === port || path.startsWith(`${port}/`) : !isOutsideFolder(target);
  return !(paths.length === 0 ? ['default'] : paths).every(isNarrow);
}

function readAttribute(text: string): { readonly name: string; readonly value: string } {
  const [, name = '', value = ''] = /^([^=]*)(?:=([^]*))?$/.exec(text) ?? [];
  return { name: name.trim().toLowerCase(), value: value.trim() };
}
