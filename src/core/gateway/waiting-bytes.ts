/**
 * Bytes that wait in memory until a client or a server reads them, of all relays together. A limit for each relay would be either too
 * small for one of them or too large for thousands. Above the maximum, the relay that holds the most is ended.
 */

/** What one relay holds, by the reason why it waits. */
export interface HeldBytes {
  /** Replaces what is held for this reason. May end this relay, or another one. */
  set(reason: string, bytes: number): void;
  /** The relay has ended. */
  close(): void;
}

interface Holder {
  readonly end: () => void;
  readonly byReason: Map<string, number>;
  bytes: number;
}

export class WaitingBytes {
  readonly #max: number;
  readonly #ended: (bytes: number) => void;
  readonly #holders = new Set<Holder>();
  #total = 0;

  /** `ended`: a relay that held so many bytes was ended. */
  constructor(max: number, ended: (bytes: number) => void = () => undefined) {
    this.#max = max;
    this.#ended = ended;
  }

  get total(): number {
    return this.#total;
  }

  /** For a new relay; `end` ends it. */
  hold(end: () => void): HeldBytes {
    const holder: Holder = { end, byReason: new Map(), bytes: 0 };
    this.#holders.add(holder);
    return {
      set: (reason, bytes) => {
        if (this.#holders.has(holder)) this.#set(holder, reason, bytes);
      },
      close: () => {
        this.#remove(holder);
      },
    };
  }

  #set(holder: Holder, reason: string, bytes: number): void {
    const change = bytes - (holder.byReason.get(reason) ?? 0);
    holder.byReason.set(reason, bytes);
    holder.bytes += change;
    this.#total += change;
    while (this.#total > this.#max) this.#endLargest();
  }

  #endLargest(): void {
    let largest: Holder | undefined;
    for (const holder of this.#holders) if (holder.bytes > (largest?.bytes ?? 0)) largest = holder;
    if (largest === undefined) return;
    this.#remove(largest);
    this.#ended(largest.bytes);
    largest.end();
  }

  #remove(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#total -= holder.bytes;
  }
}
