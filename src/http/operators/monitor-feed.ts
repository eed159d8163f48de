/** The monitor's snapshot as viewers have it, and what changed since earlier ones. */
import { difference } from '../../core/views/monitor-delta.ts';
import type { MonitorDelta, MonitorSnapshot } from '../../core/views/monitor-view.ts';
import type { Clock, NewId } from '../../ports.ts';
import type { MonitorSource } from './monitor-source.ts';

export interface MonitorFeedOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: NewId;
}

/** Seconds without a change after which viewers are notified that the connection still works. */
const QUIET = 5;
/** Deltas retained for viewers that reconnect, and their bytes. */
const MAX_DELTAS = 120;
const MAX_DELTA_BYTES = 4_000_000;

export class MonitorFeed {
  readonly #source: Pick<MonitorSource, 'snapshot'>;
  readonly #clock: Pick<Clock, 'now'>;
  /** Of this process: serial numbers of an earlier one mean nothing here. */
  readonly #processId: string;
  #serial = 0;
  #snapshot: MonitorSnapshot | undefined;
  #encoded: { readonly serial: number; readonly bytes: Uint8Array } | undefined;
  #deltas: { readonly serial: number; readonly bytes: Uint8Array }[] = [];
  #deltaBytes = 0;
  #sentAt = -Infinity;

  constructor({ source, clock, newId }: MonitorFeedOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#processId = newId();
  }

  /**
   * Takes a new snapshot. `undefined`: viewers have something to fetch. Otherwise the event for viewers that have
   * everything, which may be empty.
   */
  advance(): Uint8Array | undefined {
    const before = this.#snapshot;
    const after = this.#source.snapshot();
    const delta = before === undefined ? undefined : difference(before, after);
    this.#snapshot = after;
    const now = this.#clock.now();
    if (before !== undefined && delta === undefined) {
      if (now - this.#sentAt < QUIET) return NOTHING;
      this.#sentAt = now;
      return encode({ event: 'delta', data: { at: after.at } });
    }
    this.#sentAt = now;
    this.#serial += 1;
    if (delta !== undefined) this.#retain(delta);
    return undefined;
  }

  /** The position of a viewer that saw the event with this id; `undefined`: it is not known. */
  positionOf(id: string): number | undefined {
    const [processId, serial] = id.split(':');
    const position = Number(serial);
    return processId === this.#processId && Number.isSafeInteger(position) && position <= this.#serial ? position : undefined;
  }

  /** What a viewer at `position` has not seen, in as few events as possible; `undefined`: it has seen everything. */
  after(position: number | undefined): { readonly position: number; readonly pieces: readonly Uint8Array[] } | undefined {
    if (position === this.#serial) return undefined;
    const missed = position === undefined ? [] : this.#deltas.filter(({ serial }) => serial > position);
    const complete = position !== undefined && missed[0]?.serial === position + 1;
    return { position: this.#serial, pieces: complete ? missed.map(({ bytes }) => bytes) : [this.#whole()] };
  }

  #whole(): Uint8Array {
    if (this.#encoded?.serial !== this.#serial) {
      const bytes = encode({ id: `${this.#processId}:${this.#serial}`, event: 'snapshot', data: this.#snapshot });
      this.#encoded = { serial: this.#serial, bytes };
    }
    return this.#encoded.bytes;
  }

  #retain(delta: MonitorDelta): void {
    const bytes = encode({ id: `${this.#processId}:${this.#serial}`, event: 'delta', data: delta });
    this.#deltas.push({ serial: this.#serial, bytes });
    this.#deltaBytes += bytes.length;
    while (this.#deltas.length > MAX_DELTAS || (this.#deltaBytes > MAX_DELTA_BYTES && this.#deltas.length > 1)) {
      this.#deltaBytes -= this.#deltas.shift()?.bytes.length ?? 0;
    }
  }
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

interface ServerSentEvent {
  readonly id?: string;
  readonly event: 'snapshot' | 'delta';
  readonly data: unknown;
}

function encode({ id, event, data }: ServerSentEvent): Uint8Array {
  const line = id === undefined ? '' : `id: ${id}\n`;
  return encoder.encode(`${line}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
