/**
 * The site of each web server, which forwards to the fleet and to the session server. Apache and nginx take the path from the request line, letter for
 * letter: a path that is decoded and encoded again is not always the same. Caddy gets the certificate itself unless one is named.
 */
import { onlyIf, renderFile, type Values } from '../template.ts';
import { portPattern } from './port-pattern.ts';
import { CONNECT_TIMEOUT, IDLE_TIMEOUT, urlHost, type ReverseProxy } from './reverse-proxy.ts';

/** Modules that the site of Apache needs, for `a2enmod`. */
export const APACHE_MODULES = ['headers', 'proxy', 'proxy_http', 'proxy_wstunnel', 'rewrite', 'ssl'] as const;

export function apacheSite({ server, port, routes, tls, listen }: ReverseProxy): string {
  return renderFile('apache.conf', {
    ...{
      server,
      sessionPort: port,
      routes: routes.map(routeValues),
      redirect: tls === undefined ? [] : redirectValues(server, listen),
    },
    modules: APACHE_MODULES.filter((name) => name !== 'ssl' || tls !== undefined).join(' '),
    port: tls === undefined ? listen.http : listen.https,
    scheme: tls === undefined ? 'http' : 'https',
    tls: tlsValues(tls, /["\\]/g),
    ...{ connectTimeout: CONNECT_TIMEOUT, idleTimeout: IDLE_TIMEOUT },
  });
}

/** `nameservers`: of this machine. nginx resolves names itself, and does not read /etc/hosts. */
export function nginxSite({ server, port, routes, tls, listen }: ReverseProxy, nameservers: readonly string[]): string {
  const hosts = routes.map(({ host }) => (host === 'localhost' ? '127.0.0.1' : urlHost(host)));
  const hasName = hosts.some((host) => !/^(?:[0-9.]+|\[.*\])$/.test(host));
  return renderFile('nginx.conf', {
    ...{ server, sessionPort: port, redirect: tls === undefined ? [] : redirectValues(server, listen) },
    routes: routes.map(({ first, last }, i) => ({
      ...{ name: `port${i}`, pattern: portPattern(first, last), urlHost: hosts[i] ?? '' },
    })),
    listen: tls === undefined ? listen.http : `${listen.https} ssl`,
    tls: tlsValues(tls, /["\\$]/g),
    nameservers: nameservers.map(urlHost).join(' '),
    resolver: onlyIf(hasName),
    ...{ connectTimeout: CONNECT_TIMEOUT, idleTimeout: IDLE_TIMEOUT },
  });
}

export function caddyfile({ server, port, routes, tls, listen }: ReverseProxy): string {
  const withTls = listen.https === 443 ? server : `${server}:${listen.https}`;
  return renderFile('Caddyfile', {
    ...{ server, site: tls === undefined ? `http://${server}:${listen.http}` : withTls, sessionPort: port },
    tls: tls?.own === true ? tlsValues(tls, /["\\]/g) : [],
    routes: routes.map((route, number) => ({ ...routeValues(route), number })),
    connectTimeout: CONNECT_TIMEOUT,
  });
}

/** From plain HTTP to HTTPS. */
function redirectValues(server: string, { http, https }: ReverseProxy['listen']): readonly Values[] {
  return [{ httpPort: http, site: `https://${server}${https === 443 ? '' : `:${https}`}` }];
}

function routeValues({ first, last, host }: ReverseProxy['routes'][number]): Values {
  const ports = first === last ? `Port ${first}` : `Ports ${first} to ${last}`;
  return { ports, host, urlHost: urlHost(host), pattern: portPattern(first, last) };
}

/** `special`: characters that need a backslash between double quotes. */
function tlsValues(tls: ReverseProxy['tls'], special: RegExp): readonly Values[] {
  if (tls === undefined) return [];
  const quoted = (path: string) => path.replace(special, '\\$&');
  return [{ cert: quoted(tls.cert), key: quoted(tls.key) }];
}
