/**
 * The port of a replica, which is open for as long as the program runs. While it leads, its edge answers. While it follows, it keeps the WebSockets of its
 * clients, and forwards all other requests to the leader. A change of the leader closes no WebSocket.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Settings } from '../../config/settings.ts';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import type { Channel } from '../../engine/replicas/channel.ts';
import type { LeaderAddress } from '../../engine/replicas/leader-link.ts';
import type { ReplicaWatch } from '../../engine/replicas/replica-watch.ts';
import type { WaitingClients } from '../../engine/replicas/waiting-clients.ts';
import type { StartupGate } from '../../engine/startup-gate.ts';
import type { Topic } from '../../engine/topic.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import type { EdgePort, Serving } from '../edge-port.ts';
import { createAvailabilitySocket, type AvailabilitySocket } from '../clients/availability-socket.ts';
import { createSessionSocket, SESSION_PROTOCOL } from '../clients/session-socket.ts';
import { isOfHolder } from '../operators/credentials.ts';
import { clientAddresses, type ClientAddresses } from '../server/client-address.ts';
import { CORS } from '../server/cors.ts';
import { budgetDescriptors, budgetRelays, readDescriptorLimit } from '../server/descriptors.ts';
import { answerPlainly } from '../server/plain-answers.ts';
import { toListener } from '../server/routes.ts';
import { startHttpServer, type HttpServer, type TurnedAway } from '../server/server.ts';
import { createSockets, type Sockets } from '../server/sockets.ts';
import { createFollowerRoutes, explanation, isOfFollower, PLAIN } from './follower-routes.ts';
import { Forwarding } from './forwarding.ts';
import { channelOf, LINK_LIMITS, LINK_PROTOCOL } from './link-socket.ts';
import { LINK_PATH, PeerRequests, replicaOf } from './peer-requests.ts';

export interface ReplicaPortOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** The present ones. */
  readonly settings: () => Settings;
  readonly watch: Pick<ReplicaWatch, 'replication' | 'view'>;
  readonly clients: WaitingClients;
  readonly availability: Topic<boolean>;
  /** The availability is known. */
  readonly answers: StartupGate;
  /** Why no session can start now; `undefined`: one can. */
  readonly whyClosed: () => string | undefined;
  /** By which replicas recognize each other. */
  readonly secret: () => string | undefined;
  /** `undefined`: none is known. */
  readonly leader: () => LeaderAddress | undefined;
  /** Clients may come while it follows: a leader is known, or another one is about to lead. */
  readonly serves: () => boolean;
  /** A follower opened a link while this replica leads. */
  readonly linked: (channel: Channel, replica: string) => void;
}

export interface ReplicaPort {
  readonly edgePort: EdgePort;
  /** Another leader is known, or none. */
  leaderChanged(): void;
  reconfigure(): void;
  /** Disconnects all clients within `grace` seconds. */
  close(grace: number): Promise<void>;
}

/** Seconds that a request waits for a leader, while another one is about to lead. */
const PATIENCE = 5;
/** Requests that are forwarded or wait for a leader, if the descriptors suffice. */
const MAX_FORWARDED = 2000;
const MISDIRECTED = 'This request claims to come from a replica of this session server, and does not.\n';

/** Throws the `listen` error of the port. */
export async function startReplicaPort(options: ReplicaPortOptions): Promise<ReplicaPort> {
  const replicaPort = new PortOfReplica(options);
  await replicaPort.listen();
  return replicaPort;
}

class PortOfReplica implements ReplicaPort {
  readonly #options: ReplicaPortOptions;
  readonly #peers: PeerRequests;
  readonly #addresses: ClientAddresses;
  readonly #own: RequestListener;
  readonly #forwarding = new Forwarding();
  readonly #links = new WebSocketServer({ ...LINK_LIMITS, noServer: true, clientTracking: false });
  readonly #availability: AvailabilitySocket;
  readonly #sockets: Sockets;
  readonly #descriptors = readDescriptorLimit();
  readonly #shares = new PerClientCounts();
  /** What this replica answers with while it leads. */
  #serving: Serving | undefined;
  #server: HttpServer | undefined;
  /** Requests that wait for a leader. */
  readonly #waiting = new Set<() => void>();

  constructor(options: ReplicaPortOptions) {
    this.#options = options;
    const { clock, log, settings, secret } = options;
    this.#peers = new PeerRequests(secret);
    this.#addresses = clientAddresses(settings);
    const addressOf = this.#peers.addressOf(this.#addresses.of);
    this.#own = toListener(createFollowerRoutes({ ...options, addressOf }));
    const bufferBytes = () => settings().limits.bufferBytes;
    const { availability, answers, clients, whyClosed } = options;
    this.#availability = createAvailabilitySocket({ clock, log, bufferBytes, availability, ready: answers.ready });
    this.#sockets = createSockets({
      ...{ clock, log, bufferBytes, addressOf, subprotocols: [SESSION_PROTOCOL] },
      maxSockets: () => this.#maxClients(),
      allowedOrigins: () => settings().allowedOrigins,
      handlers: {
        '/': this.#availability.handler,
        '/session': createSessionSocket({
          ...{ queue: clients, log, ready: Promise.resolve(), addressOf, bufferBytes, whyClosed },
          sent: (...arrival) => this.#serving?.sent(...arrival),
        }),
      },
      relayOf: (path) => this.#serving?.relayOf(path),
    });
  }

  get edgePort(): EdgePort {
    return {
      port: this.#server?.port ?? 0,
      addresses: { ...this.#addresses, of: this.#peers.addressOf(this.#addresses.of) },
      ...{ shares: this.#shares, sockets: this.#sockets },
      connections: () => this.#server?.connections() ?? 0,
      serve: (serving) => this.#serve(serving),
    };
  }

  async listen(): Promise<void> {
    const { listen: host, port, limits } = this.#options.settings();
    this.#server = await startHttpServer({
      ...{ host, port, limits, addressOf: this.#peers.addressOf(this.#addresses.of), maxClients: () => this.#maxClients() },
      handle: (request, response) => this.#handle(request, response),
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      places: {
        ...{ peerKey: this.#addresses.peerKey, shares: this.#shares },
        isPrivileged: (request) => this.#isPrivileged(request),
      },
      turnedAway: (why, request) => this.#turnedAway(why, request as IncomingMessage),
      otherConnections: () => this.#serving?.otherConnections() ?? 0,
      forwards: () => this.#serving === undefined,
    });
  }

  leaderChanged(): void {
    this.#forwarding.leaderIs(this.#options.leader());
    this.#wake();
  }

  reconfigure(): void {
    this.#addresses.reconfigure();
  }

  async close(grace: number): Promise<void> {
    this.#wake();
    this.#forwarding.close();
    await Promise.all([this.#availability.stop(), this.#sockets.close(grace), this.#server?.close(grace)]);
  }

  #serve(serving: Serving): () => void {
    this.#serving = serving;
    this.#wake();
    return () => {
      if (this.#serving === serving) this.#serving = undefined;
    };
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const sender = this.#peers.senderOf(request);
    if (sender === 'impostor') answer(response, 421, MISDIRECTED);
    else if (this.#serving !== undefined) this.#serving.handle(request, response);
    // Forwarded once, and not again.
    else if (sender === 'replica') this.#refuse(response);
    else if (isOfFollower(request.url ?? '')) this.#own(request, response);
    else void this.#forward(request, response);
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, leader: leaderNow, serves } = this.#options;
    const until = clock.now() + PATIENCE;
    let unreached: string | undefined;
    while (!response.destroyed) {
      const serving = this.#serving;
      const leader = leaderNow();
      if (serving !== undefined) {
        serving.handle(request, response);
        return;
      }
      if (!serves() || this.#forwarding.size + this.#waiting.size >= this.#maxForwarded()) break;
      if (leader !== undefined && leader.id !== unreached) {
        const refuse = () => this.#refuse(response);
        const client = this.#addresses.of(request);
        if ((await this.#forwarding.forward(request, response, { leader, client, refuse })) === 'done') return;
        unreached = leader.id;
      }
      if (clock.now() >= until) break;
      await this.#leaderChange(until - clock.now(), response);
    }
    if (!response.destroyed) this.#refuse(response);
  }

  /** Waits for another leader, for as long as the client does. */
  async #leaderChange(seconds: number, response: ServerResponse): Promise<void> {
    const timer = new AbortController();
    const wake = () => timer.abort();
    this.#waiting.add(wake);
    response.once('close', wake);
    await this.#options.clock.sleep(seconds, timer.signal);
    response.off('close', wake);
    this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const sender = this.#peers.senderOf(request);
    const isLink = request.url === LINK_PATH;
    if (sender === 'impostor' || (isLink && sender !== 'replica')) answerPlainly(socket, 421, MISDIRECTED);
    else if (isLink) this.#link(request, socket, head);
    else if (sender === 'replica' || (this.#serving === undefined && !this.#options.serves()))
      answerPlainly(socket, 503, explanation(this.#options.watch.replication()), { 'Retry-After': 1 });
    else this.#sockets.upgrade(request, socket, head);
  }

  #link(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { clock, log, linked, watch } = this.#options;
    const replica = replicaOf(request);
    if (this.#serving === undefined) {
      answerPlainly(socket, 503, explanation(watch.replication()), { 'Retry-After': 1 });
    } else if (replica === undefined || request.headers['sec-websocket-protocol'] !== LINK_PROTOCOL) {
      answerPlainly(socket, 400, 'Give all replicas the same version.\n');
    } else {
      socket.on('error', () => undefined);
      this.#links.handleUpgrade(request, socket, head, (link) => linked(channelOf(link, { clock, log }), replica));
    }
  }

  #refuse(response: ServerResponse): void {
    answer(response, 503, explanation(this.#options.watch.replication()), { 'Retry-After': '1' });
  }

  #maxClients(): number {
    const { simulationServers, limits } = this.#options.settings();
    const taken = simulationServers.length + this.#maxForwarded();
    return this.#serving?.maxClients() ?? budgetDescriptors(this.#descriptors, taken, limits.clients).clients;
  }

  /** Each needs a descriptor besides that of its client. */
  #maxForwarded(): number {
    const { simulationServers } = this.#options.settings();
    const wanted = Math.min(MAX_FORWARDED, Math.floor((this.#descriptors ?? Infinity) / 8));
    return budgetRelays(this.#descriptors, simulationServers.length, wanted);
  }

  #isPrivileged(request: IncomingMessage): boolean {
    if (this.#peers.senderOf(request) === 'replica') return true;
    return this.#addresses.of(request).limitKey === undefined || isOfHolder(request, this.#options.settings().admin.tokens);
  }

  #turnedAway(why: TurnedAway, request: IncomingMessage): void {
    const { address } = this.#addresses.of(request);
    if (this.#serving !== undefined) this.#serving.turnedAway(why, address);
    else
      this.#options.log.limited('warn', why, `clients are turned away: ${this.#maxClients()} connections are possible`, {
        address,
      });
  }
}

function answer(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...PLAIN, ...CORS, Connection: 'close', ...headers }).end(text);
}
