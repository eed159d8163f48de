/**
 * Simulation servers that register themselves. A new one is checked until it proves to be a simulation server, and only then joins the fleet. It leaves when it is
 * silent or down for long (`core/fleet/registration`), and joins again by registering again.
 *
 * The check comes after the answer, never before: a simulation server of the original registers before it serves clients, and waits for our answer.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import { giveUpAfter, nextCheck, reasonToRemove, type RemovalRules } from '../core/fleet/registration.ts';
import type { ReadServer, SimulationServer } from '../core/fleet/simulation-server.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import type { Membership } from '../engine/membership.ts';
import type { Clock, Log } from '../ports.ts';

export interface RegisteredOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly membership: Pick<Membership, 'get' | 'of' | 'set'>;
  /** Reads an entry of `simulationServers`. */
  readonly readServer: (entry: unknown) => ReadServer;
  /** Is it a simulation server? Never throws. */
  readonly check: (
    endpoint: Endpoint,
    signal: AbortSignal,
  ) => Promise<{ readonly kind: 'simulation-server' } | { readonly kind: 'failed'; readonly reason: string }>;
  /** Why the present rules forbid this server, judged by its address alone. */
  readonly refuse: (endpoint: Endpoint) => string | undefined;
  /** Since when a server of the fleet is down, in seconds of the engine's clock. `undefined`: it is not. */
  readonly downSince: (id: ServerId) => number | undefined;
  /** Other servers can be reached: one that does not answer is down, and not our network. */
  readonly isNetworkProved: () => boolean;
  /** As configured now. */
  readonly rules: () => RegistrationRules;
  /** `version` changed. */
  readonly changed: () => void;
}

export interface RegistrationRules extends RemovalRules {
  /** Registration is switched on. */
  readonly enabled: boolean;
  readonly maxServers: number;
}

export type Announced =
  /** `checking`: it joins the fleet once it proves to be a simulation server. */
  | { readonly kind: 'accepted'; readonly id: ServerId; readonly state: 'checking' | 'registered' | 'configured' }
  | { readonly kind: 'refused'; readonly code: 'bad-server' | 'too-many-servers'; readonly reason: string };

/** `foreign`: not ours, or of another version; nothing was restored. */
export type RestoredServers = { readonly kind: 'restored' } | { readonly kind: 'foreign'; readonly reason: string };

const RESTORED: RestoredServers = { kind: 'restored' };

interface Registered {
  /** As it was sent. */
  readonly entry: unknown;
  readonly server: SimulationServer;
  readonly heartbeats: boolean;
  /** Seconds of the engine's clock, as all times here. */
  readonly lastSeenAt: number;
  readonly checking?: Checking;
}

interface Checking {
  readonly since: number;
  readonly tries: number;
  readonly next: number;
  readonly problem?: string;
}

/** Seconds. */
const LOOK = 0.5;
/** Simultaneous checks: hosts that accept connections and never answer must not delay the others for long. */
const MAX_CHECKS = 16;

export class RegisteredServers {
  readonly #options: RegisteredOptions;
  readonly #servers = new Map<ServerId, Registered>();
  readonly #loop: Loop;
  #version = 0;
  /** Until when our network may have been the cause of silence. */
  #deafUntil = -Infinity;

  constructor(options: RegisteredOptions) {
    this.#options = options;
    this.#loop = startLoop({
      clock: options.clock,
      delay: Infinity,
      cycle: async (signal) => {
        await this.#cycle(signal);
        return this.#servers.size > 0 ? LOOK : Infinity;
      },
      failed: (error) => {
        options.log.error('checking registered servers failed inside the session server', { error });
        return LOOK;
      },
    });
  }

  /** Differs whenever `save` would return something else. */
  get version(): number {
    return this.#version;
  }

  /** The server of this entry is in the fleet, or is being checked: announcing it adds no server. */
  knows(entry: unknown): boolean {
    const read = this.#options.readServer(entry);
    if (read.kind === 'refused') return false;
    const { id } = read.server.endpoint;
    return this.#servers.has(id) || this.#options.membership.get(id) !== undefined;
  }

  /** A server registers, for the first time or again. `heartbeats`: it will repeat this regularly. */
  announce(entry: unknown, { heartbeats }: { readonly heartbeats: boolean }): Announced {
    const { clock, log, membership, readServer, rules } = this.#options;
    const read = readServer(entry);
    if (read.kind === 'refused') return { kind: 'refused', code: 'bad-server', reason: read.reason };
    const { id, address } = read.server.endpoint;
    const member = membership.get(id);
    if (member !== undefined && member.source !== 'registered') return { kind: 'accepted', id, state: 'configured' };
    const known = this.#servers.get(id);
    const { maxServers } = rules();
    if (known === undefined && this.#servers.size >= maxServers)
      return {
        kind: 'refused',
        code: 'too-many-servers',
        reason: `At most ${maxServers} servers can register (registration.maxServers).`,
      };

    const now = clock.now();
    const same = known !== undefined && JSON.stringify(known.entry) === JSON.stringify(entry);
    const asBefore = known?.server.endpoint.address === address;
    // A running check continues; one that is due later comes now, because the server may have started since.
    const checking = asBefore
      ? known.checking && { ...known.checking, next: Math.min(known.checking.next, now + nextCheck(0)) }
      : freshCheck(now);
    this.#servers.set(id, {
      // The ledger knows servers by identity: what did not change stays the same object.
      ...(same ? { entry: known.entry, server: known.server } : { entry, server: read.server }),
      ...{ heartbeats, lastSeenAt: now },
      ...(checking !== undefined && { checking }),
    });
    if (!same || known.heartbeats !== heartbeats) this.#changed();
    if (known === undefined)
      log.info(`${address} simulation server registers; sessions are handed out once it has passed its check`);
    this.#loop.wake();
    return { kind: 'accepted', id, state: checking === undefined ? 'registered' : 'checking' };
  }

  /** `false`: it was not registered. */
  leave(id: ServerId, reason = 'it deregistered'): boolean {
    const known = this.#servers.get(id);
    if (known === undefined) return false;
    this.#forget(id, known, reason);
    this.#changed();
    return true;
  }

  /** The rules changed, and servers that they forbid leave. An address may be allowed again soon, so those servers are checked again for a while. */
  reconfigure(): void {
    if (this.#servers.size === 0) return;
    const { clock, log, refuse, rules } = this.#options;
    const { enabled } = rules();
    for (const [id, known] of this.#servers) {
      const { endpoint } = known.server;
      const refused = known.checking === undefined ? refuse(endpoint) : undefined;
      if (!enabled) this.#forget(id, known, 'registration was switched off');
      else if (refused !== undefined) {
        this.#servers.set(id, { ...known, checking: freshCheck(clock.now()) });
        log.info(`${endpoint.address} registered simulation server left the fleet: ${refused}`);
      }
    }
    this.#changed();
    this.#loop.wake();
  }

  /** Includes those being checked: a simulation server of the original registers only at its own start. */
  save(): unknown {
    return [...this.#servers.values()].map(({ entry, heartbeats, checking }) => ({
      ...{ entry, heartbeats },
      ...(checking !== undefined && { checking: true }),
    }));
  }

  /** `saved` is of any type. Silence while the session server was stopped does not count. */
  restore(saved: unknown): RestoredServers {
    const { clock, log, readServer, refuse, rules } = this.#options;
    const { enabled, maxServers } = rules();
    if (!enabled || saved === undefined) return RESTORED;
    if (!Array.isArray(saved)) return { kind: 'foreign', reason: 'it is not a list of registered servers' };
    for (const item of saved.slice(0, maxServers) as unknown[]) {
      if (typeof item !== 'object' || item === null || !('entry' in item)) continue;
      const read = readServer(item.entry);
      if (read.kind === 'refused') {
        log.warn(`a registered server can no longer be used: ${read.reason}`);
        continue;
      }
      const heartbeats = 'heartbeats' in item && item.heartbeats === true;
      const { server } = read;
      // It may have registered already, or others have, while the state was being read.
      if (this.#servers.has(server.endpoint.id) || this.#servers.size >= maxServers) continue;
      const proved = !('checking' in item) || item.checking !== true;
      this.#servers.set(server.endpoint.id, {
        ...{ entry: item.entry, server, heartbeats, lastSeenAt: clock.now() },
        // The rules may have changed since it registered.
        ...((!proved || refuse(server.endpoint) !== undefined) && { checking: freshCheck(clock.now()) }),
      });
    }
    if (this.#servers.size === 0) return RESTORED;
    this.#changed();
    this.#loop.wake();
    return RESTORED;
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #cycle(signal: AbortSignal): Promise<void> {
    const { clock, downSince, isNetworkProved, rules } = this.#options;
    const now = clock.now();
    if (!isNetworkProved()) this.#deafUntil = now;
    const leaving = rules();
    let changed = false;
    for (const [id, known] of this.#servers) {
      const down = downSince(id);
      const presence = { ...known, deafUntil: this.#deafUntil, ...(down !== undefined && { downSince: down }) };
      const reason = reasonToRemove(presence, now, leaving) ?? reasonToGiveUp(known, now, leaving);
      if (reason === undefined) continue;
      this.#forget(id, known, reason);
      changed = true;
    }
    if (changed) this.#changed();
    const due = [...this.#servers]
      .filter(([, { checking }]) => checking !== undefined && checking.next <= now)
      .sort(([, a], [, b]) => (a.checking?.next ?? 0) - (b.checking?.next ?? 0))
      .slice(0, MAX_CHECKS);
    await Promise.all(due.map(([id, known]) => this.#check(id, known, signal)));
  }

  async #check(id: ServerId, { server: { endpoint }, checking }: Registered, signal: AbortSignal): Promise<void> {
    const { clock, log, check } = this.#options;
    const result = await check(endpoint, signal);
    const known = this.#servers.get(id);
    // It may have left, or changed its address, during the check.
    if (signal.aborted || checking === undefined || known?.server.endpoint.address !== endpoint.address) return;
    const { checking: _, ...rest } = known;
    if (result.kind === 'simulation-server') {
      this.#servers.set(id, rest);
      log.info(`${endpoint.address} simulation server joined the fleet: it registered itself`);
      this.#changed();
      return;
    }
    const tries = checking.tries + 1;
    const { reason: problem } = result;
    this.#servers.set(id, { ...rest, checking: { since: checking.since, tries, next: clock.now() + nextCheck(tries), problem } });
    if (problem !== checking.problem)
      log.limited(
        'warn',
        `registering ${id}`,
        `${endpoint.address} simulation server registered and is not offered yet: ${problem}`,
      );
  }

  #forget(id: ServerId, { server: { endpoint }, checking }: Registered, reason: string): void {
    this.#servers.delete(id);
    const left = checking === undefined ? 'left the fleet' : 'never joined the fleet';
    this.#options.log.info(`${endpoint.address} registered simulation server ${left}: ${reason}`);
  }

  #changed(): void {
    this.#version += 1;
    const joined = [...this.#servers.values()].filter(({ checking }) => checking === undefined).map(({ server }) => server);
    const { membership } = this.#options;
    const before = membership.of('registered');
    if (joined.length !== before.length || joined.some((server, i) => server !== before[i])) membership.set('registered', joined);
    this.#options.changed();
  }
}

function freshCheck(now: number): Checking {
  return { since: now, tries: 0, next: now + nextCheck(0) };
}

function reasonToGiveUp({ checking }: Registered, now: number, rules: RemovalRules): string | undefined {
  if (checking === undefined || now - checking.since < giveUpAfter(rules)) return undefined;
  return checking.problem ?? 'it could not be checked in time';
}
