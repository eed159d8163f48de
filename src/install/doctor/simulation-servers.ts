/** Each simulation server, asked as the session server asks it and as clients do: directly, and through the front when it is behind one. */
import type { Settings } from '../../config/settings.ts';
import { parseEndpoint, webSocketUrl, type Endpoint } from '../../core/fleet/endpoint.ts';
import { upstreamOf } from '../../core/gateway/gateway-routes.ts';
import { createLoadProbe } from '../../probes/load.ts';
import { createSharedLookup } from '../../probes/shared-lookup.ts';
import { probeUpgrade } from '../../probes/upgrade.ts';
import { fault, ok, type Finding } from './finding.ts';
import { localReverseProxy, proxyAdvice, type LocalReverseProxy } from './proxy-advice.ts';

export interface ServersOptions {
  /** Seconds for each question. */
  readonly timeout: number;
  /** Seconds of a monotonic clock. */
  readonly now: () => number;
}

/** A way to a simulation server. */
interface Way {
  readonly endpoint: Endpoint;
  readonly loadSsl: boolean;
  readonly socketSsl: boolean;
  readonly by: 'directly' | 'through the front';
}

/** Servers asked at a time. */
const AT_ONCE = 8;

/** `joined`: those that the running session server knows beside its configuration. */
export async function examineServers(
  settings: Settings,
  joined: readonly Endpoint[],
  options: ServersOptions,
): Promise<Finding[]> {
  const configured = settings.simulationServers.map(({ endpoint }) => endpoint);
  const others = joined.filter(({ id }) => !configured.some((endpoint) => endpoint.id === id));
  const ways = [...configured, ...others].flatMap((endpoint) => waysTo(endpoint, settings));
  const front = localReverseProxy(settings);
  const findings: Finding[] = [];
  for (let i = 0; i < ways.length; i += AT_ONCE)
    findings.push(...(await Promise.all(ways.slice(i, i + AT_ONCE).map((way) => examineWay(way, front, options)))).flat());
  return findings;
}

function waysTo(endpoint: Endpoint, { pollSsl, handOutSsl, gateway: { routes }, server }: Settings): Way[] {
  const asHandedOut = { endpoint, loadSsl: pollSsl, socketSsl: handOutSsl };
  if (!endpoint.rewritten) return [{ ...asHandedOut, by: 'directly' }];
  const upstream = upstreamOf(routes, endpoint, server);
  const host = upstream?.host.includes(':') === true ? `[${upstream.host}]` : (upstream?.host ?? '');
  const direct = upstream === undefined ? undefined : parseEndpoint(`${host}:${upstream.port}`);
  return [
    // Behind the front nobody speaks TLS.
    ...(direct?.kind === 'endpoint'
      ? [{ endpoint: direct.endpoint, loadSsl: false, socketSsl: false, by: 'directly' } as const]
      : []),
    { ...asHandedOut, by: 'through the front' },
  ];
}

async function examineWay(
  { endpoint, loadSsl, socketSsl, by }: Way,
  front: LocalReverseProxy,
  { timeout, now }: ServersOptions,
): Promise<Finding[]> {
  const probe = createLoadProbe({ ssl: loadSsl, timeout, keepAlive: 1, now, names: createSharedLookup() });
  const url = `${webSocketUrl(endpoint, socketSsl)}/client`;
  const [load, socket] = await Promise.all([probe.probe(endpoint), probeUpgrade(url, { timeout })]);
  await probe.close();
  const subject = `${endpoint.address} ${by}`;
  const direct = by === 'directly';
  return [
    load.kind === 'sample'
      ? ok('load', subject, `reports ${load.load} % within ${Math.round(load.latency * 1000)} ms`)
      : fault(
          'load',
          subject,
          load.failure.reason,
          direct
            ? `start the simulation server there and try: curl ${loadSsl ? 'https' : 'http'}://${endpoint.address}/load`
            : proxyAdvice(front, 'load'),
        ),
    socket.kind === 'opened'
      ? ok('client-socket', subject, `opens ${url}`)
      : fault(
          'client-socket',
          subject,
          `${url} does not open: ${socket.reason}`,
          direct ? 'look into the log of the simulation server' : proxyAdvice(front, 'clientSocket'),
        ),
  ];
}
