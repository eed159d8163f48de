/** Forwards requests of a follower's clients to the leader, and its answers to the clients, both as they arrive. */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { LeaderAddress } from '../../engine/replicas/leader-link.ts';
import type { ClientAddress } from '../server/client-address.ts';
import { endToEnd } from '../server/end-to-end.ts';
import { forwardedFor } from './peer-requests.ts';

/** `unreached`: nothing was sent, so that another leader can be asked. */
export type Forwarded = 'done' | 'unreached';

/** Milliseconds that the leader has to accept a connection. */
const CONNECT = 1000;
/** Connections that stay open for the next request. */
const MAX_FREE = 64;

export class Forwarding {
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, maxFreeSockets: MAX_FREE }),
    https: new HttpsAgent({ keepAlive: true, maxFreeSockets: MAX_FREE }),
  };
  /** The requests under way, and the leader that has each. */
  readonly #underWay = new Map<ClientRequest, string>();

  get size(): number {
    return this.#underWay.size;
  }

  /** Ends what another leader has: it may be stopped, and not answer for hours. */
  leaderIs(leader: LeaderAddress | undefined): void {
    for (const [request, id] of this.#underWay) if (id !== leader?.id) request.destroy();
  }

  close(): void {
    this.leaderIs(undefined);
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** `refuse` answers if the leader does not. */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    { leader, client, refuse }: { readonly leader: LeaderAddress; readonly client: ClientAddress; readonly refuse: () => void },
  ): Promise<Forwarded> {
    return new Promise((resolve) => {
      const outgoing = this.#open(request, leader, client);
      const isReached = reached(outgoing);
      this.#underWay.set(outgoing, leader.id);
      const gone = () => outgoing.destroy();
      response.once('close', gone);
      outgoing.once('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.rawHeaders, answer.headers.connection));
        // The events of the monitor begin with nothing but headers.
        response.flushHeaders();
        answer.pipe(response);
        answer.once('error', () => response.destroy());
        resolve('done');
      });
      outgoing.on('error', () => {
        response.off('close', gone);
        if (response.headersSent || response.destroyed) response.destroy();
        else if (!isReached() && !hasBody(request)) resolve('unreached');
        else refuse();
        resolve('done');
      });
      outgoing.once('close', () => this.#underWay.delete(outgoing));
      if (hasBody(request)) request.pipe(outgoing);
      else outgoing.end();
    });
  }

  #open(request: IncomingMessage, { address, secret }: LeaderAddress, client: ClientAddress): ClientRequest {
    const { protocol, hostname, port } = new URL(address);
    const headers = [
      ...endToEnd(request.rawHeaders, request.headers.connection),
      ...framing(request),
      ...forwardedFor(client, secret),
    ];
    const options = {
      ...{ host: hostname.replace(/^\[(.*)\]$/, '$1'), port, method: request.method, path: request.url, headers, setHost: false },
      insecureHTTPParser: false,
    };
    const outgoing =
      protocol === 'https:'
        ? httpsRequest({ ...options, agent: this.#agents.https })
        : httpRequest({ ...options, agent: this.#agents.http });
    outgoing.maxHeadersCount = 0;
    return outgoing;
  }
}

/** Gives up a connection that is not accepted in time. Returns whether anything may have been sent. */
function reached(outgoing: ClientRequest): () => boolean {
  let isConnected = false;
  outgoing.once('socket', (socket: Duplex & { readonly connecting?: boolean }) => {
    isConnected = socket.connecting !== true;
    if (isConnected) return;
    const timer = setTimeout(() => outgoing.destroy(new Error('the leader does not accept connections')), CONNECT);
    socket.once('connect', () => {
      isConnected = true;
    });
    for (const event of ['connect', 'close'])
      socket.once(event, () => {
        clearTimeout(timer);
      });
  });
  return () => isConnected;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Its length is forwarded as it is. */
function framing({ method = '', headers }: IncomingMessage): readonly string[] {
  // HTTP/1.0 needs no host.
  const host = headers.host === undefined ? ['Host', 'localhost'] : [];
  if (headers['transfer-encoding'] !== undefined) return [...host, 'Transfer-Encoding', 'chunked'];
  const isEmpty = headers['content-length'] === undefined && !/^(?:GET|HEAD|DELETE|OPTIONS)$/.test(method);
  return isEmpty ? [...host, 'Content-Length', '0'] : host;
}
