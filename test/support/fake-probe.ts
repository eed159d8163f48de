import type { Endpoint, ServerId } from '../../src/core/fleet/endpoint.ts';
import type { Clock, Probe, ProbeResult } from '../../src/ports.ts';

export type Behaviour = number | 'hangs' | 'refuses';

/** Simulation servers as values, for engines on a fake clock. */
export class FakeProbe implements Probe {
  readonly behaviours = new Map<ServerId, Behaviour>();
  /** Times of the probes of each server. */
  readonly asked = new Map<ServerId, number[]>();
  readonly forgotten: ServerId[] = [];
  /** Times at which names were resolved again. */
  readonly namesChecked: number[] = [];
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #hanging = new Map<ServerId, AbortController>();

  constructor(clock: Clock, timeout = 4) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  async probe({ id }: Endpoint): Promise<ProbeResult> {
    const asked = this.asked.get(id) ?? [];
    asked.push(this.#clock.now());
    this.asked.set(id, asked);
    const behaviour = this.behaviours.get(id) ?? 0;
    if (typeof behaviour === 'number') return { kind: 'sample', load: behaviour, latency: 0.001 };
    if (behaviour === 'refuses') return { kind: 'failed', failure: { code: 'refused', reason: 'nothing listens on its port' } };
    await this.hang(id, this.#timeout);
    return { kind: 'failed', failure: { code: 'timeout', reason: `it did not answer within ${this.#timeout} s` } };
  }

  /** Until that time is over or the probe is ended. */
  async hang(id: ServerId, seconds: number): Promise<void> {
    const ending = new AbortController();
    this.#hanging.set(id, ending);
    await this.#clock.sleep(seconds, ending.signal);
  }

  forget(id: ServerId): void {
    this.forgotten.push(id);
    this.#hanging.get(id)?.abort();
  }

  recheckNames(): Promise<void> {
    this.namesChecked.push(this.#clock.now());
    return Promise.resolve();
  }

  close(): Promise<void> {
    for (const ending of this.#hanging.values()) ending.abort();
    return Promise.resolve();
  }
}
