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
  endMessages,
  retryMessages,
  errorMessage,
  positionMessages,
  shutdownMessage,
  startingMessages,
} from '../../core/gateway/client-messages.ts';
import type { ExpectedClient } from '../../core/gateway/expected-clients.ts';
import type { HeldBytes, WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import { readStartMessage } from '../../core/gateway/start-message.ts';
import { causeOfEnd, maxSilence, meaningOf, type Cause } from '../../core/gateway/server-words.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { RelayedSession } from '../../engine/session-list.ts';
import type { Outcome, SessionRequest, Waiter, Waiting } from '../../engine/request-types.ts';
import type { Clock, Log } from '../../ports.ts';
import type { ClientAddress } from '../server/client-address.ts';
import { holdIncomplete, sizeOfHeaders } from './relay-memory.ts';
import { onceGone } from '../server/sockets.ts';
import {
  openingHeaders,
  refuseAddress,
  ServerConnection,
  type ClientUrl,
  type Message,
  type ServerConnectionLimits,
} from './server-connection.ts';

export interface RelayedClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly queue: Pick<QueueService, 'wait' | 'requeue' | 'release' | 'connected'>;
  /** Resolves when answers may be given. */
  readonly ready: Promise<unknown>;
  readonly limits: () => ClientRelayLimits;
  /** Where the `/client` of a simulation server is; `undefined` when it is not in the fleet any more. */
  readonly clientUrl: (id: ServerId) => ClientUrl | undefined;
  /** The name of a server in the configuration. */
  readonly nameOf: (id: ServerId) => string;
  readonly ssl: boolean;
  /** Our name in `Via`. */
  readonly via: string;
  /** What waits in all relays together. */
  readonly memory: WaitingBytes;
  /** Whether a class still needs the seat of this booking at the announced end of its session. */
  readonly isEndDue: (bookingId: string) => boolean;
}

export interface ClientRelayLimits extends ServerConnectionLimits {
  /** No more may be relayed, in total or for this client. */
  readonly isFull: (client: ClientAddress) => boolean;
  /** Seconds a client has to send its start message. */
  readonly startTimeout: number;
}

export interface Arrival {
  readonly address: SessionRequest['address'];
  /** Its session request already counted against the limits of its address. */
  readonly counted: boolean;
  /** The code of a class with which it asked. */
  readonly code?: string;
  /** Absent: the client has no server yet. */
  readonly sentTo?: { readonly server: ServerId } & Partial<ExpectedClient>;
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
  /** When its simulation began; before that, when the client was sent there. Seconds of the clock. */
  since: number;
  connection: ServerConnection | undefined;
  /** When a drain may end the session, in seconds since the epoch. */
  endsAt: number | undefined;
  announcedEnd: number | undefined;
  /** Ends the wait for its next word. */
  silence: AbortController;
  /** What it said last that looks like a failure. */
  complaint: string | undefined;
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
/** Bytes of a client's messages that are kept until its server is connected; well-behaved clients send only the first one. */
export const MAX_QUEUED_BYTES = 8192;
/** What a message costs besides its bytes. */
const PER_MESSAGE = 256;
/** Maximum size of a `start` message in bytes: a URL and a few words. */
const MAX_START = 4096;
/** RFC 6455 § 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;
const INTERNAL_ERROR = 1011;
/** In the registry of WebSocket close codes: the client may reconnect. */
const SERVICE_RESTART = 1012;
const CLASS_IS_HERE = 'The machines are needed for a class now; you may start again.';
/** Seconds after which the time left is computed again. */
const CLOCK_CHECK = 60;
const MOVED = 'An operator moved this session: start it again to get another machine.';
/** Bytes of the reason in a close frame (RFC 6455 § 5.5). */
const MAX_CLOSE_REASON = 123;
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
  /** When its session is ended because a class comes, in seconds since the epoch. */
  #classAt: number | undefined;
  /** What a server gets once it is connected; the first is the `start` message. */
  readonly #queued: Message[] = [];
  readonly #held: HeldBytes;
  readonly #failedServers: ServerId[] = [];
  #hasOutcome = false;
  /** The progress bar of the client shows a line of ours. */
  #showsLine = false;

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
    this.#classAt = arrival.sentTo?.endsAt;
    this.gone = this.#gone.signal;
    this.#held = options.memory.hold(() => client.socket.terminate());
  }

  /** The server the client is on, or is being connected to. */
  get server(): ServerId | undefined {
    return this.#placement?.server;
  }

  begin(): void {
    const { socket, stream, request } = this.#client;
    this.#held.set('request', sizeOfHeaders(request.rawHeaders));
    holdIncomplete(this.#held, 'of the client', socket, stream);
    socket.once('close', () => this.#held.close());
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
    this.#classAt = outcome.endsAt;
    this.#connect(outcome.server);
  }

  /** The server is drained; its sessions may be ended at `until`, in seconds since the epoch. */
  drained(until: number | undefined): void {
    if (this.#placement !== undefined) this.#placement.endsAt = until;
    this.#announceEnd();
  }

  /** The session as operators see it, under this id; `undefined`: the client has no server. */
  session(id: string): RelayedSession | undefined {
    const placement = this.#placement;
    if (placement === undefined) return undefined;
    const isRunning = this.#state.kind === 'in-session';
    const { server, since } = placement;
    return { id, server, isRunning, since, project: this.#request.projectUrl, bookingId: this.#bookingId };
  }

  /** An operator, or an announced end, ends the session. */
  end(reason: string): void {
    this.#send(errorMessage(reason));
    this.#disconnect(NORMAL, closeReason(reason));
  }

  /** An operator wants it elsewhere. A client whose simulation runs cannot take over another one on the same connection. */
  moveByOperator(): 'at-once' | 'closed' {
    const server = this.server;
    if (this.#state.kind !== 'connecting' || server === undefined) {
      this.#disconnect(SERVICE_RESTART, closeReason(MOVED));
      return 'closed';
    }
    this.#tryAnother(server);
    return 'at-once';
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
    before.placement.silence.abort();
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
      // Its server is gone, and the end of that connection will be the end of this one.
    } else if (this.#state.kind === 'in-session') return;
    else if (this.#queuedBytes() + sizeOf(message) <= MAX_QUEUED_BYTES) this.#queued.push(message);
    else this.#disconnect(POLICY, 'too many messages before the session');
  }

  #start(message: Message): void {
    const text = message.binary ? '' : textOf(message.data);
    if (text.length > MAX_START) {
      this.refuse('The first message from the client is too long.');
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
    this.#show(positionMessages(this.#state.place));
  }

  #connect(server: ServerId): void {
    const { clientUrl, limits, ssl, via } = this.#options;
    const placement: Placement = {
      ...{
        server,
        since: this.#options.clock.now(),
        connection: undefined,
        endsAt: undefined,
        announcedEnd: undefined,
        complaint: undefined,
      },
      silence: new AbortController(),
    };
    this.#enter({ kind: 'connecting', placement });
    if (this.#classAt !== undefined) this.#show(endMessages(this.#classAt - this.#options.clock.wallTime()));
    else if (this.#showsLine) this.#show(startingMessages());
    const url = clientUrl(server);
    const problem = url === undefined ? 'it has left the fleet' : refuseAddress(url);
    if (url === undefined || problem !== undefined) {
      this.#fail(problem ?? '');
      return;
    }
    const { address } = this.#arrival.address;
    const headers = openingHeaders(this.#client.request, { address, ssl, via, inside: url.inside });
    const connection = new ServerConnection(url, headers, limits(), this.#held, {
      opened: () => this.#serverOpened(connection),
      received: (message) => this.#receivedFromServer(message, connection),
      closed: (code, reason, why) => this.#serverClosed(code, reason, why),
    });
    placement.connection = connection;
  }

  #queuedBytes(): number {
    return this.#queued.reduce((sum, message) => sum + sizeOf(message), 0);
  }

  #serverOpened(connection: ServerConnection): void {
    if (this.#bookingId !== undefined) void this.#options.queue.connected(this.#bookingId);
    // The messages are kept: another server may need them.
    for (const message of this.#queued) connection.send(message);
    void this.#awaitWord(maxSilence('progress'));
  }

  #receivedFromServer(message: Message, connection: ServerConnection): void {
    const { socket, stream } = this.#client;
    const isWord = this.#state.kind === 'connecting' && !message.binary;
    if (isWord && !this.#isForwarded(textOf(message.data))) return;
    const begins = isWord && this.#state.kind === 'in-session';
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(message.data, { binary: message.binary });
    if (begins) this.#announceEnd();
    connection.holdBackServer(stream);
  }

  /** What a word of the server before the session means; `false`: the client must not get it. */
  #isForwarded(text: string): boolean {
    const placement = this.#placement;
    const meaning = meaningOf(text);
    if (placement === undefined) return false;
    placement.complaint = 'reason' in meaning ? meaning.reason : undefined;
    if (meaning.kind === 'stream') this.#beginSession();
    else if (meaning.kind === 'failure') this.#ended(meaning.cause, 'it reported a failure');
    else void this.#awaitWord(maxSilence(meaning.kind));
    return meaning.kind === 'stream' || meaning.kind === 'progress';
  }

  /** The server has so many seconds to say something before the session. */
  async #awaitWord(seconds: number): Promise<void> {
    const placement = this.#placement;
    if (placement === undefined || this.#state.kind !== 'connecting') return;
    placement.silence.abort();
    placement.silence = new AbortController();
    const { signal } = placement.silence;
    await this.#options.clock.sleep(seconds, signal);
    if (signal.aborted) return;
    // Clients from before 2022 start a simulation in words that newer servers ignore, on every machine.
    const cause = this.#request.projectUrl === undefined ? 'project' : causeOfEnd(undefined, placement.complaint);
    this.#ended(cause, `it said nothing for ${seconds} s`);
  }

  #serverClosed(code: number, reason: string, problem = 'it closed the connection before the simulation started'): void {
    const placement = this.#placement;
    if (this.#state.kind !== 'connecting' || placement === undefined) {
      this.#disconnect(code, reason);
      return;
    }
    if (reason !== '') placement.complaint ??= reason;
    this.#ended(causeOfEnd(code, placement.complaint), problem);
  }

  /** The server gave up before the session. */
  #ended(cause: Cause, why: string): void {
    const placement = this.#placement;
    if (placement === undefined) return;
    if (cause === 'machine') {
      this.#fail(why, placement.complaint);
      return;
    }
    const name = this.#options.nameOf(placement.server);
    this.#options.log.limited('info', `project ${name}`, `${name} simulation server cannot run a project: ${why}`);
    this.refuse(placement.complaint ?? 'The simulation server cannot run this.');
  }

  #beginSession(): void {
    const placement = this.#placement;
    if (placement === undefined) return;
    placement.silence.abort();
    placement.since = this.#options.clock.now();
    this.#enter({ kind: 'in-session', placement });
    this.#queued.length = 0;
    this.#decide('begun');
    if (this.#classAt !== undefined) void this.#endForClass(this.#classAt);
  }

  /** Only once there is a session: before that the client may still be sent to a server that stays. It cannot be taken back. */
  #announceEnd(): void {
    const placement = this.#placement;
    if (this.#state.kind !== 'in-session' || placement === undefined) return;
    const endsAt = Math.min(placement.endsAt ?? Infinity, this.#classAt ?? Infinity);
    if (endsAt === Infinity || placement.announcedEnd === endsAt) return;
    placement.announcedEnd = endsAt;
    this.#send(shutdownMessage(endsAt - this.#options.clock.wallTime()));
  }

  /** The session ends as it was announced, unless the class does not come any more. */
  async #endForClass(endsAt: number): Promise<void> {
    const { clock, log, isEndDue, nameOf } = this.#options;
    // In steps, because the time of the wall may be set.
    for (let left = endsAt - clock.wallTime(); left > 0 && !this.gone.aborted; left = endsAt - clock.wallTime())
      await clock.sleep(Math.min(CLOCK_CHECK, left), this.gone);
    if (this.gone.aborted || this.#bookingId === undefined || !isEndDue(this.#bookingId)) return;
    const name = nameOf(this.server ?? '');
    log.limited('info', `class on ${name}`, `a session on ${name} simulation server ends as announced, for a class`);
    this.end(CLASS_IS_HERE);
  }

  /** `reason`: what the server said. The client gets it only if no further server is tried. */
  #fail(why: string, reason = 'The simulation could not be started on any machine; try again later.'): void {
    const { log, nameOf } = this.#options;
    const server = this.server ?? '';
    const name = nameOf(server);
    log.limited('warn', `relayed ${name}`, `${name} simulation server failed a client: ${why}`);
    if (this.#failedServers.length >= MAX_RETRIES) {
      this.#decide('failed');
      this.#send(errorMessage(reason));
      this.#disconnect(NORMAL);
      return;
    }
    this.#tryAnother(server);
  }

  #tryAnother(server: ServerId): void {
    const { queue } = this.#options;
    this.#failedServers.push(server);
    this.#count('second-chance');
    this.#show(retryMessages());
    const servers = [...this.#failedServers];
    void this.#wait((request) => {
      const bookingId = this.#takeBooking();
      // A client that no server was handed out to has not waited, so it takes its place behind those that have.
      if (bookingId === undefined) return queue.wait(request, this);
      return queue.requeue(request, { since: this.#arrivedAt, servers, bookingId }, this);
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

  #show(lines: readonly string[]): void {
    this.#showsLine = true;
    for (const line of lines) this.#send(line);
  }

  #send(text: string): void {
    const { socket } = this.#client;
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }
}

/** As much of the reason as fits into a close frame. */
function closeReason(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > MAX_CLOSE_REASON) text = text.slice(0, -1);
  return text;
}

/** In bytes. */
function sizeOf({ data }: Message): number {
  const parts = Array.isArray(data) ? data : [data];
  return parts.reduce((sum, { byteLength }) => sum + byteLength, PER_MESSAGE);
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8');
}
