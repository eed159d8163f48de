/**
 * What operators do to a running fleet: drain and resume servers, add and remove them, forget learned costs, test the notifications. Each action has taken effect when its promise resolves,
 * is logged with the operator's name, and survives a restart.
 */
import { z } from 'zod';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Drain } from '../core/fleet/fleet.ts';
import type { ChannelTestView } from '../core/views/monitor-view.ts';
import { isoTime } from '../core/text/iso-time.ts';
import type { ReadServer, SimulationServer } from '../core/fleet/simulation-server.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import { soundItem, type Restored } from '../state/document.ts';
import type { Forgettable } from '../core/allocation/ledger.ts';
import type { Membership } from './membership.ts';
import type { Poller } from './poller.ts';
import { createStartupGate } from './startup-gate.ts';
import type { Document } from './state-saver.ts';

export interface OperatorActionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly poller: Pick<Poller, 'drain' | 'resume'>;
  readonly membership: Pick<Membership, 'get' | 'set'>;
  /** Reads an entry of `simulationServers`. */
  readonly readServer: (entry: unknown) => ReadServer;
  /** Removes a server that registered itself if it is down. `false`: it is not. */
  readonly forget: (id: ServerId, by: string) => boolean;
  /** Forgets what sessions were seen to cost. `false`: nothing is known of that. */
  readonly forgetCosts: (what: Forgettable) => boolean;
  /** Sends a test on every channel. Resolves within seconds with the outcomes. */
  readonly sendTest: () => Promise<readonly ChannelTestView[]>;
}

/** `refused`: the action makes no sense now; `code` and `reason` are for the operator. */
export type OperatorActionOutcome = { readonly kind: 'done' } | { readonly kind: 'unknown-server' } | ActionRefused;
export type ActionRefused = { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/** What an action on several servers did. */
export interface OnServers {
  readonly done: readonly ServerId[];
  /** Not in the fleet. */
  readonly unknown: readonly ServerId[];
}

export interface DrainRequest {
  /** Name of the token's holder. */
  readonly by: string;
  readonly reason?: string;
  /** Seconds since the epoch. */
  readonly until?: number;
}

/** A document and how it is restored. */
export interface SavedActions extends Document {
  readonly restore: (saved: unknown) => Restored;
}

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
  /** Includes servers that are not in the fleet at present: they may return. */
  readonly #drains = new Map<ServerId, Drain>();
  /** Actions wait until those of the last run are restored: newer ones must not be undone by them. */
  readonly #startupGate = createStartupGate();
  /** Absent: actions are not saved. */
  #store: StateStore | undefined;
  /** Failed writes of each document. */
  readonly #failed = { [DRAINS]: 0, [ADDED]: 0 };

  constructor(options: OperatorActionsOptions) {
    this.#options = options;
  }

  /** To be called once the actions of the last run are restored. Without a store, new actions do not survive a restart. */
  begin(store?: StateStore): void {
    this.#store = store;
    this.#startupGate.begin();
  }

  /** A server joined the fleet: it is drained if it was before. */
  joined(id: ServerId): void {
    const drain = this.#drains.get(id);
    if (drain !== undefined) this.#options.poller.drain(id, drain);
  }

  /** A drain ended, by an action or at its deadline. */
  resumed(id: ServerId): void {
    const drain = this.#drains.get(id);
    if (drain === undefined) return;
    const { log, clock } = this.#options;
    const { by, until } = drain;
    if (until !== undefined && until <= clock.wallTime())
      log.info(`${this.#nameOf(id)} simulation server is no longer drained: the deadline that ${by} set has passed`, {
        by,
        until: isoTime(until),
      });
    this.#drains.delete(id);
    void this.#keepDrains();
  }

  /** Once it resolves, no session is handed out there. Draining again replaces reason and deadline. */
  async drain(id: ServerId, request: DrainRequest): Promise<OperatorActionOutcome> {
    return outcomeOf(await this.drainAll([id], request));
  }

  /** The same for several servers, which are written at once. */
  drainAll(ids: readonly ServerId[], { by, reason, until }: DrainRequest): Promise<OnServers> {
    const { poller, clock, log } = this.#options;
    const drain: Drain = {
      since: clock.wallTime(),
      by,
      ...(reason !== undefined && { reason }),
      ...(until !== undefined && { until }),
    };
    const fields = { by, reason, ...(until !== undefined && { until: isoTime(until) }) };
    const drainOne = (id: ServerId): boolean => {
      if (!poller.drain(id, drain)) return false;
      this.#drains.set(id, drain);
      return true;
    };
    return this.#onServers(ids, drainOne, (name) => log.info(`${name} simulation server drained by ${by}`, fields));
  }

  /** Resuming a server that is not drained does nothing. */
  async resume(id: ServerId, by: string): Promise<OperatorActionOutcome> {
    return outcomeOf(await this.resumeAll([id], by));
  }

  resumeAll(ids: readonly ServerId[], by: string): Promise<OnServers> {
    const { poller, log } = this.#options;
    const resumeOne = (id: ServerId): boolean => {
      if (!poller.resume(id)) return false;
      this.#drains.delete(id);
      return true;
    };
    return this.#onServers(ids, resumeOne, (name) => log.info(`${name} simulation server resumed by ${by}`, { by }));
  }

  /** `act` returns `false` for a server that is not in the fleet. */
  async #onServers(ids: readonly ServerId[], act: (id: ServerId) => boolean, report: (name: string) => void): Promise<OnServers> {
    await this.#startupGate.ready;
    const done = ids.filter(act);
    for (const id of done) report(this.#nameOf(id));
    if (done.length > 0) await this.#keepDrains();
    return { done, unknown: ids.filter((id) => !done.includes(id)) };
  }

  /** `entry` is an entry of `simulationServers`; it is checked here. */
  async addServer(entry: unknown, by: string): Promise<{ readonly kind: 'done'; readonly id: ServerId } | ActionRefused> {
    await this.#startupGate.ready;
    const { membership, log, readServer } = this.#options;
    const read = readServer(entry);
    if (read.kind === 'refused') return { kind: 'refused', code: 'bad-server', reason: read.reason };
    const { id, address } = read.server.endpoint;
    if (membership.get(id) !== undefined)
      return { kind: 'refused', code: 'known-server', reason: `${address} is already in the fleet.` };
    if (this.#added.size >= MAX_ADDED)
      return { kind: 'refused', code: 'too-many-servers', reason: `At most ${MAX_ADDED} servers can be added while running.` };
    this.#added.set(id, { entry, server: read.server });
    membership.set('added', this.#servers());
    log.info(`${address} simulation server added by ${by}`, { by });
    await this.#keepAdded();
    return { kind: 'done', id };
  }

  /** Only servers that were added while running, or registered themselves and are down. */
  async removeServer(id: ServerId, by: string): Promise<OperatorActionOutcome> {
    await this.#startupGate.ready;
    const { membership, log } = this.#options;
    if (!this.#added.has(id)) {
      const member = membership.get(id);
      if (member === undefined) return { kind: 'unknown-server' };
      if (member.source === 'registered') return this.#forget(id, by);
      return {
        kind: 'refused',
        code: 'configured-server',
        reason: 'This server is listed in the configuration file; remove it there.',
      };
    }
    const name = this.#nameOf(id);
    this.#added.delete(id);
    this.#drains.delete(id);
    membership.set('added', this.#servers());
    log.info(`${name} simulation server removed by ${by}`, { by });
    await Promise.all([this.#keepAdded(), this.#keepDrains()]);
    return { kind: 'done' };
  }

  /** As the configuration names it. */
  #nameOf(id: ServerId): string {
    return this.#options.membership.get(id)?.server.endpoint.address ?? id;
  }

  /** A server that answers would register again, so it can be removed only while it is down. */
  #forget(id: ServerId, by: string): OperatorActionOutcome {
    const { forget, log } = this.#options;
    const name = this.#nameOf(id);
    if (!forget(id, by))
      return {
        kind: 'refused',
        code: 'registered-server',
        reason: 'This server registered itself and would register again; drain it, or stop it and remove it once it is down.',
      };
    log.info(`${name} simulation server removed by ${by}`, { by });
    return { kind: 'done' };
  }

  /** Costs are learned again, from what the configuration expects. `nothing-learned`: there is no such server or project. */
  async forgetCosts(what: Forgettable, by: string): Promise<{ readonly kind: 'done' | 'nothing-learned' }> {
    await this.#startupGate.ready;
    if (!this.#options.forgetCosts(what)) return { kind: 'nothing-learned' };
    const of = what.kind === 'server' ? ` of ${what.server}` : what.kind === 'project' ? ` of the project ${what.project}` : '';
    this.#options.log.info(`learned costs${of} forgotten by ${by}`, { by });
    return { kind: 'done' };
  }

  /** Sends a test on every channel. Resolves within seconds with the outcomes. */
  async testNotification(
    by: string,
  ): Promise<{ readonly kind: 'done'; readonly channels: readonly ChannelTestView[] } | ActionRefused> {
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

  /** Each action is written at once. The state saver only writes again what could not be written, so their versions count failures. */
  get documents(): readonly SavedActions[] {
    return [
      {
        ...{ name: DRAINS, version: () => this.#failed[DRAINS], written: 0, save: () => this.#savedDrains() },
        restore: (saved) => this.#restoreDrains(saved),
      },
      {
        ...{ name: ADDED, version: () => this.#failed[ADDED], written: 0, save: () => this.#savedAdded() },
        restore: (saved) => this.#restoreAdded(saved),
      },
    ];
  }

  #restoreDrains(saved: unknown): Restored {
    for (const [id, value] of Object.entries(savedDrains.parse(saved)))
      for (const drain of soundItem(savedDrain, value)) {
        this.#drains.set(id, drain);
        this.#options.poller.drain(id, drain);
      }
    return { kind: 'restored' };
  }

  #restoreAdded(saved: unknown): Restored {
    const { log, membership, readServer } = this.#options;
    for (const entry of Array.isArray(saved) ? saved.slice(0, MAX_ADDED) : []) {
      const read = readServer(entry);
      if (read.kind === 'refused') log.warn(`a server that was added while running can no longer be used: ${read.reason}`);
      else this.#added.set(read.server.endpoint.id, { entry, server: read.server });
    }
    if (this.#added.size > 0) membership.set('added', this.#servers());
    return { kind: 'restored' };
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

  /** The action takes effect whether or not it can be written. */
  async #keep(name: typeof DRAINS | typeof ADDED, value: unknown): Promise<void> {
    const { log } = this.#options;
    if (this.#store === undefined) {
      log.limited(
        'warn',
        'unsaved actions',
        'this action took effect but will not survive a restart: the state folder could not be read at the start',
      );
      return;
    }
    await this.#store.write(name, value).catch((error: unknown) => {
      this.#failed[name] += 1;
      log.error(
        'this action took effect but could not be written and would not survive a restart; it is tried again every few seconds',
        { error },
      );
    });
  }
}

function outcomeOf({ unknown }: OnServers): OperatorActionOutcome {
  return { kind: unknown.length === 0 ? 'done' : 'unknown-server' };
}

const savedDrains = z.record(z.string(), z.unknown()).catch({});
const savedDrain = z.object({
  since: z.number(),
  by: z.string(),
  reason: z.string().exactOptional(),
  until: z.number().exactOptional(),
});
