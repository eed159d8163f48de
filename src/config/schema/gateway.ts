/** The gateway, which replaces a reverse proxy. */
import { z } from 'zod';
import type { Endpoint } from '../../core/fleet/endpoint.ts';
import { parseRoutes, portBehind, upstreamOf, upstreamOfPort, type GatewayRoutes } from '../../core/gateway/gateway-routes.ts';
import { type Problem, showValue } from '../problem.ts';
import { endpointOf, type SimulationServerEntry } from './simulation-servers.ts';
import { bytes, count, listenAddress, listenPort, path, seconds } from './values.ts';

const tls = z.strictObject({
  cert: path
    .describe('File of the certificate and its chain (PEM); the path is written as in `logDir`. A new one is served within 10 s.')
    .meta({ expected: 'the path of a file such as "/etc/letsencrypt/live/webots.example.org/fullchain.pem"' }),
  key: path
    .describe('File of its private key (PEM).')
    .meta({ expected: 'the path of a file such as "/etc/letsencrypt/live/webots.example.org/privkey.pem"' }),
});

const limits = z
  .strictObject({
    relays: count(1, 100_000)
      .default(2000)
      .describe(
        'Maximum number of connections and requests forwarded at a time; a session has two connections. One address may have half of it. Each needs an additional file descriptor.',
      ),
    headerBytes: bytes(2048, 1_048_576)
      .default(65_536)
      .describe('Maximum size of the headers in an answer of a simulation server.'),
    connectTimeout: seconds(0.05, 60).default(5).describe('Time a simulation server has to accept a connection.'),
    headerTimeout: seconds(0.05, 600).default(30).describe('Time a simulation server has to begin its answer.'),
    idleTimeout: seconds(0.05, 86_400)
      .default(3600)
      .describe(
        'Idle timeout of a session or an answer. Paused simulations are silent for long periods; dead machines are detected by other means.',
      ),
    startTimeout: seconds(0.05, 600)
      .default(10)
      .describe('Time to send the start message, for a client that waits inside its progress bar.'),
  })
  .prefault({})
  .describe('How much the gateway forwards, and how long that may take.');

export const gateway = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Replace the reverse proxy: TLS, and `/PORT/…` for simulation servers. Needs no Apache or nginx.')
      .meta({ restart: true }),
    listen: listenAddress('Address to listen on for `gateway.port` and `gateway.redirectFrom`. `::` is IPv4 and IPv6.'),
    port: listenPort().default(443).describe('TCP port to listen on. Use 0 to pick any free port.').meta({ restart: true }),
    publicPort: count(1, 65_535)
      .optional()
      .describe('Port that clients connect to, if a router or a container forwards another port to `gateway.port`.')
      .meta({ absent: '`gateway.port`' }),
    tls: tls
      .optional()
      .describe("The gateway's TLS certificate. Absent: plain HTTP, for a closed network or behind another reverse proxy.")
      .meta({ absent: 'plain HTTP' }),
    redirectFrom: listenPort()
      .optional()
      .describe('Port on which plain HTTP is redirected to HTTPS. Browsers try 80. Use 0 to pick any free port.')
      .meta({ restart: true, absent: 'none' }),
    acmeDir: path
      .optional()
      .describe(
        'Folder whose `.well-known/acme-challenge/` is served on the port of `redirectFrom`, for `certbot certonly --webroot`; the path is written as in `logDir`.',
      )
      .meta({ absent: 'none', expected: 'the path of a folder' }),
    routes: z
      .record(z.string().max(20), z.string().max(253))
      .default({})
      .check(checkRoutes)
      .describe('Ports that are forwarded, and to which host. Requests for any other port are answered with 404.')
      .meta({ expected: 'hosts by range of ports in braces, such as {"2000-2999": "localhost", "3000-3999": "10.0.0.3"}' }),
    limits,
  })
  .prefault({})
  .describe('TLS and the ports of the simulation servers, without a separate reverse proxy. See `docs/how-to/gateway.md`.');

type Gateway = z.output<typeof gateway>;

/** The keys that have to fit together. */
interface Around {
  readonly gateway?: Gateway | undefined;
  readonly waiting?: { readonly relay: boolean } | undefined;
  readonly server?: string | undefined;
  readonly port?: number | undefined;
  readonly listen?: string | undefined;
  readonly ssl?: boolean | undefined;
  readonly handOutSsl?: boolean | undefined;
  readonly simulationServers?: readonly (string | SimulationServerEntry)[] | undefined;
}

export function checkGateway(around: Around): Problem[] {
  const { gateway, waiting } = around;
  if (gateway === undefined) return [];
  if (!gateway.enabled) return waiting?.relay === true ? [relayWithoutGateway] : [];
  const read = parseRoutes(gateway.routes);
  const routes = read.kind === 'routes' ? read.routes : [];
  const server = around.server ?? '';
  const behind = (around.simulationServers ?? [])
    .flatMap((entry) => endpointOf(entry) ?? [])
    .filter((endpoint) => portBehind(endpoint, server) !== undefined);
  return [
    ...(Object.keys(gateway.routes).length === 0 ? [noRoutes] : []),
    ...ownPorts(gateway, around.port, routes),
    ...(routes.length > 0 ? withoutRoute(behind, routes, server) : []),
    ...aboutPublicPort(gateway, around, behind[0]),
    ...aboutRedirect(gateway),
    ...aboutScheme(gateway, around),
  ];
}

const relayWithoutGateway: Problem = {
  key: 'waiting.relay',
  value: 'true',
  expected: 'a gateway, because clients wait on a connection to it',
  fix: 'no client waits in its progress bar until "gateway.enabled" is true; set it, or remove "waiting.relay"',
};

const noRoutes: Problem = {
  key: 'gateway.routes',
  value: 'no range of ports',
  expected: 'the ports of the simulation servers, because "gateway.enabled" is true',
  fix: 'no session can be reached through the gateway; add one, such as {"2000-2999": "localhost"}',
};

function ownPorts(gateway: Gateway, port: number | undefined, routes: GatewayRoutes): Problem[] {
  return Object.entries({ port, 'gateway.port': gateway.port, 'gateway.redirectFrom': gateway.redirectFrom })
    .filter(([, own]) => own !== undefined && upstreamOfPort(routes, own) !== undefined)
    .map(([key, own]) => ({
      key: 'gateway.routes',
      value: `a range with ${own}`,
      expected: `the ports of simulation servers alone; ${own} is "${key}"`,
      fix: 'leave the port out of the range, or choose another port',
    }));
}

function withoutRoute(behind: readonly Endpoint[], routes: GatewayRoutes, server: string): Problem[] {
  const missing = behind.find((endpoint) => !upstreamOf(routes, endpoint, server));
  if (missing === undefined) return [];
  return [
    {
      key: 'gateway.routes',
      value: `no range with ${missing.port}`,
      expected: `a range for each simulation server, because clients reach ${showValue(missing.address)} through the gateway`,
      fix: 'add its port and those of its sessions to a range',
    },
  ];
}

/** Addresses such as `host/2000` have no room for the port of the gateway, so it has to be the default port of browsers. */
function aboutPublicPort({ port, publicPort }: Gateway, { ssl = true, handOutSsl = ssl }: Around, first?: Endpoint): Problem[] {
  const usual = handOutSsl ? 443 : 80;
  const seen = publicPort ?? port;
  if (first === undefined || seen === usual || seen === 0) return [];
  return [
    {
      key: publicPort === undefined ? 'gateway.port' : 'gateway.publicPort',
      value: String(seen),
      expected: `${usual}, because clients connect to ${showValue(first.address)}, which names no other port`,
      fix: `set it to ${usual}; if a router, a container or a reverse proxy forwards ${usual} to the gateway, set "gateway.publicPort"`,
    },
  ];
}

function aboutRedirect({ redirectFrom, tls, acmeDir }: Gateway): Problem[] {
  const problems: Problem[] = [];
  if (redirectFrom !== undefined && tls === undefined)
    problems.push({
      key: 'gateway.redirectFrom',
      value: String(redirectFrom),
      expected: '"gateway.tls", because clients are redirected from that port to HTTPS',
      fix: 'set "gateway.tls", or remove "gateway.redirectFrom"',
    });
  if (acmeDir !== undefined && redirectFrom === undefined)
    problems.push({
      key: 'gateway.acmeDir',
      value: showValue(acmeDir),
      expected: '"gateway.redirectFrom", because the folder is served on that port',
      fix: 'set "gateway.redirectFrom" to 80, or remove "gateway.acmeDir"',
    });
  return problems;
}

/** Clients would be sent to `ws://`, at a port that accepts TLS only. */
function aboutScheme({ tls }: Gateway, { ssl = true, handOutSsl }: Around): Problem[] {
  const [key, isSecure] = handOutSsl === undefined ? (['ssl', ssl] as const) : (['handOutSsl', handOutSsl] as const);
  if (tls === undefined || isSecure) return [];
  return [
    {
      key,
      value: 'false',
      expected: 'true, because "gateway.tls" is set, and clients would connect to the gateway without TLS',
      fix: 'set it to true, or remove "gateway.tls"',
    },
  ];
}

const EVERYWHERE = '::';

/** What keeps the program from starting: the second listener on one port would fail, and blame another program. */
export function sharedPorts({ listen = EVERYWHERE, port, gateway }: Around): Problem[] {
  if (gateway?.enabled !== true) return [];
  const listeners = [
    { key: 'port', port, address: listen },
    { key: 'gateway.port', port: gateway.port, address: gateway.listen },
    { key: 'gateway.redirectFrom', port: gateway.redirectFrom, address: gateway.listen },
  ].filter(({ port = 0 }) => port > 0);
  return listeners.flatMap(({ key, port, address }, i): Problem[] => {
    const before = listeners
      .slice(0, i)
      .find((other) => other.port === port && (other.address === address || isEverywhere(other.address, address)));
    if (before === undefined) return [];
    return [{ key, value: showValue(port), expected: `another port than "${before.key}"`, fix: 'choose two different ports' }];
  });
}

function isEverywhere(...addresses: readonly string[]): boolean {
  return addresses.includes(EVERYWHERE) || addresses.includes('0.0.0.0');
}

function checkRoutes({ value, issues }: z.core.ParsePayload<Record<string, string>>): void {
  const result = parseRoutes(value);
  if (result.kind === 'routes') return;
  for (const { range, reason } of result.problems)
    issues.push({ code: 'custom', input: value, message: `"${range}": ${reason}` });
}
