/**
 * How long people would wait if a class came: many simulated mornings, in slices of a millisecond, so that clients are answered meanwhile. One rehearsal at a
 * time, and each is limited in time.
 */
import type { AllocationParameters } from '../core/allocation/allocation-parameters.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { History } from '../core/history/history.ts';
import { gainOf, waitsOf, type Waits } from '../core/rehearsal/mornings.ts';
import { seededRandom } from '../core/rehearsal/seeded-random.ts';
import { simulateClass, type Morning, type Scene, type SceneServer } from '../core/rehearsal/simulated-class.ts';
import { AROUND, usualRate, WEEKS, type PastStretch, type Rate } from '../core/rehearsal/usual-rate.ts';
import type { Slot } from '../core/reservations/capacity.ts';
import type { Clock } from '../ports.ts';
import type { CountedSessions } from './counted-sessions.ts';

export interface RehearsalsOptions {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'save' | 'rooms' | 'account' | 'fleetCost'>;
  readonly history: Pick<History, 'query'>;
  readonly counted: CountedSessions;
  readonly eligible: (slot: Pick<Slot, 'project'>) => readonly ServerId[];
  readonly keyOf: (projectUrl: string) => string | undefined;
  readonly parameters: () => AllocationParameters;
  /** Simulated mornings of a question; a quarter as many of each change. */
  readonly runs?: number;
}

/** Whom to simulate: so many people for a project from a moment on, in seconds since the epoch. */
export type Question = Pick<Slot, 'seats' | 'start' | 'project'>;

export type WaitChange =
  | { readonly kind: 'reservation' | 'two-groups'; readonly waits: Waits }
  /** One more machine like this one. */
  | { readonly kind: 'one-more-server'; readonly like: ServerId; readonly waits: Waits };

export type WaitsAnswer =
  | { readonly kind: 'waits'; readonly waits: Waits; /** What helps most comes first. */ readonly changes: readonly WaitChange[] }
  /** Too few sessions were seen to end, or none may be simulated: no server may run it, or too many may. */
  | { readonly kind: 'not-known' }
  /** Another rehearsal runs. */
  | { readonly kind: 'busy' };

/** A tenth of them is outside of a range on each side. */
const RUNS = 200;
/** Seconds after which no further morning is begun, of the question and of each change. */
const TIME = 6;
const TIME_OF_CHANGE = 1.5;
/** Seconds of work between two chances for other work. */
const SLICE = 0.001;
/** A step of a larger fleet takes longer than a slice. */
const MAX_SERVERS = 100;
const MAX_CHANGES = 3;
/** Kinds of machines of which one more is tried. */
const MAX_KINDS = 2;
/** Logarithms: how sure real costs are where they are counted, and the least of the others. */
const COUNTED_COST = 0.1;
const LEARNED_COST = 0.3;
const LEAST_LENGTH = 0.05;
const HOUR = 3600;
const WEEK = 7 * 86_400;
const NEW: ServerId = '+';

export class Rehearsals {
  readonly #options: RehearsalsOptions;
  #isRunning = false;

  constructor(options: RehearsalsOptions) {
    this.#options = options;
  }

  /** `giveWay` lets other work be done; `gone`: the answer is not needed any more. */
  async waits(question: Question, giveWay: () => Promise<unknown>, gone: AbortSignal): Promise<WaitsAnswer> {
    if (this.#isRunning) return { kind: 'busy' };
    const scene = this.#options.counted.isLengthKnown ? this.#scene(question) : undefined;
    if (scene === undefined) return { kind: 'not-known' };
    this.#isRunning = true;
    try {
      const slices = new Slices(this.#options.clock, giveWay, gone);
      const mornings = await slices.run(scene, this.#runs, TIME);
      const waits = waitsOf(mornings);
      return { kind: 'waits', waits, changes: await this.#changes(scene, mornings, slices) };
    } finally {
      this.#isRunning = false;
    }
  }

  get #runs(): number {
    return this.#options.runs ?? RUNS;
  }

  async #changes(scene: Scene, before: readonly Morning[], slices: Slices): Promise<readonly WaitChange[]> {
    const found: { readonly change: WaitChange; readonly gain: number }[] = [];
    const add = async (changed: Scene, named: (waits: Waits) => WaitChange) => {
      const mornings = await slices.run(changed, Math.ceil(this.#runs / 4), TIME_OF_CHANGE);
      // The same seeds: what differs is the change.
      const gain = gainOf(before.slice(0, mornings.length), mornings);
      if (gain > 0) found.push({ change: named(waitsOf(mornings)), gain });
    };
    if (before.every(({ last }) => last === 0)) return [];
    await add({ ...scene, reserved: true }, (waits) => ({ kind: 'reservation', waits }));
    await add({ ...scene, groups: 2 }, (waits) => ({ kind: 'two-groups', waits }));
    for (const like of kindsOf(scene))
      await add(withOneMore(scene, like), (waits) => ({ kind: 'one-more-server', like: like.id, waits }));
    return found
      .sort((one, other) => other.gain - one.gain)
      .slice(0, MAX_CHANGES)
      .map(({ change }) => change);
  }

  /** `undefined`: it cannot be simulated. */
  #scene({ seats: people, start, project }: Question): Scene | undefined {
    const { ledger, clock, eligible, keyOf, parameters, counted } = this.#options;
    const [ofClass, ofOthers] = [eligible(project === undefined ? {} : { project }), eligible({})];
    const servers = this.#servers([...new Set([...ofClass, ...ofOthers])]);
    if (servers.length === 0 || servers.length > MAX_SERVERS || ofClass.length === 0) return undefined;
    const key = project === undefined ? undefined : keyOf(project);
    const [cost, average] = [ledger.fleetCost(key), ledger.fleetCost()];
    const rate = this.#rate(start, servers);
    const lengths = counted.length();
    const present = new Set(servers.map(({ id }) => id));
    const learned = ledger.save(clock.now(), 0);
    const isCounted = counted.costs.factor() !== undefined;
    return {
      learned: { ...learned, servers: learned.servers.filter(({ id }) => present.has(id)), bookings: [] },
      parameters: parameters(),
      ...{ servers, ofClass, ofOthers, project: key, people, groups: 1, reserved: false, lengths, rate: rate.mean },
      projectCost: cost.value / average.value,
      uncertainty: {
        cost: Math.max(isCounted ? COUNTED_COST : LEARNED_COST, Math.log(cost.high / cost.value)),
        rate: rate.spread,
        length: LEAST_LENGTH + lengths.spread / Math.sqrt(Math.max(1, counted.lengths.count)),
      },
    };
  }

  #servers(ids: readonly ServerId[]): readonly SceneServer[] {
    const { ledger, counted } = this.#options;
    const { value } = ledger.fleetCost();
    return ledger.rooms(ids).map(({ id, room: { base, factor, counted: isCounted } }) => {
      const { weight, maxSessions } = ledger.account(id) ?? {};
      return {
        ...{ id, base, cost: value * factor, realCost: counted.costs.factor(id) ?? 1, counted: isCounted },
        ...{ ...(weight !== undefined && { weight }), ...(maxSessions !== undefined && { maxSessions }) },
      };
    });
  }

  /** As usual at that hour of the week; within the next hour, and where nothing was recorded, as the present load suggests. */
  #rate(start: number, servers: readonly SceneServer[]): Rate {
    const { ledger, clock, counted } = this.#options;
    const loads = new Map(ledger.rooms(servers.map(({ id }) => id)).map(({ id, room }) => [id, room.load]));
    const sessions = servers.reduce((sum, { id, base, cost, realCost }) => {
      return sum + Math.max(0, (loads.get(id) ?? base) - base) / (cost * realCost);
    }, 0);
    const present = sessions / counted.length().mean;
    return usualRate(start - clock.wallTime() < HOUR ? [] : this.#past(start), present);
  }

  #past(start: number): readonly PastStretch[] {
    return Array.from({ length: WEEKS }, (_, index) => start - (index + 1) * WEEK).flatMap((at) => {
      const found = this.#options.history.query({ from: at - AROUND, to: at + AROUND, step: 600 });
      if (found === undefined) return [];
      const recorded = found.count.map((count, index) => (count === 0 ? 0 : (found.handOuts[index] ?? 0)));
      const seconds = found.count.filter((count) => count > 0).length * found.step;
      return { handOuts: recorded.reduce((sum, count) => sum + count, 0), seconds };
    });
  }
}

/** Simulates mornings a little at a time. */
class Slices {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #giveWay: () => Promise<unknown>;
  readonly #gone: AbortSignal;
  #began: number;

  constructor(clock: Pick<Clock, 'now'>, giveWay: () => Promise<unknown>, gone: AbortSignal) {
    this.#clock = clock;
    this.#giveWay = giveWay;
    this.#gone = gone;
    this.#began = clock.now();
  }

  /** At least one. */
  async run(scene: Scene, count: number, time: number): Promise<readonly Morning[]> {
    const until = this.#clock.now() + time;
    const mornings: Morning[] = [];
    do {
      const running = simulateClass(scene, seededRandom(mornings.length + 1));
      let next = running.next();
      for (; next.done !== true; next = running.next()) await this.#pause();
      mornings.push(next.value);
    } while (mornings.length < count && this.#clock.now() < until && !this.#gone.aborted);
    return mornings;
  }

  async #pause(): Promise<void> {
    if (this.#clock.now() - this.#began < SLICE) return;
    await this.#giveWay();
    this.#began = this.#clock.now();
  }
}

/** The strongest machine of each kind that the class may use. */
function kindsOf({ servers, ofClass }: Scene): readonly SceneServer[] {
  const kinds = new Map<number, SceneServer>();
  const usable = servers.filter(({ id }) => ofClass.includes(id)).sort((a, b) => a.cost * a.realCost - b.cost * b.realCost);
  for (const server of usable) {
    const kind = Math.round(Math.log2(server.cost * server.realCost));
    if (!kinds.has(kind)) kinds.set(kind, server);
  }
  return [...kinds.values()].slice(0, MAX_KINDS);
}

function withOneMore(scene: Scene, like: SceneServer): Scene {
  const { learned } = scene;
  const twin = learned.servers.filter(({ id }) => id === like.id).map((known) => ({ ...known, id: NEW }));
  const joined = (ids: readonly ServerId[]) => (ids.includes(like.id) ? [...ids, NEW] : ids);
  return {
    ...scene,
    learned: { ...learned, servers: [...learned.servers, ...twin] },
    servers: [...scene.servers, { ...like, id: NEW }],
    ...{ ofClass: joined(scene.ofClass), ofOthers: joined(scene.ofOthers) },
  };
}
