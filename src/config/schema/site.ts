/** The site that clients see: its name, its port and its links. */
import { z } from 'zod';
import { addressKind } from '../../core/fleet/ip-address.ts';
import { type Problem, showValue } from '../problem.ts';
import { listenAddress, listenPort, text } from './values.ts';

/** What is written between `https://` and the port in links. A reverse proxy may add a port or a path. */
const hostInLinks = text(253).regex(/^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s\x00-\x1f\x7f<>"]+$/);

const server = hostInLinks
  .default('localhost')
  .describe('Fully qualified domain name of the session server.')
  .meta({ expected: 'a host name such as "webots.example.org", without https://' });

const ssl = z.boolean().default(true).describe('Use `https` and `wss` in the URLs given to clients and in polling.');

const port = listenPort().default(1999).describe('TCP port to listen on. Use 0 to pick any free port.').meta({ restart: true });

const portRewrite = z
  .boolean()
  .default(true)
  .describe(
    '`true` if a reverse proxy maps `https://host/PORT/` to that port. Links are then `host/1999`, otherwise `host:1999`.',
  );

const listen = listenAddress(
  'Address to listen on. `::` is IPv4 and IPv6. Behind Apache or nginx use `127.0.0.1`, which accepts only this machine.',
);

const handOutSsl = z.boolean().optional().describe('Use `wss` in the URLs given to clients.').meta({ absent: '`ssl`' });

/** The keys of the top level that this section has. */
export const siteKeys = { server, ssl, port, portRewrite, listen, handOutSsl };

interface Site {
  readonly server?: string | undefined;
  readonly portRewrite?: boolean | undefined;
}

/** With `portRewrite` the reverse proxy may have another port than 443: what links append is a path then. */
export function checkName({ server, portRewrite }: Site): Problem[] {
  if (server === undefined || portRewrite !== false || /^(?:\[[^\]]*\]|[^:/]*)$/.test(server)) return [];
  if (addressKind(server) !== undefined) return [];
  const expected = 'a host name alone, because "portRewrite" is false and links append ":" and "port"';
  return [{ key: 'server', value: showValue(server), expected, fix: 'remove what follows the host name' }];
}
