/**
 * The site of each web server, which forwards to the fleet and to the session server. Apache and nginx take the path from the request line, letter for
 * letter: a path that is decoded and encoded again is not always the same. Caddy gets the certificate itself unless one is named.
 */
import { onlyIf, renderFile, type Values } from '../template.ts';
import { portPattern } from './port-pattern.ts';
import { CONNECT_TIMEOUT, IDLE_TIMEOUT, urlHost, type ReverseProxy } from './reverse-proxy.ts';

/** Modules that the site of Apache needs, for `a2enmod`. */
export const APACHE_MODULES = ['headers', 'proxy', 'proxy_http', 'proxy_wstunnel', 'rewrite', 'ssl'] as const;

export function apacheSite(site: ReverseProxy): string {
  const { server, port, routes, tls, listen } = site;
  const { operators, reaching, ownPort } = sharedValues(site, (operatorsPort, { hostname }) => ({
    ...{ operatorsPort, operatorsName: hostname },
    listenAgain: onlyIf(operatorsPort !== listen.http && operatorsPort !== listen.https),
  }));
  const own = ownPort.length === 0 ? '' : String.raw` && !(%{THE_REQUEST} =~ m#^\S+ /${port}[/? ]#)`;
  const isSimulationServer = String.raw`%{THE_REQUEST} =~ m#^\S+ /[0-9]#${own}`;
  return renderFile('apache.conf', {
    ...{ operators, reaching, isSimulationServer },
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
export function nginxSite(site: ReverseProxy, nameservers: readonly string[]): string {
  const { server, port, routes, tls, listen, replicas = [] } = site;
  const hosts = routes.map(({ host }) => (host === 'localhost' ? '127.0.0.1' : urlHost(host)));
  const hasName = hosts.some((host) => !/^(?:[0-9.]+|\[.*\])$/.test(host));
  return renderFile('nginx.conf', {
    ...sharedValues(site, (operatorsPort, { hostname }) => ({
      ...{ operatorsName: hostname, operatorsListen: `${operatorsPort}${tls === undefined ? '' : ' ssl'}` },
    })),
    ...{ server, sessionPort: port, redirect: tls === undefined ? [] : redirectValues(server, listen) },
    sessionServer: replicas.length === 0 ? `127.0.0.1:${port}` : 'session_server',
    replicated: replicas.length === 0 ? [] : [{ replicas: replicas.map((address) => ({ address })) }],
    routes: routes.map(({ first, last }, i) => ({
      ...{ name: `port${i}`, pattern: portPattern(first, last), urlHost: hosts[i] ?? '' },
    })),
    listen: tls === undefined ? listen.http : `${listen.https} ssl`,
    tls: tlsValues(tls, /["\\$]/g),
    nameservers: nameservers.map(urlHost).join(' '),
    resolver: onlyIf(hasName),
    // The machine of a replica may be gone.
    ...{ connectTimeout: replicas.length === 0 ? CONNECT_TIMEOUT : 1, idleTimeout: IDLE_TIMEOUT },
  });
}

export function caddyfile(site: ReverseProxy): string {
  const { server, port, routes, tls, listen, replicas = [] } = site;
  const { operators, reaching } = sharedValues(site, (_, { host }) => ({
    operatorsSite: tls === undefined ? `http://${host}` : host,
  }));
  const withTls = listen.https === 443 ? server : `${server}:${listen.https}`;
  return renderFile('Caddyfile', {
    ...{ server, site: tls === undefined ? `http://${server}:${listen.http}` : withTls },
    sessionServer: replicas.length === 0 ? `127.0.0.1:${port}` : replicas.join(' '),
    replicated: onlyIf(replicas.length > 0),
    tls: tls?.own === true ? tlsValues(tls, /["\\]/g) : [],
    operators,
    routes: routes.map((route, number) => ({
      ...{ ...routeValues(route), number },
      foreign: isOwn(route, site) ? [] : [{ reaching }],
    })),
    connectTimeout: CONNECT_TIMEOUT,
  });
}

/** The section of a configuration of HAProxy that takes the place of the backend `session-server` in docs/how-to/reverse-proxies.md. */
export function haproxyBackend(replicas: readonly string[]): string {
  return renderFile('haproxy-backend.cfg', { replicas: replicas.map((address, i) => ({ address, name: `replica${i + 1}` })) });
}

/** Headers with which the answer of a simulation server would reach beyond `/PORT/`, to other pages of its name. */
const REACHING = ['Set-Cookie', 'Clear-Site-Data', 'Service-Worker-Allowed', 'Strict-Transport-Security', 'Alt-Svc', 'NEL'];

/** Sections that the sites of all web servers have. */
function sharedValues(site: ReverseProxy, operatorsValues: (port: number, origin: URL) => Values) {
  const { operators, routes } = site;
  return {
    ownPort: onlyIf(routes.some((route) => isOwn(route, site))),
    reaching: REACHING.map((header) => ({ header })),
    operators: operators === undefined ? [] : [operatorsValues(portOf(operators), operators)],
  };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** The session server by its own port, as links in e-mails name it. */
function isOwn({ first, last, host }: ReverseProxy['routes'][number], { port }: ReverseProxy): boolean {
  return first === port && last === port && host === '127.0.0.1';
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
