/**
 * What operators do to a running fleet: drain and resume, add and remove servers, try the notifications. Each act is in force when its promise resolves, stands
 * in the log with who did it, and survives a restart.
 */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Drain } from '../core/fleet/fleet.ts';
import type { ChannelTestView } from '../core/views/monitor-view.ts';
import { isoTime } from '../core/text/iso-time.ts';
import type { SimulationServer } from '../core/fleet/simulation-server.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import type { Membership } from './membership.ts';
import type { Poller } from './poller.ts';
import type { Document } from './state-saver.ts';

export interface OperatorActionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StateStore;
  readonly poller: Pick<Poller, 'drain' | 'resume'>;
  readonly membership: Pick<Membership, 'get' | 'set'>;
  /** Reads what may stand in `simulationServers`. */
  readonly readServer: (entry: unknown) => ReadServer;
  /** Lets a server that registered itself leave, if it is down: `false` if not. */
  readonly forget: (id: ServerId, by: string) => boolean;
  /** Sends a test on every channel; resolves within seconds with what became of it. */
  readonly sendTest: () => Promise<readonly ChannelTestView[]>;
}

export type ReadServer =
  { readonly kind: 'server'; readonly server: SimulationServer } | { readonly kind: 'refused'; readonly reason: string };

export type Done = { readonly kind: 'done' };
export type UnknownServer = { readonly kind: 'unknown-server' };
export type ActRefused = { readonly kind: 'refused'; readonly code: string; readonly reason: string };

interface Added {
  readonly entry: unknown;
  readonly server: SimulationServer;
}

const DRAINS = 'drains';
const ADDED = 'added-servers';
const MAX_ADDED = 10_000;

export class OperatorActions {
  readonly #options: OperatorActionsOptions;
  readonly #added = new Map<ServerId, Added>();
  /** Of servers that are not in the fleet at present, too: they may return. */
  readonly #drains = new Map<ServerId, Drain>();
  /** Servers on which somebody acted before the acts of the last run were read. `undefined`: they are read. */
  #early: Set<ServerId> | undefined = new Set();
  /** Writings that failed, of each document. */
  readonly #failed = { [DRAINS]: 0, [ADDED]: 0 };

  constructor(options: OperatorActionsOptions) {
    this.#options = options;
  }

  /** Takes up the acts of the last run. The disk may have been slow: acts of this run count for more, and are written now. */
  async recall(): Promise<void> {
    const { store, log, poller, membership, readServer } = this.#options;
    const [drains, added] = await Promise.all([store.read(DRAINS), store.read(ADDED)]);
    const early = this.#early ?? new Set();
    this.#early = undefined;
    for (const [id, drain] of entries(drains)) {
      if (!isDrain(drain) || early.has(id)) continue;
      this.#drains.set(id, drain);
      poller.drain(id, drain);
    }
    for (const entry of Array.isArray(added) ? added.slice(0, MAX_ADDED) : []) {
      const read = readServer(entry);
      if (read.kind === 'refused') log.warn(`a server that was added while running cannot be used any more: ${read.reason}`);
      else if (!early.has(read.server.endpoint.id)) this.#added.set(read.server.endpoint.id, { entry, server: read.server });
    }
    if (this.#added.size > 0) membership.set('added', this.#servers());
    if (early.size > 0) await Promise.all([this.#keepDrains(), this.#keepAdded()]);
  }

  /** A server joined the fleet: it is drained if it was before. */
  joined(id: ServerId): void {
    const drain = this.#drains.get(id);
    if (drain !== undefined) this.#options.poller.drain(id, drain);
  }

  /** A drain ended, by an act or by its deadline. */
  resumed(id: ServerId): void {
    const drain = this.#drains.get(id);
    if (drain === undefined) return;
    const { log, clock } = this.#options;
    const { by, until } = drain;
    if (until !== undefined && until <= clock.wallTime())
      log.info(`${id} simulation server is drained no longer: the deadline that ${by} set has passed`, {
        by,
        until: isoTime(until),
      });
    this.#drains.delete(id);
    void this.#keepDrains();
  }

  async drain(
    id: ServerId,
    { by, reason, until }: { readonly by: string; readonly reason?: string; readonly until?: number },
  ): Promise<Done | UnknownServer> {
    const { poller, clock, log } = this.#options;
    const drain: Drain = {
      since: clock.wallTime(),
      by,
      ...(reason !== undefined && { reason }),
      ...(until !== undefined && { until }),
    };
    if (!poller.drain(id, drain)) return { kind: 'unknown-server' };
    this.#early?.add(id);
    this.#drains.set(id, drain);
    log.info(`${id} simulation server drained by ${by}`, { by, reason, ...(until !== undefined && { until: isoTime(until) }) });
    await this.#keepDrains();
    return { kind: 'done' };
  }

  async resume(id: ServerId, by: string): Promise<Done | UnknownServer> {
    const { poller, log } = this.#options;
    if (!poller.resume(id)) return { kind: 'unknown-server' };
    this.#early?.add(id);
    this.#drains.delete(id);
    log.info(`${id} simulation server resumed by ${by}`, { by });
    await this.#keepDrains();
    return { kind: 'done' };
  }

  async addServer(entry: unknown, by: string): Promise<{ readonly kind: 'done'; readonly id: ServerId } | ActRefused> {
    const { membership, log, readServer } = this.#options;
    const read = readServer(entry);
    if (read.kind === 'refused') return { kind: 'refused', code: 'bad-server', reason: read.reason };
    const { id, address } = read.server.endpoint;
    if (membership.get(id) !== undefined)
      return { kind: 'refused', code: 'known-server', reason: `${address} is in the fleet already.` };
    if (this.#added.size >= MAX_ADDED)
      return { kind: 'refused', code: 'too-many-servers', reason: `At most ${MAX_ADDED} servers can be added while running.` };
    this.#early?.add(id);
    this.#added.set(id, { entry, server: read.server });
    membership.set('added', this.#servers());
    log.info(`${address} simulation server added by ${by}`, { by });
    await this.#keepAdded();
    return { kind: 'done', id };
  }

  async removeServer(id: ServerId, by: string): Promise<Done | UnknownServer | ActRefused> {
    const { membership, log } = this.#options;
    if (!this.#added.has(id)) {
      const member = membership.get(id);
      if (member === undefined) return { kind: 'unknown-server' };
      if (member.source === 'registered') return this.#forget(id, by);
      return {
        kind: 'refused',
        code: 'configured-server',
        reason: 'This server stands in the configuration file; remove it there.',
      };
    }
    this.#early?.add(id);
    this.#added.delete(id);
    this.#drains.delete(id);
    membership.set('added', this.#servers());
    log.info(`${id} simulation server removed by ${by}`, { by });
    await Promise.all([this.#keepAdded(), this.#keepDrains()]);
    return { kind: 'done' };
  }

  /** What answers would come again, so it may be removed only when it is down. */
  #forget(id: ServerId, by: string): Done | ActRefused {
    const { forget, log } = this.#options;
    if (!forget(id, by))
      return {
        kind: 'refused',
        code: 'registered-server',
        reason: 'This server registered itself and would do so again; drain it, or stop it and remove it when it is down.',
      };
    log.info(`${id} simulation server removed by ${by}`, { by });
    return { kind: 'done' };
  }

  async testNotification(
    by: string,
  ): Promise<{ readonly kind: 'done'; readonly channels: readonly ChannelTestView[] } | ActRefused> {
    const { log, sendTest } = this.#options;
    const channels = await sendTest();
    if (channels.length === 0)
      return { kind: 'refused', code: 'no-notifiers', reason: 'Neither e-mail nor a webhook is configured.' };
    log.info(`test notification sent by ${by}`, { by, notifiers: channels.length });
    for (const { notifier, outcome, reason } of channels) {
      if (outcome === 'sent') log.info(`the test notification was accepted by ${notifier}`);
      else log.warn(`the test notification could not be sent by ${notifier}: ${reason ?? 'it failed'}`);
    }
    return { kind: 'done', channels };
  }

  #servers(): SimulationServer[] {
    return [...this.#added.values()].map(({ server }) => server);
  }

  /** What a disk did not take is to be written again: each act is written at once, and this only tells of those that could not be, since the start. */
  get documents(): readonly Document[] {
    return [
      { name: DRAINS, version: () => this.#failed[DRAINS], written: 0, save: () => this.#savedDrains() },
      { name: ADDED, version: () => this.#failed[ADDED], written: 0, save: () => this.#savedAdded() },
    ];
  }

  #savedDrains(): unknown {
    return Object.fromEntries(this.#drains);
  }

  #savedAdded(): unknown {
    return [...this.#added.values()].map(({ entry }) => entry);
  }

  #keepDrains(): Promise<void> {
    return this.#keep(DRAINS, this.#savedDrains());
  }

  #keepAdded(): Promise<void> {
    return this.#keep(ADDED, this.#savedAdded());
  }

  /** The act is in force whether or not the disk takes it. */
  async #keep(name: typeof DRAINS | typeof ADDED, value: unknown): Promise<void> {
    const { store, log } = this.#options;
    if (this.#early !== undefined) {
      log.limited(
        'warn',
        'early acts',
        'this act is in force, but not written yet: the disk has not told the acts of the last run; it survives a restart when it has',
      );
      return;
    }
    await store.write(name, value).catch((error: unknown) => {
      this.#failed[name] += 1;
      log.error(
        'this act is in force, but could not be written and would not survive a restart; it is tried again every few seconds',
        {
          error,
        },
      );
    });
  }
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function isDrain(value: unknown): value is Drain {
  if (typeof value !== 'object' || value === null) return false;
  const { since, by, reason, until } = value as Record<string, unknown>;
  return (
    typeof since === 'number' &&
    typeof by === 'string' &&
    (reason === undefined || typeof reason === 'string') &&
    (until === undefined || typeof until === 'number')
  );
}
