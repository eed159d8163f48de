/**
 * Writes the history to a file and reads it back.
 *
 * A file is a sequence of frames, each with its length and checksum: one header, then one frame for the fleet and one for each server. So it is written
 * and read piece by piece, and a thousand servers are never in memory twice. Only buckets that are not empty are written.
 *
 * A file that cannot be trusted is reported and changes nothing: it is damaged, was written by another version or on a machine with another byte
 * order, or comes from the future (the clock was wrong when it was written, or is wrong now).
 */
import { History } from './history.ts';
import { tiers, type Rings } from './history-rings.ts';

export type Restored =
  | { readonly kind: 'restored'; readonly history: History; readonly savedAt: number }
  | {
      readonly kind: 'unusable';
      readonly problem: 'damaged' | 'another-version' | 'from-the-future';
      readonly reason: string;
    };

const MAGIC = 'session-server history';
const VERSION = 1;
/** Reads as another number on a machine with the other byte order. */
const BYTE_ORDER = 0x0102;
/** Seconds by which a file may be ahead of the clock, which may have been set back by an hour or a time zone. */
const FUTURE = 86_400;
const MAX_FRAME = 4_000_000;
const MAX_ID = 300;
const FRAME_HEAD = 8;

/** The frames of a snapshot, one at a time; the history may change between them. `savedAt` is seconds since the epoch. */
export function* encodeHistory(history: History, savedAt: number): Iterable<Uint8Array> {
  yield frame(head(savedAt));
  for (const { id, rings } of history.entries()) yield frame(record(id ?? '', rings));
  yield frame([]);
}

/** Takes the bytes of a snapshot in pieces of any size. */
export class HistoryDecoder {
  readonly #history = new History();
  readonly #now: number;
  #rest: Uint8Array = new Uint8Array(0);
  #savedAt: number | undefined;
  #complete = false;
  #result: Restored | undefined;

  /** `now`: seconds since the epoch. */
  constructor(now: number) {
    this.#now = now;
  }

  /** `false`: no more is needed; `end` returns what is wrong. */
  add(piece: Uint8Array): boolean {
    if (this.#isOver()) return false;
    this.#rest = this.#rest.length === 0 ? piece : joined([this.#rest, piece]);
    let from = 0;
    while (!this.#isOver()) {
      const length = this.#frameLength(from);
      if (length === undefined) break;
      this.#take(this.#rest.subarray(from, from + length));
      from += length;
    }
    this.#rest = this.#rest.slice(from);
    return !this.#isOver();
  }

  end(): Restored {
    if (this.#result !== undefined) return this.#result;
    if (this.#savedAt === undefined || !this.#complete || this.#rest.length > 0) return damaged('it ends in the middle');
    if (this.#now < this.#savedAt) this.#history.advance(this.#savedAt);
    this.#history.advance(this.#now);
    return { kind: 'restored', history: this.#history, savedAt: this.#savedAt };
  }

  #isOver(): boolean {
    return this.#result !== undefined;
  }

  /** Length of the frame that begins at `from`, head included; `undefined` until all of it is here. */
  #frameLength(from: number): number | undefined {
    if (this.#rest.length - from < FRAME_HEAD) return undefined;
    const length = viewOf(this.#rest).getUint32(from, true);
    if (length > MAX_FRAME) {
      this.#result = damaged('a frame is longer than any can be');
      return undefined;
    }
    return this.#rest.length - from < FRAME_HEAD + length ? undefined : FRAME_HEAD + length;
  }

  #take(bytes: Uint8Array): void {
    const payload = bytes.subarray(FRAME_HEAD);
    if (checksum(payload) !== viewOf(bytes).getUint32(4, true)) this.#result = damaged('a checksum is wrong');
    else if (this.#savedAt === undefined) this.#takeHead(payload);
    else if (this.#complete) this.#result = damaged('something follows its end');
    else if (payload.length === 0) this.#complete = true;
    else if (!this.#takeRecord(payload)) this.#result = damaged('a record has the wrong form');
  }

  #takeHead(payload: Uint8Array): void {
    const fields = new Fields(payload);
    if (fields.text(MAGIC.length) !== MAGIC) this.#result = damaged('it does not begin like a history');
    else if (!sameForm(fields)) {
      this.#result = {
        kind: 'unusable',
        problem: 'another-version',
        reason: 'it was written by another version or on another kind of machine',
      };
    } else {
      const savedAt = fields.number();
      if (!Number.isFinite(savedAt) || savedAt < 0) this.#result = damaged('it has no time');
      else if (savedAt > this.#now + FUTURE) {
        this.#result = { kind: 'unusable', problem: 'from-the-future', reason: 'it is dated more than a day ahead of the clock' };
      } else this.#savedAt = savedAt;
    }
  }

  #takeRecord(payload: Uint8Array): boolean {
    const fields = new Fields(payload);
    const length = fields.short();
    if (length > MAX_ID) return false;
    const rings = this.#history.ringsFor(length === 0 ? undefined : fields.text(length));
    for (let tier = 0; tier < tiers.length; tier++) {
      const newest = fields.number();
      const used = fields.short();
      if (!Number.isSafeInteger(newest) || newest < -1) return false;
      if (!rings.fill(tier, newest, used, fields.bytes(used * rings.bytesPerBucket))) return false;
    }
    return fields.left === 0;
  }
}

/** Reads fields one after the other. Past the end everything is 0, NaN or short, which the checks find. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  short(): number {
    const at = this.#step(2);
    return at === undefined ? 0 : this.#view.getUint16(at, true);
  }

  number(): number {
    const at = this.#step(8);
    return at === undefined ? NaN : this.#view.getFloat64(at, true);
  }

  text(length: number): string {
    let text = '';
    for (let index = 0; index < length; index++) text += String.fromCharCode(this.short());
    return text;
  }

  bytes(length: number): Uint8Array {
    const at = this.#step(length);
    return at === undefined ? new Uint8Array(0) : this.#bytes.subarray(at, at + length);
  }

  #step(length: number): number | undefined {
    if (this.left < length) {
      this.#at = this.#bytes.length;
      return undefined;
    }
    this.#at += length;
    return this.#at - length;
  }
}

function head(savedAt: number): Uint8Array[] {
  return [texts(MAGIC), shorts(VERSION), nativeShort(BYTE_ORDER), shorts(...form), numbers(savedAt)];
}

/** Steps and lengths of the tiers. */
const form: readonly number[] = tiers.flatMap(({ step, length }) => [step, length]);

function sameForm(fields: Fields): boolean {
  if (fields.short() !== VERSION) return false;
  if (viewOf(nativeShort(BYTE_ORDER)).getUint16(0, true) !== fields.short()) return false;
  return form.every((expected) => fields.short() === expected);
}

function record(id: string, rings: Rings): Uint8Array[] {
  const parts = [shorts(id.length), texts(id)];
  for (let tier = 0; tier < tiers.length; tier++) {
    const { newest, used } = rings.extent(tier);
    parts.push(numbers(newest), shorts(used), ...rings.bytesOf(tier));
  }
  return parts;
}

function frame(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = joined([new Uint8Array(FRAME_HEAD), ...parts]);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length - FRAME_HEAD, true);
  view.setUint32(4, checksum(bytes.subarray(FRAME_HEAD)), true);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function texts(text: string): Uint8Array {
  return shorts(...Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)));
}

function shorts(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = viewOf(bytes);
  for (const [index, value] of values.entries()) view.setUint16(index * 2, value, true);
  return bytes;
}

function nativeShort(value: number): Uint8Array {
  return new Uint8Array(new Uint16Array([value]).buffer);
}

function numbers(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setFloat64(0, value, true);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(how: string): Restored {
  return { kind: 'unusable', problem: 'damaged', reason: `it is damaged: ${how}` };
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in RFC 1952. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
