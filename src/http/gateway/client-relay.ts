/**
 * Waiting inside clients that nobody will update (PROTOCOL § 7).
 *
 * A client for which there was no room gets the URL of this relay instead of a simulation server's, and connects to it as to any other. Here its `start` message
 * is read, it is told its place in line in its own progress bar, and once a server has room the `start` message is handed over and everything is passed on in
 * both directions, unchanged. Should the server refuse, die or give up before the simulation is there, the client keeps its connection, takes the head of
 * the line and gets another one.
 *
 * Clients that were sent to a simulation server directly come through here as well when they open its `/client`: they have that second chance too, and the
 * end of their session is known.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import { againMessages, errorMessage, isFailure, isStream, placeMessages, shutdownMessage } from '../../core/client-messages.ts';
import type { ServerId } from '../../core/endpoint.ts';
import type { Shares } from '../../core/shares.ts';
import { readStartMessage } from '../../core/start-message.ts';
import type { Admission } from '../../engine/admission.ts';
import type { Outcome, SessionRequest, Waiter, Waiting } from '../../engine/session-request.ts';
import type { AddressGuard, Clock, Log } from '../../ports.ts';
import { onceGone, type SocketHandler } from '../sockets.ts';

export interface ClientRelayLimits {
  /** As much is passed on as may be, in all or for this client. */
  readonly isFull: (client: Arrival['address']) => boolean;
  /** Seconds a client has to say what it wants to run. */
  readonly startTimeout: number;
  /** Seconds a simulation server has to open the connection. */
  readonly connectTimeout: number;
}

export interface ClientRelayOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly admission: Pick<Admission, 'wait' | 'again' | 'release' | 'connected'>;
  /** Resolves when answers may be given. */
  readonly ready: Promise<unknown>;
  readonly limits: () => ClientRelayLimits;
  /** What is passed on for each client, by the key of its limits. */
  readonly shares: Shares;
  /** Where the `/client` of a simulation server is; `undefined` when it is not in the fleet any more. */
  readonly clientUrl: (id: ServerId) => ClientUrl | undefined;
  readonly ssl: boolean;
  readonly via: string;
}

export interface ClientUrl {
  readonly url: string;
  /** Reached inside the gateway's routes: it shall see the name by which the client came. */
  readonly inside: boolean;
  /** Its host came by itself: each connection is made only to addresses that it may have. */
  readonly guard?: AddressGuard & { readonly host: string };
}

/** A client as it comes. */
export interface Arrival {
  readonly address: SessionRequest['address'];
  /** Its session request was counted before. */
  readonly counted: boolean;
  /** It was sent to this server already. */
  readonly sentTo?: { readonly server: ServerId; readonly bookingId?: string };
}

export interface ClientRelay {
  /** Serves a client that arrives in this way. */
  readonly handler: (arrivalOf: (request: IncomingMessage) => Arrival) => SocketHandler;
  readonly count: () => { readonly waiting: number; readonly sessions: number };
  /** Both together, and those that were sent away and have not agreed to it yet. */
  readonly size: () => number;
  /** Sessions by what became of them, since the start. */
  readonly outcomes: ReadonlyMap<SessionOutcome, number>;
  /** The server is drained, and at that time (seconds since the epoch) its sessions may end; `undefined`: at none, or it is not drained (any more). */
  drained(id: ServerId, until: number | undefined): void;
  /** The server is dead: who has no simulation yet need not wait for its connection to notice. */
  down(id: ServerId): void;
}

export type SessionOutcome = 'begun' | 'second-chance' | 'failed' | 'refused' | 'abandoned';

/** Further servers that are tried for one client. */
const CHANCES = 2;
/** Seconds between two lines for a client whose place does not change. */
const RETELL = 20;
/** Messages of a client that are kept until its server is there; decent clients send none. */
const MOST_QUEUED = 16;
/** Bytes on their way to a client, or to a server, from which on the other side is not read. */
const HIGH_WATER = 32_768;
/** Bytes of the largest message of a simulation server. */
const LARGEST_MESSAGE = 8_388_608;
/** Bytes of the longest `start` message: a URL and a few words. */
const LONGEST_START = 4096;
/** Seconds a simulation server has to agree that a connection ends. */
const CLOSING = 2;
/** Seconds between two questions of the operating system whether a silent server is alive. */
const ALIVE = 30;
/** RFC 6455 § 7.4.1. */
const NORMAL = 1000;
const POLICY = 1008;
const BROKEN = 1011;
const NO_CODE = 1005;
/** They say how a connection ended and stand in no frame. */
const NEVER_SENT: ReadonlySet<number> = new Set([1004, 1006, 1015]);

export function createClientRelay(options: ClientRelayOptions): ClientRelay {
  const sessions = new Set<RelayedSession>();
  const outcomes = new Map<SessionOutcome, number>();
  const count = (outcome: SessionOutcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const on = (id: ServerId) => [...sessions].filter(({ server }) => server === id);
  return {
    handler: (arrivalOf) => (socket, stream, request) => {
      const arrival = arrivalOf(request);
      const { limitKey } = arrival.address;
      const session = new RelayedSession({ ...options, count }, { socket, stream, request }, arrival);
      if (options.limits().isFull(arrival.address)) {
        session.refuse('Too many clients wait at the moment; try again later.');
        return;
      }
      sessions.add(session);
      options.shares.take(limitKey);
      socket.once('close', () => {
        sessions.delete(session);
        options.shares.giveBack(limitKey);
      });
      session.begin();
    },
    count() {
      const here = [...sessions].filter(({ gone }) => !gone.aborted);
      const waiting = here.filter(({ server }) => server === undefined).length;
      return { waiting, sessions: here.length - waiting };
    },
    size: () => sessions.size,
    outcomes,
    drained(id, until) {
      for (const session of on(id)) session.drained(until);
    },
    down(id) {
      for (const session of on(id)) session.serverDied();
    },
  };
}

interface Connection {
  readonly socket: WebSocket;
  /** The connection under it. */
  readonly stream: Duplex;
  readonly request: IncomingMessage;
}

type SessionOptions = ClientRelayOptions & { readonly count: (outcome: SessionOutcome) => void };

/** One client, from its connection to its end. */
class RelayedSession implements Waiter {
  readonly keepPlace = false;
  readonly gone: AbortSignal;
  readonly #gone = new AbortController();
  /** Aborted when the client does not wait (any more). */
  #waiting = new AbortController();
  readonly #options: SessionOptions;
  readonly #client: Connection;
  readonly #arrival: Arrival;
  /** When it arrived. */
  readonly #since: number;
  readonly #started = new AbortController();
  #request: SessionRequest;
  /** What the server gets once it is there; the first is the `start` message. */
  readonly #queued: Message[] = [];
  #place: Waiting | undefined;
  #server: ServerId | undefined;
  #bookingId: string | undefined;
  #upstream: WebSocket | undefined;
  /** The connection under it. */
  #upstreamStream: Duplex | undefined;
  /** The simulation is there: no second chance any more. */
  #begun = false;
  readonly #failed: ServerId[] = [];
  /** When the session may be ended, in seconds since the epoch, and what of it the client knows. */
  #until: number | undefined;
  #announced: number | undefined;
  #counted = false;

  constructor(options: SessionOptions, client: Connection, arrival: Arrival) {
    this.#options = options;
    this.#client = client;
    this.#arrival = arrival;
    this.#since = options.clock.now();
    this.#request = { address: arrival.address, ...(arrival.counted && { counted: true }) };
    this.#bookingId = arrival.sentTo?.bookingId;
    this.gone = this.#gone.signal;
  }

  /** The server the client is on, or is being connected to. */
  get server(): ServerId | undefined {
    return this.#server;
  }

  begin(): void {
    const { socket, stream } = this.#client;
    socket.on('message', (data, binary) => this.#heard({ data, binary }));
    onceGone(socket, stream, () => this.#clientLeft());
    void this.#expectStart();
  }

  refuse(reason: string): void {
    this.#count('refused');
    this.#say(errorMessage(reason));
    this.#sendAway(NORMAL);
  }

  changed(waiting: Waiting): void {
    this.#place = waiting;
    this.#tellPlace();
  }

  settled(outcome: Outcome): void {
    this.#waiting.abort();
    if (outcome.kind === 'refused') this.refuse(outcome.reason);
    else {
      this.#bookingId = outcome.bookingId;
      this.#connect(outcome.server);
    }
  }

  drained(until: number | undefined): void {
    this.#until = until;
    this.#announceEnd();
  }

  /** Not before there is a session: until then the client may still be sent to a server that stays. There are no words to take it back with. */
  #announceEnd(): void {
    const until = this.#until;
    if (!this.#begun || until === undefined || this.#announced === until) return;
    this.#announced = until;
    this.#say(shutdownMessage(until - this.#options.clock.wallTime()));
  }

  serverDied(): void {
    if (!this.#begun && this.#upstream !== undefined) this.#fail('it is down');
  }

  /** A client that never says what it wants is sent away. */
  async #expectStart(): Promise<void> {
    const { clock, limits } = this.#options;
    await clock.sleep(limits().startTimeout, AbortSignal.any([this.#started.signal, this.gone]));
    if (!this.#started.signal.aborted && !this.gone.aborted) this.refuse('The client did not say what it wants to run.');
  }

  #heard(message: Message): void {
    // It was sent away, and had this on its way already.
    if (this.#client.socket.readyState !== WebSocket.OPEN) return;
    if (!this.#started.signal.aborted) {
      this.#start(message);
      return;
    }
    const upstream = this.#upstream;
    if (upstream?.readyState === WebSocket.OPEN) {
      upstream.send(message.data, { binary: message.binary });
      holdBack(this.#client.socket, this.#upstreamStream);
    } else if (this.#queued.length < MOST_QUEUED) this.#queued.push(message);
    else this.#sendAway(POLICY);
  }

  #start(message: Message): void {
    this.#started.abort();
    const text = message.binary ? '' : textOf(message.data);
    if (text.length > LONGEST_START) {
      this.refuse('The first message of the client is too long.');
      return;
    }
    const read = readStartMessage(text);
    if (read.kind === 'refused') {
      this.refuse(read.reason);
      return;
    }
    this.#queued.push(message);
    this.#request = { ...this.#request, ...(read.projectUrl !== undefined && { projectUrl: read.projectUrl }) };
    const { sentTo } = this.#arrival;
    if (sentTo === undefined) void this.#wait((request) => this.#options.admission.wait(request, this));
    else this.#connect(sentTo.server);
  }

  async #wait(ask: (request: SessionRequest) => Promise<void>): Promise<void> {
    const { clock, ready } = this.#options;
    const waiting = new AbortController();
    this.#waiting = waiting;
    await ready;
    if (this.gone.aborted) return;
    await ask(this.#request);
    const over = AbortSignal.any([waiting.signal, this.gone]);
    const isOver = () => over.aborted;
    while (!isOver()) {
      await clock.sleep(RETELL, over);
      if (!isOver()) this.#tellPlace();
    }
  }

  #tellPlace(): void {
    if (this.#place !== undefined) for (const line of placeMessages(this.#place)) this.#say(line);
  }

  #connect(server: ServerId): void {
    const { clientUrl, limits } = this.#options;
    this.#server = server;
    const found = clientUrl(server);
    if (found === undefined) {
      this.#fail('it has left the fleet');
      return;
    }
    const { guard } = found;
    // Connections to addresses in figures are made without a look-up.
    const refused = guard && isIP(guard.host) !== 0 ? guard.refuse(guard.host) : undefined;
    if (refused !== undefined) {
      this.#fail(refused);
      return;
    }
    const upstream = new WebSocket(found.url, {
      handshakeTimeout: limits().connectTimeout * 1000,
      // The types of `ws` do not know it yet.
      ...{ closeTimeout: CLOSING * 1000 },
      maxPayload: LARGEST_MESSAGE,
      perMessageDeflate: false,
      headers: this.#headers(found.inside),
      ...(guard !== undefined && { lookup: guard.lookup }),
    });
    this.#upstream = upstream;
    let problem = 'it closed the connection before the simulation was there';
    upstream.once('upgrade', ({ socket }) => {
      socket.setKeepAlive(true, ALIVE * 1000);
      if (this.#upstream === upstream) this.#upstreamStream = socket;
    });
    upstream.once('open', () => {
      if (this.#bookingId !== undefined) void this.#options.admission.connected(this.#bookingId);
      // The start message is kept: another server may need it.
      for (const { data, binary } of this.#queued) upstream.send(data, { binary });
    });
    upstream.on('message', (data, binary) => {
      if (this.#upstream === upstream) this.#fromServer({ data, binary }, upstream);
    });
    upstream.on('error', (error) => {
      problem = error.message;
      // It would be asked to agree that the connection ends, for what it said wrong.
      upstream.terminate();
    });
    upstream.once('close', (code, reason) => {
      if (this.#upstream !== upstream) return;
      if (!this.#begun) this.#fail(problem);
      else this.#sendAway(code, reason.toString('utf8'));
    });
  }

  #fromServer(message: Message, upstream: WebSocket): void {
    const { socket, stream } = this.#client;
    let begins = false;
    if (!this.#begun && !message.binary) {
      const text = textOf(message.data);
      if (isFailure(text)) {
        this.#fail('it said so to the client', text);
        return;
      }
      begins = isStream(text);
      if (begins) this.#sessionBegan();
    }
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(message.data, { binary: message.binary });
    if (begins) this.#announceEnd();
    holdBack(upstream, stream);
  }

  #sessionBegan(): void {
    this.#begun = true;
    this.#queued.length = 0;
    this.#count('begun');
  }

  /** `message`: what the server said; the client hears it only if there is no further server to try. */
  #fail(why: string, message?: string): void {
    const { log, count, admission } = this.#options;
    const server = this.#server ?? '';
    log.limited('warn', `relayed ${server}`, `${server} simulation server failed a client: ${why}`);
    this.#dropServer();
    this.#failed.push(server);
    if (this.#failed.length > CHANCES) {
      this.#count('failed');
      this.#say(message ?? errorMessage('The simulation could not be started on any machine; try again later.'));
      this.#sendAway(NORMAL);
      return;
    }
    count('second-chance');
    for (const line of againMessages()) this.#say(line);
    const servers = [...this.#failed];
    void this.#wait((request) => {
      const bookingId = this.#takeBooking();
      return admission.again(request, { since: this.#since, servers, ...(bookingId !== undefined && { bookingId }) }, this);
    });
  }

  #clientLeft(): void {
    this.#count('abandoned');
    this.#gone.abort();
    this.#dropServer();
    void this.#release();
  }

  /** What became of a client is one thing, the first. */
  #count(outcome: SessionOutcome): void {
    if (!this.#counted) this.#options.count(outcome);
    this.#counted = true;
  }

  /** The session ended, or never began: its predicted load is free at once. */
  async #release(): Promise<void> {
    const bookingId = this.#takeBooking();
    if (bookingId !== undefined) await this.#options.admission.release(bookingId);
  }

  /** What becomes of it is the business of whoever takes it. */
  #takeBooking(): string | undefined {
    const bookingId = this.#bookingId;
    this.#bookingId = undefined;
    return bookingId;
  }

  #dropServer(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#upstreamStream = undefined;
    // Whatever the client was held back for is no more.
    this.#client.socket.resume();
    this.#server = undefined;
    this.#until = undefined;
    if (upstream === undefined) return;
    if (upstream.readyState === WebSocket.OPEN) upstream.close(NORMAL);
    else upstream.terminate();
  }

  /** What it had is free at once: it may take long to agree that its connection ends, and a machine that fell asleep never does. */
  #sendAway(code: number, reason = ''): void {
    if (code === NO_CODE) this.#client.socket.close();
    else this.#client.socket.close(NEVER_SENT.has(code) ? BROKEN : code, reason);
    this.#clientLeft();
  }

  #say(text: string): void {
    const { socket } = this.#client;
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  }

  #headers(inside: boolean): Record<string, string> {
    const { ssl, via } = this.#options;
    const { request } = this.#client;
    const { origin, 'user-agent': agent } = request.headers;
    const index = request.rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
    const host = index < 0 ? undefined : request.rawHeaders[index + 1];
    return {
      'X-Forwarded-For': this.#arrival.address.address,
      'X-Forwarded-Proto': ssl ? 'https' : 'http',
      Via: `${request.httpVersion} ${via}`,
      ...(inside && host !== undefined && { Host: host, 'X-Forwarded-Host': host }),
      ...(origin !== undefined && { Origin: origin }),
      ...(agent !== undefined && { 'User-Agent': agent }),
    };
  }
}

/** Reads no more from one side until the other has taken what is on its way. */
function holdBack(from: WebSocket, to: Duplex | undefined): void {
  if (to === undefined || to.writableLength <= HIGH_WATER || from.isPaused) return;
  from.pause();
  to.once('drain', () => from.resume());
}

interface Message {
  readonly data: RawData;
  readonly binary: boolean;
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8');
}
