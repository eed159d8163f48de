/**
 * Which simulation servers are in the fleet, from all sources together. A server that several sources name counts once, by the first of them; it keeps its state
 * as long as one of them names it.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { ServerFacts } from '../core/fleet/fleet.ts';
import type { RoutedServer } from '../core/fleet/routing.ts';
import type { SimulationServer } from '../core/fleet/simulation-server.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Router } from '../core/fleet/routing.ts';
import type { Poller } from './poller.ts';

/** Sources in the order in which they count. */
export type Source = 'configured' | 'added' | 'registered';
const SOURCES: readonly Source[] = ['configured', 'added', 'registered'];

export interface Member {
  readonly server: SimulationServer;
  readonly source: Source;
}

export interface MembershipOptions {
  readonly poller: Poller;
  readonly ledger: Ledger;
  readonly router: Router;
  /** The fleet consists of these servers from now on. */
  readonly changed: (ids: readonly ServerId[]) => void;
  readonly removed: (id: ServerId) => void;
  /** Whether clients reach the server through the gateway, so that it is known when their sessions begin and end. */
  readonly countsSessions: (endpoint: Endpoint) => boolean;
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly #bySource = new Map<Source, readonly SimulationServer[]>();
  #members = new Map<ServerId, Member>();
  #version = 0;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get(id: ServerId): Member | undefined {
    return this.#members.get(id);
  }

  /** Moves on whenever the servers may be others. */
  get version(): number {
    return this.#version;
  }

  members(): Iterable<Member> {
    return this.#members.values();
  }

  /** The servers that have the label, written as `name=value`. */
  withLabel(label: string): readonly ServerId[] {
    const has = ({ server: { labels } }: Member) => Object.entries(labels).some(([name, value]) => `${name}=${value}` === label);
    return [...this.#members].filter(([, member]) => has(member)).map(([id]) => id);
  }

  /** Servers of one source. */
  of(source: Source): readonly SimulationServer[] {
    return this.#bySource.get(source) ?? [];
  }

  /** Replaces the servers of one source. */
  set(source: Source, servers: readonly SimulationServer[]): void {
    const { ledger, router, poller, changed, removed } = this.#options;
    this.#bySource.set(source, servers);
    const before = this.#members;
    this.#version += 1;
    this.#members = this.#merge();
    for (const id of before.keys()) {
      if (this.#members.has(id)) continue;
      ledger.remove(id);
      router.remove(id);
      removed(id);
    }
    for (const [id, member] of this.#members) if (before.get(id)?.server !== member.server) this.#account(member);
    // Last: the accounts must be up to date when the poller reports servers that come or go.
    poller.update([...this.#members.values()].map(({ server }) => server.endpoint));
    this.reroute();
    changed([...this.#members.keys()]);
  }

  /** Clients may reach servers in another way, so the answer of `countsSessions` may differ for any of them. */
  recount(): void {
    for (const member of this.#members.values()) this.#account(member);
  }

  /** The settings changed, so the same facts may mean another state. */
  reroute(): void {
    for (const facts of this.#options.poller.servers()) this.route(facts);
  }

  /** Passes the facts of a server to the router. Booked load counts, so that a burst of guests cannot take more than the shared idle time. */
  route(facts: ServerFacts): void {
    const member = this.#members.get(facts.endpoint.id);
    if (member === undefined) return;
    const { allowedRepositories, blockedRepositories, shareIdleTime, labels } = member.server;
    const routed: RoutedServer = {
      id: facts.endpoint.id,
      state: this.#options.poller.state(facts),
      shareIdleTime,
      labels,
      ...(facts.load !== undefined && { load: facts.load + this.#options.ledger.booked(facts.endpoint.id) }),
      ...(allowedRepositories !== undefined && { allowedRepositories }),
      ...(blockedRepositories !== undefined && { blockedRepositories }),
    };
    this.#options.router.update(routed);
  }

  /** The booked load of a server changed. It matters to the router only for servers that share idle time. */
  booked(id: ServerId): void {
    const facts = this.#options.poller.facts(id);
    if (facts !== undefined && (this.#members.get(id)?.server.shareIdleTime ?? 0) > 0) this.route(facts);
  }

  #account({ server: { endpoint, weight, maxSessions } }: Member): void {
    const { ledger, countsSessions } = this.#options;
    const limit = maxSessions !== undefined && { maxSessions };
    ledger.add(endpoint.id, { weight, ...limit, countsSessions: countsSessions(endpoint) });
  }

  #merge(): Map<ServerId, Member> {
    const members = new Map<ServerId, Member>();
    for (const source of SOURCES) {
      for (const server of this.of(source))
        if (!members.has(server.endpoint.id)) members.set(server.endpoint.id, { server, source });
    }
    return members;
  }
}
