/** What the gateway listens on: its own port, the redirect from plain HTTP, and the certificate for both. */
import type { Settings } from '../../config/settings.ts';
import type { Clock, Log } from '../../ports.ts';
import { startHttpServer, type HttpServer, type HttpServerOptions } from '../server/server.ts';
import { startCertificates, type Certificates } from './certificates.ts';
import type { Dispatch, Listeners } from './dispatch.ts';
import { operatorsPort } from './operators-port.ts';
import { publicAuthority } from './public-address.ts';
import { createRedirect } from './redirect.ts';

/** What both listeners share with the session server's own port. */
export type SharedListening = Pick<HttpServerOptions, 'maxClients' | 'addressOf' | 'places' | 'turnedAway'> & {
  /** Connections on the session server's own port, which count against the same maximum. */
  readonly otherConnections: () => number;
};

export interface GatewayListenersOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => Pick<Settings, 'server' | 'limits' | 'gateway' | 'monitor'>;
  /** The certificate needs a person; `reason` is a sentence. */
  readonly notify: (reason: string) => void;
}

/** Seconds a relayed body may take; the limits of the simulation server are its own business. */
const REQUEST_TIMEOUT = 600;

export class GatewayListeners {
  /** As it was at the start: TLS cannot be switched on or off while listening. */
  readonly ssl: boolean;
  readonly #options: GatewayListenersOptions;
  #server: HttpServer | undefined;
  #redirect: HttpServer | undefined;
  /** The port of `monitor.origin`: the same pages, and no simulation servers. */
  #operators: HttpServer | undefined;
  #certificates: Certificates | undefined;

  constructor(options: GatewayListenersOptions) {
    this.#options = options;
    this.ssl = options.settings().gateway.tls !== undefined;
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  get redirectPort(): number | undefined {
    return this.#redirect?.port;
  }

  /** When the certificate expires, in seconds since the epoch. */
  get expiresAt(): number | undefined {
    return this.#certificates?.expiresAt();
  }

  connections(): number {
    return this.#ownConnections() + this.#redirectConnections() + (this.#operators?.connections() ?? 0);
  }

  /** The name of the gateway in links. `ssl`: of the link's scheme. */
  publicAuthority(ssl = this.ssl): string {
    const { server, gateway } = this.#options.settings();
    return publicAuthority(server, gateway.publicPort ?? this.port ?? gateway.port, ssl);
  }

  /** Throws the `listen` error of a port. */
  async start({ otherConnections, ...shared }: SharedListening, listeners: Dispatch, own: Listeners): Promise<void> {
    const { clock, log, settings, notify } = this.#options;
    const { limits, gateway } = settings();
    const common = { ...shared, host: gateway.listen, limits };
    this.#server = await startHttpServer({
      ...{ ...common, ...listeners, port: gateway.port, tls: this.ssl, requestTimeout: REQUEST_TIMEOUT },
      otherConnections: () => otherConnections() + this.connections() - this.#ownConnections(),
    });
    const port = operatorsPort(settings());
    if (port !== undefined)
      this.#operators = await startHttpServer({
        ...{ ...common, ...own, port, tls: this.ssl },
        otherConnections: () => otherConnections() + this.connections() - (this.#operators?.connections() ?? 0),
      });
    if (gateway.redirectFrom !== undefined) {
      const redirect = createRedirect({
        host: () => this.publicAuthority(true),
        acmeDir: () => settings().gateway.acmeDir,
      });
      this.#redirect = await startHttpServer({
        ...{ ...common, ...redirect, port: gateway.redirectFrom },
        otherConnections: () => otherConnections() + this.connections() - this.#redirectConnections(),
      });
    }
    this.#certificates = await startCertificates({
      ...{ clock, log, notify },
      files: () => settings().gateway.tls,
      use: (pair) => {
        this.#server?.setCertificate(pair);
        this.#operators?.setCertificate(pair);
      },
    });
  }

  /** Accepts no new connections and ends open ones within `grace` seconds. */
  async close(grace: number): Promise<void> {
    const servers = [this.#server, this.#redirect, this.#operators];
    await Promise.all([...servers.map((server) => server?.close(grace)), this.#certificates?.stop()]);
  }

  #ownConnections(): number {
    return this.#server?.connections() ?? 0;
  }

  #redirectConnections(): number {
    return this.#redirect?.connections() ?? 0;
  }
}
