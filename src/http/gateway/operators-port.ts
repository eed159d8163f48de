/** The gateway's part of `monitor.origin`: where simulation servers must not be reachable. */
import type { IncomingMessage } from 'node:http';
import type { Settings } from '../../config/settings.ts';
import { valueOf } from './headers.ts';

/** The port on which the gateway serves operators alone; `undefined`: their origin is another host name, or not ours. */
export function operatorsPort({
  monitor,
  gateway,
  server,
}: Pick<Settings, 'monitor' | 'gateway' | 'server'>): number | undefined {
  const origin = monitor.origin === undefined ? undefined : new URL(monitor.origin);
  if (origin === undefined || (origin.protocol === 'https:') !== (gateway.tls !== undefined)) return undefined;
  if (origin.hostname !== server.toLowerCase()) return undefined;
  const port = portIn(origin);
  return port === (gateway.publicPort ?? gateway.port) ? undefined : port;
}

/** The request names the origin of operators, which may be another host name on the gateway's own port. */
export function isForOperators({ rawHeaders }: IncomingMessage, origin: string | undefined): boolean {
  return origin !== undefined && valueOf(rawHeaders, 'host')?.toLowerCase() === new URL(origin).host;
}

function portIn({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
