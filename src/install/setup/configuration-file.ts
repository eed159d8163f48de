/** The configuration file that `session-server setup` writes: only the answers; everything else has its default. */
import type { ConfigurationFile } from '../../config/schema.ts';

export type ReverseProxyKind = 'gateway' | 'apache' | 'nginx' | 'caddy' | 'none';

/** What the operator answered. */
export interface Answers {
  /** Fully qualified domain name. */
  readonly server: string;
  readonly reverseProxy: ReverseProxyKind;
  /** As in `simulationServers`. */
  readonly simulationServers: readonly string[];
  /** Hosts by range of ports, as in `gateway.routes`. */
  readonly routes: Readonly<Record<string, string>>;
  readonly port: number;
  /** `monitor.origin`. */
  readonly monitorOrigin?: string;
  /** E-mail, when all three are known. */
  readonly administrator?: string;
  readonly mailServer?: string;
  readonly mailSender?: string;
  /** Simulation servers may register themselves with it. */
  readonly registrationToken?: string;
}

/** Where the systemd unit lets the program write. */
export const LOG_FOLDER = '/var/log/session-server';
export const STATE_FOLDER = '/var/lib/session-server';

export function configurationFile(answers: Answers): string {
  return `${JSON.stringify(configurationOf(answers), undefined, 2)}\n`;
}

function configurationOf({ server, reverseProxy, simulationServers, routes, port, ...rest }: Answers): ConfigurationFile {
  const { administrator, mailServer, mailSender, registrationToken, monitorOrigin } = rest;
  const named = Object.keys(routes).length > 0;
  return {
    server,
    ssl: reverseProxy !== 'none',
    port,
    portRewrite: reverseProxy !== 'none',
    // Behind a reverse proxy only this machine has to reach it; the gateway listens on an address of its own.
    ...(reverseProxy !== 'none' && { listen: '127.0.0.1' }),
    simulationServers: [...simulationServers],
    ...(administrator !== undefined && { administrator }),
    ...(mailServer !== undefined && { mailServer }),
    ...(mailSender !== undefined && { mailSender }),
    logDir: LOG_FOLDER,
    stateDir: STATE_FOLDER,
    ...(reverseProxy === 'gateway'
      ? {
          gateway: {
            enabled: true,
            tls: { cert: `${STATE_FOLDER}/tls/fullchain.pem`, key: `${STATE_FOLDER}/tls/privkey.pem` },
            redirectFrom: 80,
            acmeDir: `${STATE_FOLDER}/acme`,
            routes,
          },
          waiting: { relay: true },
        }
      : named && { gateway: { routes } }),
    ...(monitorOrigin !== undefined && { monitor: { origin: monitorOrigin } }),
    ...(registrationToken !== undefined && { registration: { token: registrationToken } }),
  };
}
