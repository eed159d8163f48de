/** Each simulation server, requested as the session server and clients do: directly, and through the reverse proxy if it is behind one. */
import type { Settings } from '../../config/settings.ts';
import { parseEndpoint, webSocketUrl, type Endpoint } from '../../core/fleet/endpoint.ts';
import { upstreamOf } from '../../core/gateway/gateway-routes.ts';
import type { OutgoingProxies } from '../../ports.ts';
import { createLoadProbe } from '../../probes/load.ts';
import { createSharedLookup } from '../../probes/shared-lookup.ts';
import { probeUpgrade } from '../../probes/upgrade.ts';
import { fault, ok, type Finding } from './finding.ts';
import { localReverseProxy, proxyAdvice, type LocalReverseProxy } from './proxy-advice.ts';

export interface ServersOptions {
  /** Seconds for each request. */
  readonly timeout: number;
  /** Seconds of a monotonic clock. */
  readonly now: () => number;
  readonly proxies?: OutgoingProxies | undefined;
}

/** A way to reach a simulation server. */
interface Way {
  readonly endpoint: Endpoint;
  readonly loadSsl: boolean;
  readonly socketSsl: boolean;
  readonly by: 'directly' | 'through the reverse proxy';
}

/** Servers requested at a time. */
const MAX_PARALLEL = 8;

/** `joined`: servers that the running session server knows in addition to its configuration. */
export async function examineServers(
  settings: Settings,
  joined: readonly Endpoint[],
  options: ServersOptions,
): Promise<Finding[]> {
  const configured = settings.simulationServers.map(({ endpoint }) => endpoint);
  const others = joined.filter(({ id }) => !configured.some((endpoint) => endpoint.id === id));
  const ways = [...configured, ...others].flatMap((endpoint) => waysTo(endpoint, settings));
  const reverseProxy = localReverseProxy(settings);
  const findings: Finding[] = [];
  for (let i = 0; i < ways.length; i += MAX_PARALLEL)
    findings.push(
      ...(await Promise.all(ways.slice(i, i + MAX_PARALLEL).map((way) => examineWay(way, reverseProxy, options)))).flat(),
    );
  return findings;
}

function waysTo(endpoint: Endpoint, { pollSsl, handOutSsl, gateway: { routes }, server }: Settings): Way[] {
  const asHandedOut = { endpoint, loadSsl: pollSsl, socketSsl: handOutSsl };
  if (!endpoint.rewritten) return [{ ...asHandedOut, by: 'directly' }];
  const upstream = upstreamOf(routes, endpoint, server);
  const host = upstream?.host.includes(':') === true ? `[${upstream.host}]` : (upstream?.host ?? '');
  const direct = upstream === undefined ? undefined : parseEndpoint(`${host}:${upstream.port}`);
  return [
    // There is no TLS behind the reverse proxy.
    ...(direct?.kind === 'endpoint'
      ? [{ endpoint: direct.endpoint, loadSsl: false, socketSsl: false, by: 'directly' } as const]
      : []),
    { ...asHandedOut, by: 'through the reverse proxy' },
  ];
}

async function examineWay(
  { endpoint, loadSsl, socketSsl, by }: Way,
  reverseProxy: LocalReverseProxy,
  { timeout, now, proxies }: ServersOptions,
): Promise<Finding[]> {
  const probe = createLoadProbe({ ssl: loadSsl, timeout, keepAlive: 1, now, names: createSharedLookup(), proxies });
  const url = `${webSocketUrl(endpoint, socketSsl)}/client`;
  const [load, socket] = await Promise.all([probe.probe(endpoint), probeUpgrade(url, { timeout, proxies })]);
  await probe.close();
  const subject = `${endpoint.address} ${by}`;
  const direct = by === 'directly';
  return [
    load.kind === 'sample'
      ? ok('load', subject, `reports ${load.load}% within ${Math.round(load.latency * 1000)} ms`)
      : fault(
          'load',
          subject,
          load.failure.reason,
          direct
            ? directAdvice(load.failure.code, `${loadSsl ? 'https' : 'http'}://${endpoint.address}/load`)
            : proxyAdvice(reverseProxy, 'load'),
        ),
    socket.kind === 'opened'
      ? ok('client-socket', subject, `opens ${url}`)
      : fault(
          'client-socket',
          subject,
          `${url} does not open: ${socket.reason}`,
          direct ? 'read the log of the simulation server' : proxyAdvice(reverseProxy, 'clientSocket'),
        ),
  ];
}

/** By the code of the failed probe. */
function directAdvice(code: string, url: string): string {
  switch (code) {
    case 'timeout':
      return 'it accepts connections but does not answer: restart the simulation server';
    case 'status':
    case 'not-a-number':
    case 'not-http':
    case 'too-long':
      return `something else answers on that port: check which program it is, and the proxy before it, and try: curl ${url}`;
    default:
      return `start the simulation server there and try: curl ${url}`;
  }
}
