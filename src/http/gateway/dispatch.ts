/** Sends each request on the gateway's port to the relay or to the session server's own pages. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { destinationOf, type Destination, type GatewayRoutes } from '../../core/gateway/gateway-routes.ts';
import { answerPlainly } from '../server/plain-answers.ts';
import type { HttpServerOptions, UpgradeHandler } from '../server/server.ts';
import { relayRequest } from './relay-http.ts';
import { relayWebSocket } from './relay-websocket.ts';
import type { RelaysInFlight } from './relays-in-flight.ts';

export interface Listeners {
  readonly handle: RequestListener;
  readonly upgrade: UpgradeHandler;
}

export interface DispatchOptions {
  readonly routes: () => GatewayRoutes;
  readonly relays: RelaysInFlight;
  /** The session server's own pages and sockets. */
  readonly own: Listeners;
  /** The request opens the `/client` of a server, and the client relay serves it. */
  readonly isRelayedClient: (request: IncomingMessage) => boolean;
  /** The request names the origin of operators, where no page of a simulation server may be. */
  readonly isForOperators: (request: IncomingMessage) => boolean;
}

export type Dispatch = Listeners & Pick<HttpServerOptions, 'forwards'>;

export function createDispatch({ routes, relays, own, isRelayedClient, isForOperators }: DispatchOptions): Dispatch {
  const destinationFor = (request: IncomingMessage): Destination =>
    isForOperators(request) ? { kind: 'own' } : destinationOf(routes(), request.url ?? '');
  return {
    forwards: (request) => destinationFor(request).kind === 'relay',
    handle(request, response) {
      const destination = destinationFor(request);
      if (destination.kind === 'own') own.handle(request, response);
      else if (destination.kind === 'relay') relayRequest(relays, request, response, destination);
      else {
        response.writeHead(destination.status, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end(`${destination.reason}\n`);
      }
    },
    upgrade(request, socket, head) {
      const destination = destinationFor(request);
      if (destination.kind === 'own' || isRelayedClient(request)) own.upgrade(request, socket, head);
      else if (destination.kind === 'relay') relayWebSocket(relays, request, socket, head, destination);
      else answerPlainly(socket, destination.status, `${destination.reason}\n`);
    },
  };
}
