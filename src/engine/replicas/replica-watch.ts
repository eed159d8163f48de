/** Watches the other replicas and the store: what the monitor shows, and what people are notified of while this replica leads. */
import { documentKey } from '../../core/replicas/shared-state.ts';
import { NO_TROUBLES, observeTroubles, readTroubles, type TroubleNotice, type Troubles } from '../../core/replicas/troubles.ts';
import type { ReplicasView } from '../../core/views/replicas-view.ts';
import type { Clock, Log, SharedStore, StoreFacts } from '../../ports.ts';
import { startLoop, type Loop } from '../loop.ts';
import type { Notifying } from '../notifying.ts';
import type { Replication } from './heartbeats.ts';
import type { Journal } from './journal.ts';
import { replicasView, storeProblems } from './replicas-view.ts';

export interface ReplicaWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SharedStore, 'facts'>;
  readonly replication: () => Replication;
}

/** What a leader notifies with, and where what it knows is shared. */
interface Reporting {
  readonly notifying: Pick<Notifying, 'send'>;
  readonly journal: Pick<Journal, 'get' | 'set' | 'isEnded'>;
}

/** Seconds. */
const CYCLE = 1;
const FACTS = 60;
const TROUBLES = documentKey('replica-troubles');

export class ReplicaWatch {
  readonly #options: ReplicaWatchOptions;
  readonly #watching: Loop;
  #facts: StoreFacts | undefined;
  #factsAt = -Infinity;
  /** Problems of the store that the log has. */
  #said = '';
  #troubles: Troubles = NO_TROUBLES;
  #reporting: Reporting | undefined;

  constructor(options: ReplicaWatchOptions) {
    this.#options = options;
    const { clock, log } = options;
    const failed = (error: unknown) => {
      log.limited('warn', 'replica watch', 'the facts about the shared store cannot be read', { error });
      return CYCLE;
    };
    this.#watching = startLoop({ clock, delay: CYCLE, cycle: () => this.#watch(), failed });
  }

  readonly replication = (): Replication => this.#options.replication();

  readonly view = (): ReplicasView => replicasView(this.replication(), this.#facts, this.#troubles);

  /** This replica leads: what the leader before it knew is continued. */
  lead(reporting: Reporting): void {
    this.#reporting = reporting;
    this.#troubles = readTroubles(reporting.journal.get(TROUBLES));
  }

  stop(): Promise<void> {
    return this.#watching.stop();
  }

  async #watch(): Promise<number> {
    this.#observe();
    await this.#askStore();
    return CYCLE;
  }

  #observe(): void {
    const { clock } = this.#options;
    if (this.#reporting?.journal.isEnded === true) {
      this.#reporting = undefined;
      this.#troubles = NO_TROUBLES;
    }
    if (this.#reporting === undefined) return;
    const { notifying, journal } = this.#reporting;
    const { members, reachesStore, failure } = this.replication();
    const ages = new Map<string, number>();
    for (const { name, age } of members) ages.set(name, Math.min(age, ages.get(name) ?? Infinity));
    const now = clock.wallTime();
    const { troubles, notices } = observeTroubles(this.#troubles, { now, reachesStore, ages });
    this.#troubles = troubles;
    journal.set(TROUBLES, troubles);
    for (const notice of notices) notifying.send(notice.kind, [affected(notice, now, failure)]);
  }

  async #askStore(): Promise<void> {
    const { clock, store, log } = this.#options;
    if (!this.replication().reachesStore || clock.now() < this.#factsAt + FACTS) return;
    this.#factsAt = clock.now();
    this.#facts = await store.facts();
    const problems = storeProblems(this.#facts).join(' ');
    if (problems !== this.#said && problems !== '') log.warn(`the shared store: ${problems}`);
    this.#said = problems;
  }
}

function affected({ kind, name = 'the shared store', since }: TroubleNotice, now: number, failure: string | undefined) {
  const isOver = kind.endsWith('-back');
  return {
    ...{ id: name, address: name, began: since },
    ...(isOver && { lasted: now - since }),
    ...(kind === 'store-gone' && failure !== undefined && { reason: failure }),
  };
}
