/**
 * The history of one server, or of the fleet, in four rings of buckets: the finer the buckets, the shorter the time they reach back.
 *
 * Every event is added to the bucket of its time in each tier. So a coarser bucket agrees with its finer ones (minimum, maximum and counts exactly,
 * means up to rounding), in whatever order events arrive, and nothing is copied from tier to tier.
 *
 * The columns are narrow to save memory: 3,528 buckets of 18 bytes are 62 KiB a server, allocated with its first sample. A bucket without samples has
 * the count 0 and is a gap.
 */

export interface Tier {
  /** Seconds of a bucket. */
  readonly step: number;
  /** Number of buckets. */
  readonly length: number;
}

/** Finest first; each step is a multiple of the previous one. */
export const tiers: readonly Tier[] = [
  { step: 10, length: 360 },
  { step: 60, length: 1440 },
  { step: 600, length: 1008 },
  { step: 3600, length: 720 },
];

/** Where the buckets of each tier begin in a column. */
const offsets: readonly number[] = tiers.map((_, index) => tiers.slice(0, index).reduce((sum, { length }) => sum + length, 0));
const slots = tiers.reduce((sum, { length }) => sum + length, 0);

type Numbers = Float32Array | Float64Array | Uint16Array;

/** One bucket, or several merged. */
export interface Bucket {
  /** Load samples. 0: a gap, and `min`, `mean`, `max` and `booked` mean nothing. */
  count: number;
  /** Percent. */
  min: number;
  mean: number;
  max: number;
  /** Mean of the load points booked when the samples came. */
  booked: number;
  handOuts: number;
  /** Maximum length of the waiting line; −1 when unknown. Of the fleet only. */
  waiting: number;
}

export type RingsKind = 'server' | 'fleet';

/** The columns in the order of the snapshot. Only the fleet has the last one. */
type Columns = readonly [
  min: Numbers,
  mean: Numbers,
  max: Numbers,
  count: Numbers,
  booked: Numbers,
  handOuts: Numbers,
  waiting: Numbers | undefined,
];

/** Counts of a server stop here; with one probe every six seconds an hour has 600. */
const MAX_UINT16 = 65_535;
/** Booked load of a server is stored in hundredths of a point. */
const HUNDREDTHS = 100;

export class Rings {
  readonly kind: RingsKind;
  /** In the order of the snapshot. */
  readonly #columns: readonly Numbers[];
  readonly #min: Numbers;
  readonly #mean: Numbers;
  readonly #max: Numbers;
  readonly #count: Numbers;
  readonly #booked: Numbers;
  readonly #handOuts: Numbers;
  readonly #waiting: Numbers | undefined;
  /** Index of the youngest bucket of each tier (time divided by step); −1 before the first event. */
  readonly #newest: number[] = tiers.map(() => -1);
  /** Exact sums of load and booked load in the youngest bucket of each tier, because a mean in a narrow column would not move by small steps. */
  readonly #sums: number[] = tiers.flatMap(() => [0, 0]);
  readonly #maxCount: number;
  readonly #bookedUnits: number;

  constructor(kind: RingsKind) {
    this.kind = kind;
    const [min, mean, max, count, booked, handOuts, waiting] = kind === 'server' ? narrowColumns() : wideColumns();
    this.#min = min;
    this.#mean = mean;
    this.#max = max;
    this.#count = count;
    this.#booked = booked;
    this.#handOuts = handOuts;
    this.#waiting = waiting;
    this.#columns = [min, mean, max, count, booked, handOuts, ...(waiting === undefined ? [] : [waiting])];
    this.#maxCount = kind === 'server' ? MAX_UINT16 : Number.MAX_SAFE_INTEGER;
    this.#bookedUnits = kind === 'server' ? HUNDREDTHS : 1;
  }

  /**
   * Adds one sample. `at` is seconds since the epoch; a tier that does not reach back that far ignores it. A sample of the fleet has a minimum and a
   * maximum beside the mean.
   */
  sampled(at: number, load: number, booked: number, min = load, max = load): void {
    for (let tier = 0; tier < tiers.length; tier++) {
      const slot = this.#slotAt(tier, at);
      if (slot === undefined) continue;
      const count = numberAt(this.#count, slot);
      this.#min[slot] = count === 0 ? min : Math.min(numberAt(this.#min, slot), min);
      this.#max[slot] = count === 0 ? max : Math.max(numberAt(this.#max, slot), max);
      if (count < this.#maxCount) this.#addToMeans(tier, slot, count, this.#isNewest(tier, at), load, booked);
    }
  }

  handedOut(at: number): void {
    for (let tier = 0; tier < tiers.length; tier++) {
      const slot = this.#slotAt(tier, at);
      if (slot !== undefined) this.#handOuts[slot] = Math.min(this.#maxCount, numberAt(this.#handOuts, slot) + 1);
    }
  }

  /** The length of the waiting line; of the fleet only. */
  waitingIs(at: number, length: number): void {
    if (this.#waiting === undefined) return;
    for (let tier = 0; tier < tiers.length; tier++) {
      const slot = this.#slotAt(tier, at);
      if (slot !== undefined) this.#waiting[slot] = Math.max(numberAt(this.#waiting, slot), length);
    }
  }

  /** The clock was set back to `now`: removes the buckets that are now in the future. */
  rewind(now: number): void {
    for (const [tier, { step }] of tiers.entries()) {
      const index = Math.floor(now / step);
      const newest = numberAt(this.#newest, tier);
      if (newest <= index) continue;
      this.#clear(tier, index, newest);
      this.#newest[tier] = index;
      this.#restoreSums(tier, slotOf(tier, index));
    }
  }

  /** All buckets of a tier that begin in [from, to), merged. */
  merged(tier: number, from: number, to: number): Bucket {
    const { step, length } = tierAt(tier);
    const bucket: Bucket = { count: 0, min: 0, mean: 0, max: 0, booked: 0, handOuts: 0, waiting: -1 };
    const newest = numberAt(this.#newest, tier);
    const last = Math.min(newest, Math.ceil(to / step) - 1);
    for (let index = Math.max(newest - length + 1, Math.ceil(from / step), 0); index <= last; index++) {
      this.#mergeSlot(bucket, slotOf(tier, index));
    }
    return bucket;
  }

  /** Index of the youngest bucket, and how many buckets there are from the oldest one that is not empty. */
  extent(tier: number): { readonly newest: number; readonly used: number } {
    const newest = numberAt(this.#newest, tier);
    const { length } = tierAt(tier);
    for (let used = newest < 0 ? 0 : Math.min(length, newest + 1); used > 0; used--) {
      if (!this.#isEmpty(slotOf(tier, newest - used + 1))) return { newest, used };
    }
    return { newest, used: 0 };
  }

  /** The bytes of all columns of one tier, youngest bucket last, for the snapshot. */
  *bytesOf(tier: number): Iterable<Uint8Array> {
    const { newest, used } = this.extent(tier);
    for (const column of this.#columns) {
      for (const { at, length } of spans(tier, newest, used)) {
        yield new Uint8Array(column.buffer, column.byteOffset + at * column.BYTES_PER_ELEMENT, length * column.BYTES_PER_ELEMENT);
      }
    }
  }

  /** Bytes that `bytesOf` yields for each bucket. */
  get bytesPerBucket(): number {
    let sum = 0;
    for (const column of this.#columns) sum += column.BYTES_PER_ELEMENT;
    return sum;
  }

  /** Restores the bytes of `bytesOf`. Returns `false` when their number does not match `used` buckets. */
  fill(tier: number, newest: number, used: number, bytes: Uint8Array): boolean {
    if (bytes.length !== used * this.bytesPerBucket || used > tierAt(tier).length || used > newest + 1) return false;
    let from = 0;
    for (const column of this.#columns) {
      const size = column.BYTES_PER_ELEMENT;
      for (const { at, length } of spans(tier, newest, used)) {
        new Uint8Array(column.buffer, column.byteOffset + at * size, length * size).set(
          bytes.subarray(from, from + length * size),
        );
        from += length * size;
      }
    }
    this.#newest[tier] = newest;
    if (used > 0) this.#restoreSums(tier, slotOf(tier, newest));
    return true;
  }

  #isNewest(tier: number, at: number): boolean {
    return Math.floor(at / tierAt(tier).step) === numberAt(this.#newest, tier);
  }

  /** The slot for a time, making it the youngest when it is; `undefined` when the tier does not reach back that far. */
  #slotAt(tier: number, at: number): number | undefined {
    const { step, length } = tierAt(tier);
    const index = Math.floor(at / step);
    const newest = numberAt(this.#newest, tier);
    if (index < 0 || index <= newest - length) return undefined;
    if (index > newest) {
      this.#clear(tier, Math.max(newest, index - length), index);
      this.#newest[tier] = index;
    }
    return slotOf(tier, index);
  }

  /** Empties the buckets after `after` up to and including `last`, and the sums of the youngest. */
  #clear(tier: number, after: number, last: number): void {
    const length = Math.min(last - after, tierAt(tier).length);
    for (const span of spans(tier, last, length)) {
      for (const column of this.#columns) column.fill(column === this.#waiting ? -1 : 0, span.at, span.at + span.length);
    }
    this.#sums.fill(0, tier * 2, tier * 2 + 2);
  }

  #addToMeans(tier: number, slot: number, count: number, newest: boolean, load: number, booked: number): void {
    let mean = numberAt(this.#mean, slot);
    let bookedMean = numberAt(this.#booked, slot) / this.#bookedUnits;
    if (newest) {
      mean = addTo(this.#sums, tier * 2, load) / (count + 1);
      bookedMean = addTo(this.#sums, tier * 2 + 1, booked) / (count + 1);
    } else {
      mean += (load - mean) / (count + 1);
      bookedMean += (booked - bookedMean) / (count + 1);
    }
    this.#mean[slot] = mean;
    this.#booked[slot] = this.#bookedUnitsd(bookedMean);
    this.#count[slot] = count + 1;
  }

  #restoreSums(tier: number, slot: number): void {
    const count = numberAt(this.#count, slot);
    this.#sums[tier * 2] = numberAt(this.#mean, slot) * count;
    this.#sums[tier * 2 + 1] = (numberAt(this.#booked, slot) / this.#bookedUnits) * count;
  }

  #mergeSlot(bucket: Bucket, slot: number): void {
    const count = numberAt(this.#count, slot);
    if (count > 0) {
      const min = numberAt(this.#min, slot);
      const max = numberAt(this.#max, slot);
      bucket.min = bucket.count === 0 ? min : Math.min(bucket.min, min);
      bucket.max = bucket.count === 0 ? max : Math.max(bucket.max, max);
      bucket.count += count;
      bucket.mean += ((numberAt(this.#mean, slot) - bucket.mean) * count) / bucket.count;
      bucket.booked += ((numberAt(this.#booked, slot) / this.#bookedUnits - bucket.booked) * count) / bucket.count;
    }
    bucket.handOuts += numberAt(this.#handOuts, slot);
    if (this.#waiting !== undefined) bucket.waiting = Math.max(bucket.waiting, numberAt(this.#waiting, slot));
  }

  #isEmpty(slot: number): boolean {
    return (
      numberAt(this.#count, slot) === 0 &&
      numberAt(this.#handOuts, slot) === 0 &&
      (this.#waiting === undefined || numberAt(this.#waiting, slot) < 0)
    );
  }

  #bookedUnitsd(booked: number): number {
    return this.#bookedUnits === 1 ? booked : Math.max(0, Math.min(MAX_UINT16, Math.round(booked * this.#bookedUnits)));
  }
}

/** Six views of one block of memory, so that a server is a handful of objects. */
function narrowColumns(): Columns {
  const wide = slots * Float32Array.BYTES_PER_ELEMENT;
  const narrow = slots * Uint16Array.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(3 * wide + 3 * narrow);
  const floats = (index: number) => new Float32Array(buffer, index * wide, slots);
  const counts = (index: number) => new Uint16Array(buffer, 3 * wide + index * narrow, slots);
  return [floats(0), floats(1), floats(2), counts(0), counts(1), counts(2), undefined];
}

/** The fleet's counts cover all servers. There is only one fleet, so wide columns cost nothing. */
function wideColumns(): Columns {
  const column = () => new Float64Array(slots);
  return [column(), column(), column(), column(), column(), column(), column().fill(-1)];
}

function tierAt(tier: number): Tier {
  const found = tiers[tier];
  if (found === undefined) throw new RangeError(`no tier ${tier}`);
  return found;
}

function slotOf(tier: number, index: number): number {
  return numberAt(offsets, tier) + (index % tierAt(tier).length);
}

/** The one or two runs of slots that hold the `length` buckets up to `newest`. */
function spans(tier: number, newest: number, length: number): readonly { readonly at: number; readonly length: number }[] {
  if (length <= 0) return [];
  const start = numberAt(offsets, tier);
  const ring = tierAt(tier).length;
  const first = (newest - length + 1) % ring;
  const beforeTheEnd = Math.min(length, ring - first);
  const runs = [{ at: start + first, length: beforeTheEnd }];
  if (length > beforeTheEnd) runs.push({ at: start, length: length - beforeTheEnd });
  return runs;
}

function addTo(sums: number[], index: number, value: number): number {
  const sum = numberAt(sums, index) + value;
  sums[index] = sum;
  return sum;
}

function numberAt(numbers: Numbers | readonly number[], index: number): number {
  return numbers[index] ?? 0;
}
