/**
 * What relayed requests and relayed WebSockets share: the limit, the counts, and the request to the simulation server
 * (docs/design/protocol.md, "URLs in gateway mode").
 *
 * Why not a proxy library: the one that is maintained forwards headers that belong to one connection (RFC 9110 § 7.6.1),
 * has no maximum, no time limits for connections and headers, and opens any protocol to clients that do not read. What
 * remains of it is `http.request`, which is used here. Each side's messages are framed by Node's own HTTP: neither
 * `Transfer-Encoding` nor a second length ever passes.
 *
 * Each request has a connection of its own to the simulation server, as with the reverse proxy that this replaces: the
 * web server inside the simulator reads only the beginning of a connection, and serves one request on it.
 */
import type { IncomingMessage } from 'node:http';
import { authorityOf, type Upstream } from '../../core/gateway/gateway-routes.ts';
import type { HeldBytes, WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import type { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import type { Log } from '../../ports.ts';
import type { AddressOf, ClientAddress } from '../server/client-address.ts';
import { requestHeaders } from './headers.ts';
import { sizeOfHeaders } from './relay-memory.ts';
import { refuseRequest, TOO_MANY, type Refusal, type RelayOutcome } from './relay-refusal.ts';
import { UpstreamRequest, type Failure, type UpstreamHandlers } from './upstream-request.ts';

export interface RelayLimits {
  /** No more may be relayed, in total or for this client. */
  readonly isFull: (client: ClientAddress) => boolean;
  /** Maximum size of all headers of a response together. */
  readonly headerBytes: number;
  /** Seconds a simulation server has to accept a connection. */
  readonly connectTimeout: number;
  /** Seconds it has to begin its response, once it has the request. */
  readonly headerTimeout: number;
  /** Seconds without any byte in either direction after which a connection is closed. */
  readonly idleTimeout: number;
}

export interface RelayOptions {
  readonly limits: () => RelayLimits;
  readonly addressOf: AddressOf;
  /** Relays of each client, by the key of its limits. */
  readonly relaysByClient: PerClientCounts;
  readonly log: Log;
  /** Clients connect by TLS. */
  readonly ssl: boolean;
  /** Our name in `Via`; unique to this process. */
  readonly via: string;
  /** The name by which clients know us, with its port. */
  readonly host: () => string;
  /** What is there, in the words of the configuration. */
  readonly nameOf: (upstream: Upstream) => string;
  /** What waits in all relays together. */
  readonly memory: WaitingBytes;
}

/** A relay that is counted. */
export interface InFlight {
  readonly held: HeldBytes;
  /** The relay has ended. */
  readonly remove: () => void;
}

/** Where a request goes; `path` is what the simulation server gets, as the client wrote it. */
export interface RelayTarget {
  readonly upstream: Upstream;
  readonly path: string;
}

type Kind = 'requests' | 'webSockets';

export class RelaysInFlight {
  /** Since the start. */
  readonly outcomes = new Map<RelayOutcome, number>();
  readonly #options: RelayOptions;
  readonly #inFlight = new Map<() => void, Kind>();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Requests and open WebSockets together. */
  get size(): number {
    return this.#inFlight.size;
  }

  /** Seconds without any byte after which a connection is closed. */
  get idleTimeout(): number {
    return this.#options.limits().idleTimeout;
  }

  counts(): Readonly<Record<Kind, number>> {
    const kinds = [...this.#inFlight.values()];
    const requests = kinds.filter((kind) => kind === 'requests').length;
    return { requests, webSockets: kinds.length - requests };
  }

  /** Why a request is not relayed at all. */
  refusalOf(request: IncomingMessage): Refusal | undefined {
    const { limits, addressOf, via } = this.#options;
    return limits().isFull(addressOf(request)) ? TOO_MANY : refuseRequest(request, via);
  }

  /** Counts a relay, which `end` ends. */
  add(request: IncomingMessage, kind: Kind, end: () => void): InFlight {
    const { addressOf, relaysByClient, memory } = this.#options;
    const { limitKey } = addressOf(request);
    this.#inFlight.set(end, kind);
    relaysByClient.take(limitKey);
    const held = memory.hold(end);
    held.set('request', sizeOfHeaders(request.rawHeaders));
    const remove = () => {
      this.#inFlight.delete(end);
      relaysByClient.giveBack(limitKey);
      held.close();
    };
    return { held, remove };
  }

  /** The request to the simulation server; `framing` are headers of the new connection. It is not sent yet. */
  requestUpstream(
    request: IncomingMessage,
    { upstream, path }: RelayTarget,
    framing: readonly string[],
    handlers: UpstreamHandlers,
  ): UpstreamRequest {
    const { limits, addressOf, ssl, via, host } = this.#options;
    const forwarded = { address: addressOf(request).address, ssl, via, host };
    const headers = [...requestHeaders(request, forwarded), ...framing];
    return new UpstreamRequest({ ...limits(), upstream, method: request.method, path, headers }, handlers);
  }

  count(outcome: RelayOutcome): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Counts a refusal, and logs it where `why` says what is wrong with the simulation server. */
  refused({ status, outcome, reason }: Refusal, { upstream }: RelayTarget, why?: string): void {
    this.count(outcome);
    if (why === undefined) return;
    const { log, nameOf } = this.#options;
    const address = authorityOf(upstream);
    log.limited('warn', `relay ${address}`, `cannot relay a request to ${nameOf(upstream)}: ${why}`, { status, reason, address });
  }

  /** Counts a response that broke off after its head was forwarded, and logs it if the simulation server is the cause. */
  broke({ refusal: { outcome }, why }: Failure, { upstream }: RelayTarget): void {
    this.count(outcome);
    if (outcome === 'abandoned') return;
    const { log, nameOf } = this.#options;
    const address = authorityOf(upstream);
    log.limited('warn', `relay ${address}`, `a response of ${nameOf(upstream)} broke off: ${why}`, { address });
  }

  /** Ends everything in flight. */
  close(): void {
    for (const end of [...this.#inFlight.keys()]) end();
  }
}
