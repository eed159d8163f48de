/** Whether a request was sent by a page of this site. `Host` and `Origin` are headers that no script can set (Fetch § 2.2.2). */
import type { IncomingMessage } from 'node:http';

/** By a page of the same origin, or by a program. Browsers name the origin of everything that is not GET or HEAD. */
export function isSameOrigin(request: IncomingMessage): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers;
  // Where the connection is not encrypted, browsers send only `Origin`. Elsewhere, this survives any reverse proxy.
  if (site !== undefined) return isSameSite(site);
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === hostOf(request));
}

/** By the header `Sec-Fetch-Site`. */
export function isSameSite(site: string | readonly string[] | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** As it was sent: the parsed header may have been changed for the routes. */
export function hostOf({ rawHeaders }: IncomingMessage): string | undefined {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host');
  return hosts.length === 1 ? hosts[0]?.toLowerCase() : undefined;
}
