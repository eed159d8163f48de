/**
 * A number at `/load` is not a simulation server yet: a load agent reports one, too, and a reverse proxy without upgrades passes nothing else on. Therefore
 * each server is also asked for its WebSocket `/client`, beside its first poll and the first one after a failed poll, until it opens.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { Probe, ProbeResult } from '../ports.ts';
import type { UpgradeResult } from './upgrade.ts';

export interface ClientCheckOptions {
  /** Asks for the load. */
  readonly probe: Probe;
  /** Opens `/client`. Never throws. */
  readonly check: (endpoint: Endpoint, signal: AbortSignal) => Promise<UpgradeResult>;
  /** Seconds of a monotonic clock. */
  readonly now: () => number;
}

/** Seconds until a server is asked again that answered without opening a WebSocket. */
const PAUSE = 60;

export function createClientCheck(options: ClientCheckOptions): Probe {
  return new ClientCheck(options);
}

interface Refusal {
  /** A sentence about the server. */
  readonly reason: string;
  readonly checkedAt: number;
}

class ClientCheck implements Probe {
  readonly #options: ClientCheckOptions;
  /** Servers whose `/client` was seen to open. */
  readonly #opened = new Set<ServerId>();
  readonly #refusals = new Map<ServerId, Refusal>();
  readonly #running = new Map<ServerId, AbortController>();

  constructor(options: ClientCheckOptions) {
    this.#options = options;
  }

  async probe(endpoint: Endpoint): Promise<ProbeResult> {
    const { id } = endpoint;
    const [result, loadOnly] = this.#opened.has(id)
      ? [await this.#options.probe.probe(endpoint)]
      : await Promise.all([this.#options.probe.probe(endpoint), this.#check(endpoint)]);
    if (result.kind === 'failed') {
      // Another program may answer there next time.
      this.#opened.delete(id);
      this.#refusals.delete(id);
      return result;
    }
    return loadOnly === undefined ? result : { ...result, loadOnly };
  }

  forget(id: ServerId): void {
    this.#running.get(id)?.abort();
    this.#opened.delete(id);
    this.#refusals.delete(id);
    this.#options.probe.forget(id);
  }

  recheckNames(): Promise<void> {
    return this.#options.probe.recheckNames();
  }

  async close(): Promise<void> {
    for (const running of this.#running.values()) running.abort();
    await this.#options.probe.close();
  }

  /** Why it reports load only, or `undefined` when `/client` opens. */
  async #check(endpoint: Endpoint): Promise<string | undefined> {
    const { id } = endpoint;
    const { check, now } = this.#options;
    const known = this.#refusals.get(id);
    if (known !== undefined && now() - known.checkedAt < PAUSE) return known.reason;
    const running = new AbortController();
    this.#running.set(id, running);
    const result = await check(endpoint, running.signal);
    this.#running.delete(id);
    this.#refusals.delete(id);
    if (result.kind === 'opened') {
      this.#opened.add(id);
      return undefined;
    }
    const reason = `it reports load only; its WebSocket /client does not open: ${result.reason}`;
    // Without an answer, the reason may be gone at the next poll.
    if (result.status !== undefined) this.#refusals.set(id, { reason, checkedAt: now() });
    return reason;
  }
}
