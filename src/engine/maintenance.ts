/**
 * Maintenance planned ahead. When its time comes, its servers are drained until its end, by the operator who planned it. From then on it
 * is a drain like any other, which can be changed and ended. Each action is logged with the operator's name and survives a restart.
 */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Drain } from '../core/fleet/fleet.ts';
import { isCovered, stepOf, type Maintenance } from '../core/fleet/maintenance.ts';
import { isoTime } from '../core/text/iso-time.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Restored } from '../state/document.ts';
import { MAX_MAINTENANCES, readMaintenance, saveMaintenance } from '../state/maintenance.ts';
import { startLoop, type Loop } from './loop.ts';
import type { ActionRefused, OperatorActions } from './operator-actions.ts';
import { createStartupGate } from './startup-gate.ts';

export interface MaintenancePlanOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly actions: Pick<OperatorActions, 'drainAll'>;
  readonly drainOf: (id: ServerId) => Drain | undefined;
  /** `name=value`. */
  readonly serversWith: (label: string) => readonly ServerId[];
  readonly saveSoon: () => void;
}

/** Seconds between two looks at the clock, which may be set. */
const MAX_SLEEP = 60;

export class MaintenancePlan {
  readonly #options: MaintenancePlanOptions;
  readonly #startupGate = createStartupGate();
  readonly #loop: Loop;
  #planned: readonly Maintenance[] = [];

  /** Differs whenever `save` would return something else. */
  version = 0;

  constructor(options: MaintenancePlanOptions) {
    this.#options = options;
    this.#loop = startLoop({
      clock: options.clock,
      delay: Infinity,
      cycle: () => this.#look(),
      failed: (error) => {
        options.log.error('beginning a planned maintenance failed inside the session server', { error });
        return MAX_SLEEP;
      },
    });
  }

  /** The earliest first. */
  get planned(): readonly Maintenance[] {
    return this.#planned;
  }

  /** To be called once the plan of the last run is restored. */
  begin(): void {
    this.#startupGate.begin();
    this.#loop.wake();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** `from` may have passed: then it begins at once. */
  async plan(wish: Omit<Maintenance, 'id'>): Promise<{ readonly kind: 'done'; readonly id: string } | ActionRefused> {
    await this.#startupGate.ready;
    const { log, newId } = this.#options;
    if (this.#planned.length >= MAX_MAINTENANCES) {
      const reason = `At most ${MAX_MAINTENANCES} maintenances can be planned; cancel some.`;
      return { kind: 'refused', code: 'too-many-maintenances', reason };
    }
    const id = newId();
    this.#change([...this.#planned, { id, ...wish }].sort((a, b) => a.from - b.from));
    log.info(`maintenance of ${subjectOf(wish)} planned by ${wish.by}`, fieldsOf(wish));
    this.#loop.wake();
    return { kind: 'done', id };
  }

  /** `false`: there is no such maintenance, or it has begun and is a drain. */
  async cancel(id: string, by: string): Promise<boolean> {
    await this.#startupGate.ready;
    const found = this.#planned.find((maintenance) => maintenance.id === id);
    if (found === undefined) return false;
    this.#change(this.#planned.filter((maintenance) => maintenance !== found));
    this.#options.log.info(`planned maintenance of ${subjectOf(found)} cancelled by ${by}`, { ...fieldsOf(found), by });
    return true;
  }

  save(): unknown {
    return saveMaintenance(this.#planned);
  }

  restore(value: unknown): Restored {
    const read = readMaintenance(value);
    if (read.kind === 'foreign') return read;
    this.#planned = read.planned.toSorted((a, b) => a.from - b.from);
    return { kind: 'restored' };
  }

  /** Returns the seconds until the next look. */
  async #look(): Promise<number> {
    await this.#startupGate.ready;
    const { clock } = this.#options;
    for (const maintenance of this.#planned) {
      const step = stepOf(maintenance, clock.wallTime());
      if (step === 'planned') break;
      if (step === 'due') await this.#start(maintenance);
      else this.#reportMissed(maintenance);
      this.#change(this.#planned.filter((other) => other !== maintenance));
    }
    const [next] = this.#planned;
    return next === undefined ? Infinity : Math.min(MAX_SLEEP, Math.max(0, next.from - clock.wallTime()));
  }

  async #start(maintenance: Maintenance): Promise<void> {
    const { actions, drainOf, serversWith, log } = this.#options;
    const { label, by, until, reason } = maintenance;
    const servers = label === undefined ? maintenance.servers : serversWith(label);
    const open = servers.filter((id) => !isCovered(drainOf(id), maintenance));
    log.info(`planned maintenance of ${subjectOf(maintenance)} begins`, fieldsOf(maintenance));
    const { unknown } = await actions.drainAll(open, { by, until, ...(reason !== undefined && { reason }) });
    if (unknown.length > 0) log.warn(`planned maintenance: ${unknown.join(', ')} is not in the fleet`, { by });
    if (servers.length === 0) log.warn(`planned maintenance: no server has the label ${label ?? ''}`, { by });
  }

  #reportMissed(maintenance: Maintenance): void {
    const sentence = `planned maintenance of ${subjectOf(maintenance)} is over: the session server did not run in its time`;
    this.#options.log.warn(sentence, fieldsOf(maintenance));
  }

  #change(planned: readonly Maintenance[]): void {
    this.#planned = planned;
    this.version += 1;
    this.#options.saveSoon();
  }
}

function subjectOf({ servers, label }: Pick<Maintenance, 'servers' | 'label'>): string {
  if (label !== undefined) return `the servers with ${label}`;
  return servers.length === 1 ? (servers[0] ?? '') : `${servers.length} servers`;
}

function fieldsOf({ from, until, by, reason }: Omit<Maintenance, 'id'>) {
  return { by, from: isoTime(from), until: isoTime(until), ...(reason !== undefined && { reason }) };
}
