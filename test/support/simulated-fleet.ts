import type { Endpoint, ServerId } from '../../src/core/fleet/endpoint.ts';
import type { Clock, Probe, ProbeResult } from '../../src/ports.ts';
import { exponential } from './seeded-random.ts';

export type Fault = 'refuses' | 'hangs' | 'lies';

interface Session {
  readonly cost: number;
  readonly visibleAt: number;
  readonly endsAt: number;
}

interface Machine {
  fault: Fault | undefined;
  faultUntil: number;
  nextFault: number;
  sessions: Session[];
  /** Seconds with a true load of 95 or more while a client was there, and with any client there. */
  overloaded: number;
  busy: number;
  countedUntil: number;
}

/**
 * Simulation servers with a true load that shows 5 to 60 s after a session was handed out, noise, and faults drawn at random: they die and lose their sessions,
 * hang, or answer nonsense.
 */
export class SimulatedFleet implements Probe {
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #random: () => number;
  readonly #machines = new Map<ServerId, Machine>();
  /** Mean seconds between two faults of one machine. */
  readonly #calm: number;
  faults = 0;

  constructor(clock: Clock, random: () => number, ids: readonly ServerId[], calm: number) {
    this.#clock = clock;
    this.#random = random;
    this.#calm = calm;
    for (const id of ids) {
      const machine: Machine = {
        fault: undefined,
        faultUntil: 0,
        nextFault: clock.now() + exponential(random, calm),
        sessions: [],
        overloaded: 0,
        busy: 0,
        countedUntil: clock.now(),
      };
      this.#machines.set(id, machine);
    }
  }

  /** A client connects: its load appears after a while, and leaves with it. Returns `false` when the machine is dead. */
  connect(id: ServerId, cost: number, duration: number): boolean {
    const machine = this.#present(id);
    if (machine.fault === 'refuses') return false;
    const now = this.#clock.now();
    const visibleAt = now + 5 + Math.min(55, exponential(this.#random, 12));
    machine.sessions.push({ cost, visibleAt, endsAt: now + duration });
    return true;
  }

  /** Percent, not cut at 100. */
  trueLoad(id: ServerId): number {
    return load(this.#present(id), this.#clock.now());
  }

  faultOf(id: ServerId): Fault | undefined {
    return this.#present(id).fault;
  }

  /** Share of the busy time that was spent at 95 or above. */
  get overloadedShare(): number {
    let overloaded = 0;
    let busy = 0;
    for (const machine of this.#machines.values()) {
      overloaded += machine.overloaded;
      busy += machine.busy;
    }
    return busy === 0 ? 0 : overloaded / busy;
  }

  async probe({ id }: Endpoint): Promise<ProbeResult> {
    const machine = this.#present(id);
    switch (machine.fault) {
      case 'refuses':
        return failed('refused', 'nothing listens on its port');
      case 'lies':
        return failed('not-a-number', 'its answer to /load is not a number');
      case 'hangs':
        await this.#clock.sleep(4, this.#closing.signal);
        return failed('timeout', 'it did not answer within 4 s');
      case undefined: {
        const seen = load(machine, this.#clock.now()) * (0.97 + 0.06 * this.#random()) + this.#random();
        return { kind: 'sample', load: Math.max(0, Math.min(100, seen)), latency: 0.002 };
      }
    }
  }

  forget(): void {
    // A simulated machine has no connection.
  }

  recheckNames(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** The machine as it is now: sessions ended, faults begun and fixed. */
  #present(id: ServerId): Machine {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new Error(`no machine ${id}`);
    const now = this.#clock.now();
    this.#count(machine, now);
    machine.sessions = machine.sessions.filter(({ endsAt }) => endsAt > now);
    if (machine.fault !== undefined && now >= machine.faultUntil) {
      machine.fault = undefined;
      machine.nextFault = now + exponential(this.#random, this.#calm);
    } else if (machine.fault === undefined && now >= machine.nextFault) {
      machine.fault = (['refuses', 'hangs', 'lies'] as const)[Math.floor(this.#random() * 3)];
      machine.faultUntil = now + 3 + exponential(this.#random, 300);
      this.faults += 1;
      if (machine.fault === 'refuses') machine.sessions = [];
    }
    return machine;
  }

  #count(machine: Machine, now: number): void {
    const seconds = now - machine.countedUntil;
    machine.countedUntil = now;
    const present = load(machine, now);
    if (present > 0) machine.busy += seconds;
    if (present >= 95) machine.overloaded += seconds;
  }
}

function load({ sessions }: Machine, now: number): number {
  return sessions.reduce((sum, { cost, visibleAt, endsAt }) => (now >= visibleAt && now < endsAt ? sum + cost : sum), 0);
}

function failed(code: string, reason: string): ProbeResult {
  return { kind: 'failed', failure: { code, reason } };
}
