/**
 * Which sessions run, on which server and since when: exactly where the gateway sees their clients, by number where the
 * simulation server reports it, and otherwise what the load and the hand-outs suggest.
 */
import type { KnownSession, KnownSessions } from '../core/allocation/known-sessions.ts';
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { SessionCountView, SessionListView, SessionView } from '../core/views/session-views.ts';
import type { Clock } from '../ports.ts';

/** A session whose client is connected through the gateway. */
export interface RelayedSession {
  readonly id: string;
  readonly server: ServerId;
  /** Its simulation has begun. */
  readonly isRunning: boolean;
  /** Seconds of the engine's clock: when it began; before that, when the client arrived. */
  readonly since: number;
  readonly project: string | undefined;
  readonly bookingId: string | undefined;
}

/** What the gateway can do to sessions; each returns `undefined` when there is no such session any more. */
export interface RelayedSessions {
  readonly sessions: () => readonly RelayedSession[];
  /** Disconnects the client with this reason. */
  readonly end: (id: string, reason: string) => true | undefined;
  /** `at-once`: the client keeps its connection and gets another server. `closed`: it has to ask again. */
  readonly move: (id: string) => 'at-once' | 'closed' | undefined;
}

export interface SessionListOptions {
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly ledger: {
    readonly sessionCount: (id: ServerId, now: number) => KnownSessions | undefined;
    readonly sessions: (id: ServerId, now: number) => readonly KnownSession[];
  };
  readonly endpoints: () => Iterable<Endpoint>;
}

const NO_GATEWAY: RelayedSessions = { sessions: () => [], end: () => undefined, move: () => undefined };

export class SessionList {
  readonly #options: SessionListOptions;
  #relayed = NO_GATEWAY;

  constructor(options: SessionListOptions) {
    this.#options = options;
  }

  /** Clients come through this gateway, too. */
  addGateway(relayed: RelayedSessions): void {
    this.#relayed = relayed;
  }

  get gateway(): RelayedSessions {
    return this.#relayed;
  }

  /** Sessions through the gateway by server. */
  relayed(): ReadonlyMap<ServerId, readonly RelayedSession[]> {
    const byServer = new Map<ServerId, RelayedSession[]>();
    for (const session of this.#relayed.sessions()) {
      const others = byServer.get(session.server);
      if (others === undefined) byServer.set(session.server, [session]);
      else others.push(session);
    }
    return byServer;
  }

  /** `relayed`: those of the server. */
  count(id: ServerId, relayed: readonly RelayedSession[] = []): SessionCountView {
    const { ledger, clock } = this.#options;
    const now = clock.now();
    const { basis, count } = ledger.sessionCount(id, now) ?? NOTHING;
    if (basis !== 'counted') return { basis, count: Math.max(count, relayed.length) };
    const bookings = new Set(relayed.map(({ bookingId }) => bookingId));
    const coming = ledger.sessions(id, now).filter((session) => !session.isRunning && !bookings.has(session.bookingId));
    return { basis, count: relayed.length + coming.length };
  }

  /** The first `max` sessions of the fleet or of one server, by server. */
  list(max: number, server?: ServerId): SessionListView {
    const relayed = this.relayed();
    const sessions: SessionView[] = [];
    let total = 0;
    for (const endpoint of this.#options.endpoints()) {
      if (server !== undefined && endpoint.id !== server) continue;
      const found = this.#sessionsOn(endpoint, relayed.get(endpoint.id) ?? []);
      total += found.length;
      sessions.push(...found.slice(0, Math.max(0, max - sessions.length)));
    }
    return { at: this.#options.clock.wallTime(), total, sessions };
  }

  #sessionsOn({ id, address }: Endpoint, relayed: readonly RelayedSession[]): readonly SessionView[] {
    const { ledger, clock } = this.#options;
    const now = clock.now();
    const wall = clock.wallTime() - now;
    const basis = ledger.sessionCount(id, now)?.basis ?? NOTHING.basis;
    const common = { serverId: id, server: address, basis };
    const seen = new Set(relayed.map(({ bookingId }) => bookingId));
    const handedOut = ledger.sessions(id, now).filter(({ bookingId, isRunning }) => {
      // Where the gateway sees all clients, a session without a connection has just ended.
      return !seen.has(bookingId) && !(basis === 'counted' && isRunning);
    });
    return [
      ...relayed.map(({ id, isRunning, since, project }) => ({
        ...{ ...common, id, state: isRunning ? ('running' as const) : ('handed-out' as const) },
        // Each of them is seen, also where others come to the server directly.
        ...{ basis: 'counted' as const, since: wall + since, project: project ?? null, closable: true },
      })),
      ...handedOut.map(({ bookingId, isRunning, at, project }) => ({
        ...{ ...common, id: bookingId, state: isRunning ? ('running' as const) : ('handed-out' as const) },
        ...{ since: wall + at, project: project ?? null, closable: false },
      })),
    ];
  }
}

const NOTHING: KnownSessions = { basis: 'estimated', count: 0 };
