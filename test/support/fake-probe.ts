import type { Endpoint, ServerId } from '../../src/core/endpoint.ts';
import type { Clock, Probe, ProbeResult } from '../../src/ports.ts';

export type Behaviour = number | 'hangs' | 'refuses';

/** Simulation servers as values, for engines on a fake clock. */
export class FakeProbe implements Probe {
  readonly behaviours = new Map<ServerId, Behaviour>();
  /** Times of the probes of each server. */
  readonly asked = new Map<ServerId, number[]>();
  readonly forgotten: ServerId[] = [];
  readonly #clock: Clock;
  readonly #timeout: number;

  constructor(clock: Clock, timeout = 4) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  async probe({ id }: Endpoint, signal: AbortSignal): Promise<ProbeResult> {
    const asked = this.asked.get(id) ?? [];
    asked.push(this.#clock.now());
    this.asked.set(id, asked);
    const behaviour = this.behaviours.get(id) ?? 0;
    if (typeof behaviour === 'number') return { kind: 'sample', load: behaviour, latency: 0.001 };
    if (behaviour === 'refuses') return { kind: 'failed', failure: { code: 'refused', reason: 'nothing listens at its port' } };
    await this.#clock.sleep(this.#timeout, signal);
    return { kind: 'failed', failure: { code: 'timeout', reason: `it did not answer within ${this.#timeout} s` } };
  }

  forget(id: ServerId): void {
    this.forgotten.push(id);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
