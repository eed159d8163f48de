/** Counts by minute over the last hour. Minutes are those of the caller's clock. Saved counts have ages, because the zero of that clock changes at a restart. */
export type SavedHour = readonly (readonly [minutesAgo: number, count: number])[];

const MINUTES = 60;

export class LastHour {
  readonly #counts = new Uint32Array(MINUTES);
  #minute = 0;
  #total = 0;

  /** `now` is seconds. */
  add(now: number, count = 1): void {
    this.#move(now);
    this.#put(this.#minute, count);
  }

  total(now: number): number {
    this.#move(now);
    return this.#total;
  }

  save(now: number): SavedHour {
    this.#move(now);
    return Array.from({ length: MINUTES }, (_, ago) => [ago, this.#counts[slotOf(this.#minute - ago)] ?? 0] as const).filter(
      ([, count]) => count > 0,
    );
  }

  /** Adds counts that were saved `away` seconds ago. */
  restore(saved: SavedHour, away: number, now: number): void {
    this.#move(now);
    for (const [ago, count] of saved) {
      const age = ago + Math.round(away / 60);
      if (age < MINUTES) this.#put(this.#minute - age, count);
    }
  }

  #put(minute: number, count: number): void {
    const slot = slotOf(minute);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    this.#total += count;
  }

  #move(now: number): void {
    const minute = Math.floor(now / 60);
    if (minute - this.#minute >= MINUTES) {
      this.#counts.fill(0);
      this.#total = 0;
    } else {
      for (let m = this.#minute + 1; m <= minute; m += 1) {
        this.#total -= this.#counts[slotOf(m)] ?? 0;
        this.#counts[slotOf(m)] = 0;
      }
    }
    this.#minute = Math.max(this.#minute, minute);
  }
}

/** Minutes before the clock's zero have slots too. */
function slotOf(minute: number): number {
  return ((minute % MINUTES) + MINUTES) % MINUTES;
}
