/**
 * The live monitor as server-sent events: a snapshot when a viewer connects, then only what changed.
 *
 * Each tick is computed and encoded once for all viewers; without viewers there are no ticks. A viewer fetches what it has
 * not seen when its connection can take more, so a slow one skips to a new snapshot instead of filling memory, and one
 * that reads nothing is disconnected. After a broken connection a viewer says what it saw last and gets the rest.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import type { AddressOf } from '../server/client-address.ts';
import type { Env } from '../server/routes.ts';
import { MonitorFeed } from './monitor-feed.ts';
import type { MonitorSource } from './monitor-source.ts';
import { MonitorViewer } from './monitor-viewer.ts';

export interface MonitorEventsOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly addressOf: AddressOf;
  readonly mayRead: MiddlewareHandler<Env>;
  /** Asked before each tick about every viewer. */
  readonly readsOn: (c: Context<Env>) => boolean;
  /** Further ones are asked to come again later; one address gets half. */
  readonly maxViewers?: number;
}

export interface MonitorEvents {
  /** `GET /monitor/events`. */
  readonly routes: Hono<Env>;
  readonly viewers: () => number;
  /** Ends all streams. */
  stop(): Promise<void>;
}

/** Seconds between two ticks. */
const TICK = 1;
/** Seconds a viewer may leave what it was sent unread. */
const MAX_UNREAD = 30;
/** Viewers served before other work gets its turn on the thread. */
const SLICE = 100;
const MAX_VIEWERS = 2000;
const RETRY_AFTER = 15;

const EVENT_STREAM = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  // nginx would buffer events otherwise.
  'X-Accel-Buffering': 'no',
} as const;

export function createMonitorEvents(options: MonitorEventsOptions): MonitorEvents {
  const { maxViewers = MAX_VIEWERS } = options;
  const viewers = new Viewers(options);
  const routes = new Hono<Env>();
  routes.get('/monitor/events', options.mayRead, (c) => {
    const { limitKey } = options.addressOf(c.env.incoming);
    const refusal = viewers.refusalFor(limitKey, maxViewers);
    if (refusal !== undefined) {
      const reason = `The maximum of ${refusal} is reached; the page reconnects automatically.`;
      const headers = { 'Retry-After': String(RETRY_AFTER), 'Cache-Control': 'no-store' };
      return c.json({ code: 'too-many-viewers', reason }, 503, headers);
    }
    if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM);
    const { stream } = viewers.add(c, limitKey);
    return c.body(stream, 200, { ...EVENT_STREAM, ...(supportsChunks(c) && { 'Transfer-Encoding': 'chunked' }) });
  });
  return {
    routes,
    viewers: () => viewers.size,
    stop: () => viewers.stop(),
  };
}

class Viewers {
  readonly #options: MonitorEventsOptions;
  readonly #feed: MonitorFeed;
  readonly #byAddress = new PerClientCounts();
  readonly #viewers = new Set<MonitorViewer>();
  readonly #ticks: Loop;
  #isStopped = false;

  constructor(options: MonitorEventsOptions) {
    this.#options = options;
    this.#feed = new MonitorFeed(options);
    this.#ticks = startLoop({
      clock: options.clock,
      delay: Infinity,
      cycle: () => this.#tick(),
      failed: (error) => {
        options.log.error('updating the viewers of the monitor failed', { error });
        return TICK;
      },
    });
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** What there are too many of for another one from this address. */
  refusalFor(limitKey: string | undefined, max: number): string | undefined {
    if (this.#isStopped || this.size >= max) return `${max} viewers`;
    const share = Math.ceil(max / 2);
    return limitKey !== undefined && this.#byAddress.of(limitKey) >= share ? `${share} viewers from one address` : undefined;
  }

  add(c: Context<Env>, limitKey: string | undefined): MonitorViewer {
    const { clock, readsOn } = this.#options;
    const viewer: MonitorViewer = new MonitorViewer(this.#feed, clock, lastSeen(c), {
      left: () => {
        if (this.#viewers.delete(viewer)) this.#byAddress.giveBack(limitKey);
      },
      disconnect: () => destroyConnection(c),
      readsOn: () => readsOn(c),
    });
    const first = this.#viewers.size === 0;
    this.#viewers.add(viewer);
    this.#byAddress.take(limitKey);
    if (first) this.#feed.advance();
    this.#ticks.wake();
    return viewer;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ticks.stop();
    for (const viewer of [...this.#viewers]) viewer.end();
  }

  async #tick(): Promise<number> {
    if (this.#viewers.size === 0) return Infinity;
    const heartbeat = this.#feed.advance();
    let count = 0;
    for (const viewer of [...this.#viewers]) {
      // It may have left during the pause between two slices.
      if (!this.#viewers.has(viewer)) continue;
      this.#update(viewer, heartbeat);
      count += 1;
      if (count % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return TICK;
  }

  #update(viewer: MonitorViewer, heartbeat: Uint8Array | undefined): void {
    if (!viewer.readsOn()) viewer.end();
    else if (this.#options.clock.now() - viewer.readAt > MAX_UNREAD) viewer.drop();
    else if (heartbeat === undefined) viewer.serve();
    else viewer.beat(heartbeat);
  }
}

/** Browsers send the header when they reconnect by themselves; the page sends the query when it has to. */
function lastSeen(c: Context): string {
  return c.req.header('Last-Event-ID') ?? c.req.query('lastEventId') ?? '';
}

/** Clients of HTTP/1.0 must not be sent chunks (RFC 9112 § 6.1); their stream ends with the connection. */
function supportsChunks({ env }: { readonly env: Partial<HttpBindings> }): boolean {
  return env.incoming?.httpVersion !== '1.0';
}

/** Without a connection, as in tests, there is nothing to destroy. */
function destroyConnection({ env }: { readonly env: Partial<HttpBindings> }): void {
  env.outgoing?.destroy();
}
