/** The gateway's own address as it appears in links. `server` is the configuration key, with or without a port. */
import { hostInUrl, parseEndpoint } from '../../core/fleet/endpoint.ts';

/** `server` without its port, as it is written in a URL. */
export function publicHost(server: string): string {
  const own = parseEndpoint(server);
  return own.kind === 'endpoint' && own.endpoint.path === undefined ? hostInUrl(own.endpoint.host) : server;
}

/** `server` with the port, unless that is the default of the scheme or `server` has a port of its own. */
export function publicAuthority(server: string, port: number, ssl: boolean): string {
  const host = hostInUrl(server);
  if (port === (ssl ? 443 : 80) || /[:/][0-9]+$/.test(host)) return host;
  return `${host}:${port}`;
}
