/** Measures what each session costs, once a second, and ends those that use more of the disk than they may. */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';
import { Costs, loadHeaders, pointsOf, type LoadFacts } from '../../core/simulation/costs.ts';
import type { Usage } from '../ports.ts';
import type { Session } from './session.ts';
import type { SessionsCounts } from './sessions.ts';

export interface MeteringOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sessions: () => readonly Session[];
  /** Of this machine. */
  readonly processors: number;
  /** Bytes of this machine. */
  readonly memory: number;
  /** Bytes that a session may write. */
  readonly disk: () => number;
}

/** The last measurement of a session. */
export interface Measured {
  readonly at: number;
  readonly usage: Usage;
  /** Load points. */
  readonly points: number;
}

const INTERVAL = 1;
/** Measurements between two checks of the disk use, which are expensive. */
const DISK_EVERY = 5;
/** Measurements after which the version of the costs grows while sessions run. */
const VERSION_EVERY = 30;

export class Metering {
  readonly costs = new Costs();
  readonly #options: MeteringOptions;
  readonly #measured = new Map<string, Measured>();
  readonly #streamed = new Set<string>();
  readonly #loop: Loop;
  #rounds = 0;
  #version = 0;

  constructor(options: MeteringOptions) {
    this.#options = options;
    this.#loop = startLoop({
      clock: options.clock,
      delay: INTERVAL,
      cycle: async () => {
        await this.#measureAll();
        return INTERVAL;
      },
      failed: (error) => {
        options.log.limited('warn', 'metering', 'what the sessions use cannot be measured', { error });
        return INTERVAL;
      },
    });
  }

  of(id: string): Measured | undefined {
    return this.#measured.get(id);
  }

  /** Load points that sessions which are starting will probably add to what they cost now. */
  pending(): number {
    let points = 0;
    for (const { id, life, project } of this.#options.sessions())
      if (project !== undefined && ['fetching', 'preparing', 'starting'].includes(life.phase))
        points += Math.max(0, this.costs.expected(project.key) - (this.#measured.get(id)?.points ?? 0));
    return points;
  }

  facts(counts: SessionsCounts): LoadFacts {
    let points = 0;
    for (const measured of this.#measured.values()) points += measured.points;
    return { ...counts, points, pending: this.pending(), version: this.#version };
  }

  headers(counts: SessionsCounts): Readonly<Record<string, string>> {
    return loadHeaders(this.facts(counts));
  }

  get version(): number {
    return this.#version;
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #measureAll(): Promise<void> {
    this.#rounds += 1;
    const sessions = this.#options.sessions();
    const living = new Set(sessions.map(({ id }) => id));
    for (const known of [this.#measured.keys(), this.#streamed.keys()])
      for (const id of known)
        if (!living.has(id)) {
          this.#measured.delete(id);
          this.#streamed.delete(id);
          this.#version += 1;
        }
    // Side by side: what is asked at the same time is found out once.
    await Promise.all(sessions.map((session) => this.#measure(session)));
    if (this.#rounds % DISK_EVERY === 0) await Promise.all(sessions.map((session) => this.#lookAtDisk(session)));
    if (this.#measured.size > 0 && this.#rounds % VERSION_EVERY === 0) this.#version += 1;
  }

  async #measure({ id, life, running, project, acceptedAt }: Session): Promise<void> {
    if (running === undefined || (life.phase !== 'starting' && life.phase !== 'streaming')) return;
    const usage = await running.usage();
    if (usage === undefined) return;
    const { clock, processors, memory } = this.#options;
    const before = this.#measured.get(id);
    const at = clock.now();
    const seconds = before === undefined ? 0 : at - before.at;
    const cpu =
      before === undefined || seconds <= 0 ? 0 : (100 * Math.max(0, usage.cpu - before.usage.cpu)) / seconds / processors;
    const points = pointsOf({ cpu: Math.min(100, cpu), memory: Math.min(100, (100 * usage.memory) / memory) });
    this.#measured.set(id, { at, usage, points });
    if (project === undefined || life.phase !== 'streaming') return;
    if (!this.#streamed.has(id)) {
      this.#streamed.add(id);
      this.#version += 1;
      this.costs.started(project.key, life.since - acceptedAt);
    }
    if (before !== undefined) this.costs.measured(project.key, points, usage.memory, life.busy);
  }

  async #lookAtDisk(session: Session): Promise<void> {
    const { workspace, life } = session;
    if (workspace === undefined || (life.phase !== 'starting' && life.phase !== 'streaming')) return;
    const used = await workspace.usage();
    if (used === undefined || used <= this.#options.disk()) return;
    const text = 'The simulation wrote more to the disk than is allowed.';
    session.feed({ kind: 'end', ending: { reason: 'disk', code: 1011, text } });
  }
}
