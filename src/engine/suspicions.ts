/** Reports servers that were given sessions and still look idle, when the suspicion begins and when it ends. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Log } from '../ports.ts';
import type { Notifying } from './notifying.ts';

export interface SuspicionsOptions {
  readonly ledger: Ledger;
  readonly notifying: Notifying;
  readonly log: Log;
  readonly addressOf: (id: ServerId) => string | undefined;
}

export class Suspicions {
  readonly #options: SuspicionsOptions;
  readonly #known = new Set<ServerId>();

  constructor(options: SuspicionsOptions) {
    this.#options = options;
  }

  /** To be called after each report. It costs almost nothing while no server is suspected. */
  look(): void {
    const { ledger, notifying, log, addressOf } = this.#options;
    const suspects = ledger.suspects();
    if (suspects.length === 0 && this.#known.size === 0) return;
    const present = new Set(suspects.map(({ id }) => id));
    for (const id of [...this.#known]) {
      if (present.has(id)) continue;
      this.#known.delete(id);
      notifying.trusted(id);
    }
    for (const { id, expected, load } of suspects) {
      const address = addressOf(id);
      if (this.#known.has(id) || address === undefined) continue;
      this.#known.add(id);
      const reason = `it was given sessions that should show about ${Math.round(expected)} points of load, but reports ${Math.round(load)}%`;
      log.warn(`${address} simulation server is suspected: ${reason}`);
      notifying.suspected({ id, address, load }, reason);
    }
  }
}
