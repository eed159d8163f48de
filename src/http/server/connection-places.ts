/**
 * Which clients get a connection when there are many. No address gets more than half of them: a class behind one address is served
 * at once, and a single client does not lock out all others. The last ones are a reserve for what must work in a flood:
 * health checks, this machine, and holders of a token.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';

export interface PlaceRules {
  /** The key of the peer's share; `undefined`: it has none, because it is this machine or a trusted proxy, with many clients behind it. */
  readonly peerKey: (socket: Socket) => string | undefined;
  /** This request may use the reserve. */
  readonly isPrivileged: (request: IncomingMessage) => boolean;
  /** Connections by peer, of all listeners together. */
  readonly shares: PerClientCounts;
}

/** Without shares and without a reserve: every client may use every place. */
export function unsharedPlaces(): PlaceRules {
  return { peerKey: () => undefined, isPrivileged: () => true, shares: new PerClientCounts() };
}

/** `reserved`: it is served if its request turns out to be privileged. */
export type Place = 'ordinary' | 'reserved' | 'too-many-of-address' | 'too-many-clients';

const HEALTH: ReadonlySet<string> = new Set(['/livez', '/readyz']);
/** Connections of the reserve: a tenth, and enough for a few supervisors and scrapers. */
const MAX_RESERVE = 32;
const MIN_RESERVE = 2;

export class ConnectionPlaces {
  readonly #rules: PlaceRules;
  readonly #reserved = new WeakSet<Socket>();
  readonly #reservedShares = new PerClientCounts();

  constructor(rules: PlaceRules) {
    this.#rules = rules;
  }

  /** `open`: connections before this one, of `max`. What is taken is given back when the connection closes. */
  take(socket: Socket, open: number, max: number): Place {
    const { peerKey, shares } = this.#rules;
    const key = peerKey(socket);
    if (open >= max) return 'too-many-clients';
    if (key !== undefined && shares.of(key) >= Math.ceil(max / 2)) return 'too-many-of-address';
    const reserve = reserveOf(max);
    const place = open >= max - reserve ? 'reserved' : 'ordinary';
    // Connections that say nothing must not be able to fill the reserve from one address either.
    if (place === 'reserved' && key !== undefined && this.#reservedShares.of(key) >= Math.ceil(reserve / 4))
      return 'too-many-clients';
    const taken = place === 'reserved' ? [shares, this.#reservedShares] : [shares];
    if (place === 'reserved') this.#reserved.add(socket);
    for (const counts of taken) counts.take(key);
    socket.once('close', () => {
      for (const counts of taken) counts.giveBack(key);
    });
    return place;
  }

  /** The connection is of the reserve, and this request may not use it. */
  refuses(request: IncomingMessage): boolean {
    return this.#reserved.has(request.socket) && !isHealthCheck(request) && !this.#rules.isPrivileged(request);
  }
}

/** Connections of so many that are kept for privileged requests. */
export function reserveOf(max: number): number {
  return Math.min(MAX_RESERVE, Math.max(MIN_RESERVE, Math.floor(max / 10)));
}

function isHealthCheck({ url = '' }: IncomingMessage): boolean {
  return HEALTH.has(url.replace(/\?.*$/s, ''));
}
