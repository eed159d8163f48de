/**
 * The live monitor as server-sent events: a snapshot when a viewer comes, then only what changed.
 *
 * Each tick is computed and encoded once, whoever is watching; with nobody watching there is no tick. A viewer takes what it has not seen when its
 * connection can take more, so one that is slow skips to a new snapshot instead of filling memory, and one that reads nothing at all is dropped. After a
 * broken connection a viewer says what it saw last and gets the rest.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { difference } from '../../core/views/monitor-delta.ts';
import type { MonitorDelta, MonitorSnapshot } from '../../core/views/monitor-view.ts';
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import type { MonitorSource } from './monitor-source.ts';
import type { Env } from '../server/routes.ts';

export interface MonitorEventsOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly mayRead: MiddlewareHandler<Env>;
  /** Asked before each tick of who was let through. */
  readonly readsOn: (c: Context<Env>) => boolean;
  /** Further ones are asked to come again later. */
  readonly mostViewers?: number;
}

export interface MonitorEvents {
  /** `GET /monitor/events`. */
  readonly routes: Hono<Env>;
  readonly viewers: () => number;
  /** Something happened that viewers should see now rather than at the next tick. */
  readonly hurry: () => void;
  /** Ends all streams. */
  stop(): Promise<void>;
}

/** Seconds between two ticks. */
const TICK = 1;
/** Seconds without a change after which viewers are told that all is still well. */
const QUIET = 5;
/** Seconds a viewer may leave what it was sent unread. */
const PATIENCE = 30;
/** Deltas kept for viewers that come back, and their bytes. */
const KEPT_DELTAS = 120;
const KEPT_BYTES = 4_000_000;
/** Viewers served before others get their turn on the thread. */
const SLICE = 100;
/** Milliseconds a browser waits before it comes again. */
const RETRY_MS = 2000;
const MAX_VIEWERS = 2000;
const COME_AGAIN = 15;

const EVENT_STREAM = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  // nginx would collect events otherwise.
  'X-Accel-Buffering': 'no',
} as const;

export function createMonitorEvents(options: MonitorEventsOptions): MonitorEvents {
  const { clock, log, mayRead, readsOn, mostViewers = MAX_VIEWERS } = options;
  const feed = new Feed(options);
  const viewers = new Set<Viewer>();
  let stopped = false;

  const tick = async (): Promise<number> => {
    if (viewers.size === 0) return Infinity;
    const quiet = feed.advance();
    let count = 0;
    for (const viewer of [...viewers]) {
      // Left while others had their turn.
      if (!viewers.has(viewer)) continue;
      if (!viewer.readsOn()) viewer.end();
      else if (clock.now() - viewer.readAt > PATIENCE) viewer.drop();
      else if (quiet === undefined) viewer.serve();
      else viewer.beat(quiet);
      count += 1;
      if (count % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return TICK;
  };
  const loop: Loop = startLoop({
    clock,
    delay: Infinity,
    cycle: tick,
    failed: (error) => {
      log.error('telling the viewers of the monitor what changed failed', { error });
      return TICK;
    },
  });

  const routes = new Hono<Env>();
  routes.get('/monitor/events', mayRead, (c) => {
    if (stopped || viewers.size >= mostViewers) {
      const refusal = {
        code: 'too-many-viewers',
        reason: `More than ${mostViewers} people are watching; the page tries again by itself.`,
      };
      return c.json(refusal, 503, { 'Retry-After': String(COME_AGAIN), 'Cache-Control': 'no-store' });
    }
    if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM);
    const viewer = new Viewer(feed, clock, lastSeen(c), {
      left: () => viewers.delete(viewer),
      cut: () => destroyConnection(c),
      readsOn: () => readsOn(c),
    });
    const first = viewers.size === 0;
    viewers.add(viewer);
    if (first) feed.advance();
    loop.wake();
    return c.body(viewer.stream, 200, { ...EVENT_STREAM, ...(knowsChunks(c) && { 'Transfer-Encoding': 'chunked' }) });
  });

  return {
    routes,
    viewers: () => viewers.size,
    hurry: () => {
      if (viewers.size > 0) loop.wake();
    },
    async stop() {
      stopped = true;
      await loop.stop();
      for (const viewer of [...viewers]) viewer.end();
    },
  };
}

/** The snapshot as viewers have it, and the way there. */
class Feed {
  readonly #source: Pick<MonitorSource, 'snapshot'>;
  readonly #clock: Clock;
  /** Numbers of another life of this program mean nothing here. */
  readonly #life: string;
  #serial = 0;
  #snapshot: MonitorSnapshot | undefined;
  #encoded: { readonly serial: number; readonly bytes: Uint8Array } | undefined;
  #deltas: { readonly serial: number; readonly bytes: Uint8Array }[] = [];
  #bytes = 0;
  #toldAt = -Infinity;

  constructor({ source, clock, newId }: MonitorEventsOptions) {
    this.#source = source;
    this.#clock = clock;
    this.#life = newId();
  }

  /** Takes a new snapshot. `undefined`: viewers have something to fetch; else what to tell those that have everything, which may be nothing. */
  advance(): Uint8Array | undefined {
    const before = this.#snapshot;
    const after = this.#source.snapshot();
    const delta = before === undefined ? undefined : difference(before, after);
    this.#snapshot = after;
    const now = this.#clock.now();
    if (before !== undefined && delta === undefined) {
      if (now - this.#toldAt < QUIET) return nothing;
      this.#toldAt = now;
      return encode({ event: 'delta', data: { at: after.at } });
    }
    this.#toldAt = now;
    this.#serial += 1;
    if (delta !== undefined) this.#keep(delta);
    return undefined;
  }

  /** Where a viewer is that saw the event with this id; `undefined`: nowhere known. */
  positionOf(id: string): number | undefined {
    const [life, serial] = id.split(':');
    const position = Number(serial);
    return life === this.#life && Number.isSafeInteger(position) && position <= this.#serial ? position : undefined;
  }

  /** What a viewer at `position` has not seen, as few events as possible; `undefined`: it has seen all. */
  after(position: number | undefined): { readonly position: number; readonly pieces: readonly Uint8Array[] } | undefined {
    if (position === this.#serial) return undefined;
    const missed = position === undefined ? [] : this.#deltas.filter(({ serial }) => serial > position);
    const complete = position !== undefined && missed[0]?.serial === position + 1;
    return { position: this.#serial, pieces: complete ? missed.map(({ bytes }) => bytes) : [this.#whole()] };
  }

  #whole(): Uint8Array {
    if (this.#encoded?.serial !== this.#serial) {
      const bytes = encode({ id: `${this.#life}:${this.#serial}`, event: 'snapshot', data: this.#snapshot });
      this.#encoded = { serial: this.#serial, bytes };
    }
    return this.#encoded.bytes;
  }

  #keep(delta: MonitorDelta): void {
    const bytes = encode({ id: `${this.#life}:${this.#serial}`, event: 'delta', data: delta });
    this.#deltas.push({ serial: this.#serial, bytes });
    this.#bytes += bytes.length;
    while (this.#deltas.length > KEPT_DELTAS || (this.#bytes > KEPT_BYTES && this.#deltas.length > 1)) {
      this.#bytes -= this.#deltas.shift()?.bytes.length ?? 0;
    }
  }
}

interface Connection {
  readonly left: () => void;
  readonly cut: () => void;
  readonly readsOn: () => boolean;
}

/** One open page. */
class Viewer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #connection: Connection;
  #position: number | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Set while the connection asks for more and there is nothing. */
  #asked: (() => void) | undefined;
  #servedAt: number;

  constructor(feed: Feed, clock: Clock, lastSeen: string, connection: Connection) {
    this.#feed = feed;
    this.#clock = clock;
    this.#connection = connection;
    this.#position = feed.positionOf(lastSeen);
    this.#servedAt = clock.now();
    // Nothing is queued here: the stream asks when the connection can take more.
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () =>
          new Promise<void>((resolve) => {
            this.#asked = resolve;
            this.serve();
          }),
        cancel: () => {
          this.#leave();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** When the connection last took something, in seconds of the engine's clock. */
  get readAt(): number {
    return this.#asked === undefined ? this.#servedAt : Infinity;
  }

  /** Whether it may still be shown anything. */
  readsOn(): boolean {
    return this.#connection.readsOn();
  }

  /** Sends what this viewer has not seen, if its connection asked for it. */
  serve(): void {
    if (this.#asked === undefined) return;
    const news = this.#feed.after(this.#position);
    if (news === undefined) return;
    const opening = this.#position === undefined ? [RETRY] : [];
    this.#position = news.position;
    this.#send([...opening, ...news.pieces]);
  }

  /** Tells a viewer that has seen everything that all is well. */
  beat(bytes: Uint8Array): void {
    this.serve();
    if (this.#asked !== undefined && bytes.length > 0) this.#send([bytes]);
  }

  /** The stream ends; the browser will come again. */
  end(): void {
    this.#leave();
    this.#controller?.close();
  }

  /** Nothing was read for too long. */
  drop(): void {
    this.#leave();
    this.#controller?.close();
    this.#connection.cut();
  }

  #send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#controller?.enqueue(piece);
    this.#servedAt = this.#clock.now();
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.();
  }

  #leave(): void {
    this.#connection.left();
    const asked = this.#asked;
    this.#asked = undefined;
    asked?.();
  }
}

const nothing = new Uint8Array(0);
const encoder = new TextEncoder();
const RETRY = encoder.encode(`retry: ${RETRY_MS}\n\n`);

interface ServerSentEvent {
  readonly id?: string;
  readonly event: 'snapshot' | 'delta';
  readonly data: unknown;
}

function encode({ id, event, data }: ServerSentEvent): Uint8Array {
  const line = id === undefined ? '' : `id: ${id}\n`;
  return encoder.encode(`${line}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Browsers send the header when they come again by themselves, the page the query when it has to. */
function lastSeen(c: Context): string {
  return c.req.header('Last-Event-ID') ?? c.req.query('lastEventId') ?? '';
}

/** Who speaks HTTP/1.0 must not be sent any (RFC 9112 § 6.1); its stream ends with the connection. */
function knowsChunks({ env }: { readonly env: Partial<HttpBindings> }): boolean {
  return env.incoming?.httpVersion !== '1.0';
}

/** Without a connection, as in tests, there is nothing to destroy. */
function destroyConnection({ env }: { readonly env: Partial<HttpBindings> }): void {
  env.outgoing?.destroy();
}
