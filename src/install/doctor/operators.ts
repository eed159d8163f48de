/** What keeps pages of simulation servers away from operators: the origin on which these sign in, and the cookies of the site. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Settings } from '../../config/settings.ts';
import type { GatewayRoutes } from '../../core/gateway/gateway-routes.ts';
import { monitorCookie } from '../../http/server/monitor-cookie.ts';
import { fault, ok, warning, type Finding } from './finding.ts';
import { reason } from './reason.ts';

const REWRITE = 'write its site again: session-server setup apache (or nginx, caddy)';
/** Ports of a route that are tried. */
const MAX_TRIES = 50;

/** `timeout`: seconds for each request. */
export async function examineOperators(url: URL, settings: Settings, timeout: number): Promise<Finding[]> {
  const { origin } = settings.monitor;
  return [
    ...(origin === undefined ? [] : [await examineOrigin(origin, timeout)]),
    ...(settings.portRewrite ? await examineCookies(url, settings, timeout) : []),
  ];
}

async function examineOrigin(origin: string, timeout: number): Promise<Finding> {
  try {
    const response = await fetch(`${origin}/monitor/viewer`, { redirect: 'manual', signal: AbortSignal.timeout(timeout * 1000) });
    const { signInAt } = (await response.json()) as { signInAt?: unknown };
    if (signInAt === null) return ok('operators', origin, 'is where operators sign in');
    return fault('operators', origin, 'arrives under another name', 'let the reverse proxy pass the header "Host" on unchanged');
  } catch (error) {
    const fix = `open its port in the firewall, and ${REWRITE}; or remove "monitor.origin"`;
    return fault('operators', origin, `does not answer: ${reason(error)}`, fix);
  }
}

/** Listens where a simulation server of this machine could be, and looks at what the reverse proxy forwards to it. */
async function examineCookies(url: URL, { gateway: { routes }, port: own }: Settings, timeout: number): Promise<Finding[]> {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers);
    response.end();
  });
  if (!(await listenBehind(routes, server))) return [];
  const { port } = server.address() as AddressInfo;
  const address = new URL(`/${port}/doctor`, url).href;
  try {
    const headers = { Cookie: `${monitorCookie(own)}=doctor` };
    await (await fetch(address, { headers, signal: AbortSignal.timeout(timeout * 1000) })).text();
    const [first] = received;
    if (first === undefined) return [];
    if (first.cookie === undefined) return [ok('cookies', address, 'arrives without the cookie of the monitor page')];
    return [warning('cookies', address, 'arrives with the cookie of the monitor page', REWRITE)];
  } catch {
    // The checks of the simulation servers say why.
    return [];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** On a free port that the reverse proxy forwards to this machine. `false`: there is none. */
async function listenBehind(routes: GatewayRoutes, server: ReturnType<typeof createServer>): Promise<boolean> {
  const ports = routes
    .filter(({ host }) => host === 'localhost' || host === '127.0.0.1')
    .flatMap(({ first, last }) => Array.from({ length: Math.min(MAX_TRIES, last - first + 1) }, (_, i) => last - i));
  for (const port of ports) {
    const listens = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    server.removeAllListeners('error');
    if (listens) return true;
  }
  return false;
}
