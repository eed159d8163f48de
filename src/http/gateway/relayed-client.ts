/**
 * One client of the relay, from its connection to its end.
 *
 *     arrived ──(start message)──▶ waiting ──(allocated)──▶ connecting ──(stream)──▶ in-session
 *        │                            ▲                         │                        │
 *        └──(was sent to a server)────┼────────▶ connecting     │                        │
 *                                     └──────(server failed)────┘                        │
 *     any state ──(client left or was disconnected)──▶ gone ◀──────(server ended it)─────┘
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import {
  retryMessages,
  errorMessage,
  isFailure,
  isStream,
  positionMessages,
  shutdownMessage,
} from '../../core/gateway/client-messages.ts';
import { readStartMessage } from '../../core/gateway/start-message.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { Outcome, SessionRequest, Waiter, Waiting } from '../../engine/request-types.ts';
import type { Clock, Log } from '../../ports.ts';
import type { ClientAddress } from '../server/client-address.ts';
import { onceGone } from '../server/sockets.ts';
import { openingHeaders, refuseAddress, ServerConnection, type ClientUrl, type Message } from './server-connection.ts';

export interface RelayedClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly queue: Pick<QueueService, 'wait' | 'requeue' | 'release' | 'connected'>;
  /** Resolves when answers may be given. */
  readonly ready: Promise<unknown>;
  readonly limits: () => ClientRelayLimits;
  /** Where the `/client` of a simulation server is; `undefined` when it is not in the fleet any more. */
  readonly clientUrl: (id: ServerId) => ClientUrl | undefined;
  readonly ssl: boolean;
  /** Our name in `Via`. */
  readonly via: string;
}

export interface ClientRelayLimits {
  /** No more may be relayed, in total or for this client. */
  readonly isFull: (client: ClientAddress) => boolean;
  /** Seconds a client has to send its start message. */
  readonly startTimeout: number;
  /** Seconds a simulation server has to open the connection. */
  readonly connectTimeout: number;
}

export interface Arrival {
  readonly address: SessionRequest['address'];
  /** Its session request already counted against the limits of its address. */
  readonly counted: boolean;
  /** The code of a class with which it asked. */
  readonly code?: string;
  /** Absent: the client has no server yet. */
  readonly sentTo?: { readonly server: ServerId; readonly bookingId?: string };
}

export type SessionOutcome = 'begun' | 'second-chance' | 'failed' | 'refused' | 'abandoned';

export interface ClientConnection {
  readonly socket: WebSocket;
  /** The connection under it. */
  readonly stream: Duplex;
  readonly request: IncomingMessage;
}

/** A server that the client is on, or is being connected to. */
interface Placement {
  readonly server: ServerId;
  connection: ServerConnection | undefined;
  /** When a drain may end the session, in seconds since the epoch. */
  endsAt: number | undefined;
  announcedEnd: number | undefined;
}

type State =
  | { readonly kind: 'arrived'; readonly left: AbortController }
  | { readonly kind: 'waiting'; readonly left: AbortController; place: Waiting | undefined }
  | { readonly kind: 'connecting' | 'in-session'; readonly placement: Placement }
  | { readonly kind: 'gone' };

/** Further servers that are tried for one client. */
const MAX_RETRIES = 2;
/** Seconds between two lines for a client whose position does not change. */
const REPEAT_POSITION = 20;
/** Messages of a client that are kept until its server is connected; well-behaved clients send none but the first. */
const MAX_QUEUED = 16;
/** Maximum size of a `start` message in bytes: a URL and a few words. */
const MAX_START = 4096;
/** RFC 6455 § 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;
const INTERNAL_ERROR = 1011;
const NO_CODE = 1005;
/** Codes that describe how a connection ended and must not appear in a frame. */
const NEVER_SENT: ReadonlySet<number> = new Set([1004, 1006, 1015]);

export class RelayedClient implements Waiter {
  readonly keepPlace = false;
  readonly gone: AbortSignal;
  readonly #gone = new AbortController();
  readonly #options: RelayedClientOptions;
  readonly #count: (outcome: SessionOutcome) => void;
  readonly #client: ClientConnection;
  readonly #arrival: Arrival;
  readonly #arrivedAt: number;
  #state: State = { kind: 'arrived', left: new AbortController() };
  #request: SessionRequest;
  #bookingId: string | undefined;
  /** What a server gets once it is connected; the first is the `start` message. */
  readonly #queued: Message[] = [];
  readonly #failedServers: ServerId[] = [];
  #hasOutcome = false;

  constructor(
    options: RelayedClientOptions,
    client: ClientConnection,
    arrival: Arrival,
    count: (outcome: SessionOutcome) => void,
  ) {
    this.#options = options;
    this.#count = count;
    this.#client = client;
    this.#arrival = arrival;
    this.#arrivedAt = options.clock.now();
    const { address, counted, code } = arrival;
    this.#request = { address, ...(counted && { counted: true }), ...(code !== undefined && { code }) };
    this.#bookingId = arrival.sentTo?.bookingId;
    this.gone = this.#gone.signal;
  }

  /** The server the client is on, or is being connected to. */
  get server(): ServerId | undefined {
    return this.#placement?.server;
  }

  begin(): void {
    const { socket, stream } = this.#client;
    socket.on('message', (data, binary) => this.#received({ data, binary }));
    onceGone(socket, stream, () => this.#leave());
    void this.#awaitStart();
  }

  refuse(reason: string): void {
    this.#decide('refused');
    this.#send(errorMessage(reason));
    this.#disconnect(NORMAL);
  }

  /** Of `Waiter`: the position in line changed. */
  changed(waiting: Waiting): void {
    if (this.#state.kind !== 'waiting') return;
    this.#state.place = waiting;
    this.#sendPlace();
  }

  /** Of `Waiter`: the session request has its outcome. */
  settled(outcome: Outcome): void {
    if (outcome.kind === 'refused') {
      this.refuse(outcome.reason);
      return;
    }
    this.#bookingId = outcome.bookingId;
    this.#connect(outcome.server);
  }

  /** The server is drained; its sessions may be ended at `until`, in seconds since the epoch. */
  drained(until: number | undefined): void {
    if (this.#placement !== undefined) this.#placement.endsAt = until;
    this.#announceEnd();
  }

  serverDied(): void {
    if (this.#state.kind === 'connecting') this.#fail('it is down');
  }

  get #placement(): Placement | undefined {
    return 'placement' in this.#state ? this.#state.placement : undefined;
  }

  /** Ends what belongs to the state before. */
  #enter(next: State): void {
    const before = this.#state;
    this.#state = next;
    if ('left' in before) before.left.abort();
    if (!('placement' in before) || before.placement === this.#placement) return;
    // The client may have been held back for this server.
    this.#client.socket.resume();
    before.placement.connection?.drop();
  }

  async #awaitStart(): Promise<void> {
    if (this.#state.kind !== 'arrived') return;
    const { clock, limits } = this.#options;
    const { signal } = this.#state.left;
    await clock.sleep(limits().startTimeout, signal);
    if (!signal.aborted) this.refuse('The client did not say what it wants to run.');
  }

  #received(message: Message): void {
    const { socket } = this.#client;
    // Messages of a client that is being disconnected may still be on their way.
    if (socket.readyState !== WebSocket.OPEN) return;
    const connection = this.#placement?.connection;
    if (this.#state.kind === 'arrived') this.#start(message);
    else if (connection?.isOpen === true) {
      connection.send(message);
      connection.holdBackClient(socket);
    } else if (this.#queued.length < MAX_QUEUED) this.#queued.push(message);
    else this.#disconnect(POLICY);
  }

  #start(message: Message): void {
    const text = message.binary ? '' : textOf(message.data);
    if (text.length > MAX_START) {
      this.refuse('The first message of the client is too long.');
      return;
    }
    const start = readStartMessage(text);
    if (start.kind === 'refused') {
      this.refuse(start.reason);
      return;
    }
    this.#queued.push(message);
    this.#request = { ...this.#request, ...(start.projectUrl !== undefined && { projectUrl: start.projectUrl }) };
    const { sentTo } = this.#arrival;
    if (sentTo === undefined) void this.#wait((request) => this.#options.queue.wait(request, this));
    else this.#connect(sentTo.server);
  }

  async #wait(ask: (request: SessionRequest) => Promise<void>): Promise<void> {
    const { clock, ready } = this.#options;
    const left = new AbortController();
    const { signal } = left;
    const isOver = () => signal.aborted;
    this.#enter({ kind: 'waiting', left, place: undefined });
    await ready;
    if (isOver()) return;
    await ask(this.#request);
    while (!isOver()) {
      await clock.sleep(REPEAT_POSITION, signal);
      if (!isOver()) this.#sendPlace();
    }
  }

  #sendPlace(): void {
    if (this.#state.kind !== 'waiting' || this.#state.place === undefined) return;
    for (const line of positionMessages(this.#state.place)) this.#send(line);
  }

  #connect(server: ServerId): void {
    const { clientUrl, limits, ssl, via } = this.#options;
    const placement: Placement = { server, connection: undefined, endsAt: undefined, announcedEnd: undefined };
    this.#enter({ kind: 'connecting', placement });
    const url = clientUrl(server);
    const problem = url === undefined ? 'it has left the fleet' : refuseAddress(url);
    if (url === undefined || problem !== undefined) {
      this.#fail(problem ?? '');
      return;
    }
    const { address } = this.#arrival.address;
    const headers = openingHeaders(this.#client.request, { address, ssl, via, inside: url.inside });
    const connection = new ServerConnection(url, headers, limits().connectTimeout, {
      opened: () => this.#serverOpened(connection),
      received: (message) => this.#receivedFromServer(message, connection),
      closed: (code, reason, why) => this.#serverClosed(code, reason, why),
    });
    placement.connection = connection;
  }

  #serverOpened(connection: ServerConnection): void {
    if (this.#bookingId !== undefined) void this.#options.queue.connected(this.#bookingId);
    // The messages are kept: another server may need them.
    for (const message of this.#queued) connection.send(message);
  }

  #receivedFromServer(message: Message, connection: ServerConnection): void {
    const { socket, stream } = this.#client;
    const text = this.#state.kind === 'connecting' && !message.binary ? textOf(message.data) : undefined;
    if (text !== undefined && isFailure(text)) {
      this.#fail('it reported a failure', text);
      return;
    }
    const begins = text !== undefined && isStream(text);
    if (begins) this.#beginSession();
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(message.data, { binary: message.binary });
    if (begins) this.#announceEnd();
    connection.holdBackServer(stream);
  }

  #serverClosed(code: number, reason: string, problem = 'it closed the connection before the simulation started'): void {
    if (this.#state.kind === 'connecting') this.#fail(problem);
    else this.#disconnect(code, reason);
  }

  #beginSession(): void {
    const placement = this.#placement;
    if (placement === undefined) return;
    this.#enter({ kind: 'in-session', placement });
    this.#queued.length = 0;
    this.#decide('begun');
  }

  /** Only once there is a session: before that the client may still be sent to a server that stays. It cannot be taken back. */
  #announceEnd(): void {
    const placement = this.#placement;
    if (this.#state.kind !== 'in-session' || placement?.endsAt === undefined) return;
    if (placement.announcedEnd === placement.endsAt) return;
    placement.announcedEnd = placement.endsAt;
    this.#send(shutdownMessage(placement.endsAt - this.#options.clock.wallTime()));
  }

  /** `message`: what the server said. The client gets it only if no further server is tried. */
  #fail(why: string, message?: string): void {
    const { log, queue } = this.#options;
    const server = this.server ?? '';
    log.limited('warn', `relayed ${server}`, `${server} simulation server failed a client: ${why}`);
    this.#failedServers.push(server);
    if (this.#failedServers.length > MAX_RETRIES) {
      this.#decide('failed');
      this.#send(message ?? errorMessage('The simulation could not be started on any machine; try again later.'));
      this.#disconnect(NORMAL);
      return;
    }
    this.#count('second-chance');
    for (const line of retryMessages()) this.#send(line);
    const servers = [...this.#failedServers];
    void this.#wait((request) => {
      const bookingId = this.#takeBooking();
      return queue.requeue(request, { since: this.#arrivedAt, servers, ...(bookingId !== undefined && { bookingId }) }, this);
    });
  }

  /**
   * Disconnects the client. What it had is free at once, because agreeing to the end of a connection may take the client
   * long, and a machine that fell asleep never does.
   */
  #disconnect(code: number, reason = ''): void {
    if (code === NO_CODE) this.#client.socket.close();
    else this.#client.socket.close(NEVER_SENT.has(code) ? INTERNAL_ERROR : code, reason);
    this.#leave();
  }

  #leave(): void {
    this.#decide('abandoned');
    this.#gone.abort();
    this.#enter({ kind: 'gone' });
    void this.#release();
  }

  /** Each client has one outcome, the first. */
  #decide(outcome: SessionOutcome): void {
    if (!this.#hasOutcome) this.#count(outcome);
    this.#hasOutcome = true;
  }

  /** The session ended, or never began: its predicted load is free at once. */
  async #release(): Promise<void> {
    const bookingId = this.#takeBooking();
    if (bookingId !== undefined) await this.#options.queue.release(bookingId);
  }

  /** From then on the caller is responsible for the booking. */
  #takeBooking(): string | undefined {
    const bookingId = this.#bookingId;
    this.#bookingId = undefined;
    return bookingId;
  }

  #send(text: string): void {
    const { socket } = this.#client;
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8');
}
