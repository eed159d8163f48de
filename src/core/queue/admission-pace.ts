/**
 * How fast the waiting line moves, and so how long a client will wait: position × median gap between the last ten admissions (docs/design/allocation.md, "Queue").
 *
 * Four rules keep the estimate honest:
 *
 * - Only gaps with a client in line count: a gap begins with the admission before it or when the line began, whichever was later. An hour with an empty
 *   line says nothing about the pace.
 * - Admissions come in bunches, because reports do. Those within one second share the gap before them equally. Otherwise the gaps inside a bunch would be
 *   zero, and soon the median too.
 * - Silence counts: once the present gap is longer than the median, it is the best guess of the next one, so the estimate grows with it. When it is
 *   out of all proportion, or there are too few gaps or only old ones, the estimate is unknown.
 * - The estimate is a range, from quartile to quartile, and at least a quarter wide on each side.
 */

/** Seconds. */
export interface WaitEstimate {
  readonly from: number;
  readonly to: number;
  /** Between the two: position × median gap. */
  readonly likely: number;
}

interface Bunch {
  /** When its first admission was. */
  readonly at: number;
  /** Seconds of waiting before it. */
  readonly gap: number;
  count: number;
}

/** Admissions that count. */
const MAX_GAPS = 10;
/** Admissions that an estimate needs. */
const MIN_GAPS = 3;
/** Seconds after its first admission during which others belong to the same bunch. */
const BUNCH = 1;
/** Seconds after which an admission no longer counts; about the length of a session. */
const MAX_AGE = 1800;
/** The present gap is out of all proportion when it is this many times the longest one seen, and longer than `PATIENCE` seconds. */
const OUT_OF_PROPORTION = 5;
const PATIENCE = 60;

export class AdmissionPace {
  /** Latest last; at most `MAX_GAPS`. */
  #bunches: Bunch[] = [];
  #waitingSince: number | undefined;

  /** The line has its first ticket. All times are seconds of the engine's clock. */
  began(now: number): void {
    this.#waitingSince = now;
  }

  /** The line is empty. */
  ended(): void {
    this.#waitingSince = undefined;
  }

  /** A client that waited was admitted. */
  admitted(now: number): void {
    const last = this.#bunches.at(-1);
    if (last !== undefined && now - last.at < BUNCH) {
      last.count += 1;
      return;
    }
    this.#bunches.push({ at: now, gap: this.#presentGap(now), count: 1 });
    if (this.#bunches.length > MAX_GAPS) this.#bunches.shift();
  }

  /** Seconds until the ticket at `position` is admitted; `undefined` while there is not enough data. */
  estimate(position: number, now: number): WaitEstimate | undefined {
    const gaps = this.#gaps(now);
    const longest = gaps.at(-1);
    if (longest === undefined || gaps.length < MIN_GAPS) return undefined;
    const silence = this.#presentGap(now);
    if (silence > Math.max(PATIENCE, OUT_OF_PROPORTION * longest)) return undefined;
    const median = quantile(gaps, 0.5);
    const gap = Math.max(median, silence);
    return {
      from: position * Math.min(quantile(gaps, 0.25), 0.75 * median),
      to: position * Math.max(quantile(gaps, 0.75), 1.25 * gap),
      likely: position * gap,
    };
  }

  /** Of the last ten admissions, shortest first. */
  #gaps(now: number): number[] {
    const gaps: number[] = [];
    for (const { at, gap, count } of [...this.#bunches].reverse()) {
      if (now - at > MAX_AGE) break;
      for (let i = 0; i < count && gaps.length < MAX_GAPS; i += 1) gaps.push(gap / count);
    }
    return gaps.sort((a, b) => a - b);
  }

  /** Seconds since the last admission during which the line was not empty. */
  #presentGap(now: number): number {
    const since = this.#waitingSince;
    return since === undefined ? 0 : Math.max(0, now - Math.max(since, this.#bunches.at(-1)?.at ?? since));
  }
}

/** Of sorted values, with linear interpolation. */
function quantile(sorted: readonly number[], share: number): number {
  const index = share * (sorted.length - 1);
  const below = sorted[Math.floor(index)] ?? 0;
  const above = sorted[Math.ceil(index)] ?? below;
  return below + (above - below) * (index - Math.floor(index));
}
