import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MiddlewareHandler } from 'hono';
import { applied } from '../../core/views/monitor-delta.ts';
import type { MonitorDelta, MonitorSnapshot } from '../../core/views/monitor-view.ts';
import { DemoFleet } from '../../../test/support/monitor-source.ts';
import { inTime } from '../../../test/support/eventually.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { createMonitorEvents } from './monitor-events.ts';
import type { Env } from '../server/routes.ts';

interface Event {
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** Reads the events of one stream, as a page does. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest = '';

  constructor(response: Response) {
    assert.equal(response.status, 200);
    assert.ok(response.body);
    this.#reader = response.body.getReader();
  }

  async next(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 2);
        const fields = new Map(
          block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        );
        if (!fields.has('data')) continue;
        const id = fields.get('id');
        return {
          event: fields.get('event') ?? '',
          data: JSON.parse(fields.get('data') ?? '') as unknown,
          ...(id !== undefined && { id }),
        };
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += new TextDecoder().decode(value);
    }
  }

  /** Reads on without looking. */
  async watch(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

function setUp(options: { maxViewers?: number; servers?: number; mayRead?: MiddlewareHandler<Env> } = {}) {
  const clock = new FakeClock();
  const fleet = new DemoFleet({ servers: options.servers ?? 3 });
  let snapshots = 0;
  const readers: { allowed: boolean; address: string | undefined } = { allowed: true, address: undefined };
  const log = new MemoryLog();
  const source = {
    snapshot: () => {
      snapshots += 1;
      return fleet.snapshot();
    },
  };
  const events = createMonitorEvents({
    source,
    clock,
    newId: () => 'life',
    log,
    addressOf: () => ({ address: readers.address ?? 'local', limitKey: readers.address }),
    mayRead: (_, next) => next(),
    readsOn: () => readers.allowed,
    ...options,
  });
  const request = (headers: Record<string, string> = {}, query = '', env = {}) =>
    events.routes.request(`/monitor/events${query}`, { headers }, env);
  const open = async (headers: Record<string, string> = {}, query = '') => new Reader(await request(headers, query));
  return { clock, fleet, events, open, request, readers, log, snapshots: () => snapshots };
}

test('a viewer gets a snapshot, then what changed within a second', async () => {
  const { clock, fleet, events, open } = setUp();
  const reader = await open();
  const first = await reader.next();
  assert.equal(first?.event, 'snapshot');
  assert.deepEqual(first.data, JSON.parse(JSON.stringify(fleet.snapshot())));
  const [id = ''] = fleet.ids;
  fleet.set(id, { load: 77 });
  const second = reader.next();
  await clock.advance(1);
  assert.deepEqual((await second)?.event, 'delta');
  assert.deepEqual(((await second)?.data as MonitorDelta).servers, { [id]: { load: 77 } });
  await events.stop();
});

test('snapshot and deltas together are the present, over many ticks', async () => {
  const { clock, fleet, events, open } = setUp({ servers: 10 });
  const reader = await open();
  let seen = (await reader.next())?.data as MonitorSnapshot;
  for (let tick = 0; tick < 40; tick++) {
    fleet.advance(5);
    const next = reader.next();
    await clock.advance(1);
    seen = applied(seen, (await next)?.data as MonitorDelta);
    assert.deepEqual(seen, JSON.parse(JSON.stringify(fleet.snapshot())));
  }
  await events.stop();
});

test('a tick is encoded once for all viewers', async () => {
  const { clock, fleet, events, open, snapshots } = setUp();
  const readers = await Promise.all(Array.from({ length: 50 }, () => open()));
  await Promise.all(readers.map((reader) => reader.next()));
  const before = snapshots();
  fleet.advance(5);
  const nexts = readers.map((reader) => reader.next());
  await clock.advance(1);
  const texts = new Set((await Promise.all(nexts)).map((event) => JSON.stringify(event)));
  assert.equal(texts.size, 1);
  assert.equal(snapshots(), before + 1);
  await events.stop();
});

test('without viewers nothing is computed', async () => {
  const { clock, events, open, snapshots } = setUp();
  await clock.advance(100);
  assert.equal(snapshots(), 0);
  const reader = await open();
  await reader.next();
  await reader.leave();
  await clock.advance(2);
  assert.equal(events.viewers(), 0);
  const before = snapshots();
  await clock.advance(100);
  assert.equal(snapshots(), before);
  await events.stop();
});

test('while nothing changes, viewers still receive the current time', async () => {
  const { clock, fleet, events, open } = setUp();
  const reader = await open();
  await reader.next();
  const next = reader.next();
  fleet.now += 5;
  await clock.advance(6);
  assert.deepEqual(await next, { event: 'delta', data: { at: fleet.now } });
  await events.stop();
});

test('after a broken connection a viewer gets exactly what it missed', async () => {
  const { clock, fleet, events, open } = setUp();
  const reader = await open();
  const watcher = await open();
  let seen = await reader.next();
  await reader.leave();
  for (let tick = 0; tick < 3; tick++) {
    fleet.advance(5);
    await clock.advance(1);
  }
  for (const again of [await open({ 'Last-Event-ID': seen?.id ?? '' }), await open({}, `?lastEventId=${seen?.id ?? ''}`)]) {
    let snapshot = seen?.data as MonitorSnapshot;
    for (let tick = 0; tick < 3; tick++) {
      const event = await again.next();
      assert.equal(event?.event, 'delta');
      snapshot = applied(snapshot, event.data as MonitorDelta);
    }
    assert.deepEqual(snapshot, JSON.parse(JSON.stringify(fleet.snapshot())));
  }
  seen = await watcher.next();
  await events.stop();
});

test('a viewer of an earlier process, or from too long ago, gets a snapshot', async () => {
  const { clock, fleet, events, open } = setUp();
  const watching = (await open()).watch();
  for (let tick = 0; tick < 130; tick++) {
    fleet.advance(5);
    await clock.advance(1);
  }
  for (const id of ['other:1', 'life:1', 'life:999999', 'life:x', 'nonsense', 'x'.repeat(5000)]) {
    assert.equal((await (await open({ 'Last-Event-ID': id })).next())?.event, 'snapshot', id.slice(0, 20));
  }
  await events.stop();
  await watching;
});

test('a viewer that is slow gets everything, later', async () => {
  const { clock, fleet, events, open } = setUp();
  const slow = await open();
  let seen = (await slow.next())?.data as MonitorSnapshot;
  for (let tick = 1; tick <= 100; tick++) {
    fleet.advance(5);
    await clock.advance(1);
    while (tick % 20 === 0 && seen.at < fleet.now) seen = applied(seen, (await slow.next())?.data as MonitorDelta);
  }
  assert.deepEqual(seen, JSON.parse(JSON.stringify(fleet.snapshot())));
  await events.stop();
});

test('a viewer that missed more than is stored skips to the present', async () => {
  const { clock, fleet, events, open } = setUp({ servers: 500 });
  const slow = await open();
  await slow.next();
  for (let tick = 0; tick < 29; tick++) {
    for (const id of fleet.ids) fleet.set(id, { reason: `reason ${tick} `.repeat(50) });
    await clock.advance(1);
  }
  const event = await slow.next();
  assert.equal(event?.event, 'snapshot');
  assert.deepEqual(event.data, JSON.parse(JSON.stringify(fleet.snapshot())));
  await events.stop();
});

test('a viewer that never reads is dropped, and its connection with it', async () => {
  const { clock, fleet, events, request } = setUp();
  let destroyed = 0;
  const response = await request({}, '', { outgoing: { destroy: () => (destroyed += 1) } });
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.read();
  assert.equal(events.viewers(), 1);
  for (let tick = 0; tick < 32; tick++) {
    fleet.advance(5);
    await clock.advance(1);
  }
  assert.equal(events.viewers(), 0);
  assert.equal(destroyed, 1);
  await events.stop();
});

test('viewers over the limit of a thousand are asked to come again, and get in when others leave', async () => {
  const { events, request } = setUp({ maxViewers: 900 });
  const responses = [];
  for (let index = 0; index < 1000; index++) responses.push(await request());
  assert.equal(events.viewers(), 900);
  const refused = responses.filter(({ status }) => status === 503);
  assert.equal(refused.length, 100);
  assert.equal(refused[0]?.headers.get('Retry-After'), '15');
  assert.equal(((await refused[0].json()) as { code: string }).code, 'too-many-viewers');
  await responses[0]?.body?.cancel();
  assert.equal((await request()).status, 200);
  await events.stop();
});

test('one address gets half of all places, and as many again when its viewers leave', async () => {
  const { events, request, readers } = setUp({ maxViewers: 10 });
  readers.address = '192.0.2.1';
  const responses = [];
  for (let index = 0; index < 6; index++) responses.push(await request());
  assert.deepEqual(
    responses.map(({ status }) => status),
    [200, 200, 200, 200, 200, 503],
  );
  readers.address = '192.0.2.2';
  assert.equal((await request()).status, 200);
  readers.address = '192.0.2.1';
  await responses[0]?.body?.cancel();
  assert.equal((await request()).status, 200);
  await events.stop();
});

test('a HEAD request is not counted as a viewer', async () => {
  const { clock, events, open } = setUp({ maxViewers: 1 });
  const response = await events.routes.request('/monitor/events', { method: 'HEAD' }, {});
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8']);
  assert.equal(events.viewers(), 0);
  const reader = await open();
  await clock.advance(1);
  assert.equal((await reader.next())?.event, 'snapshot');
  await events.stop();
});

test('a viewer that loses its permission gets no further events', async () => {
  const { clock, fleet, events, open, readers } = setUp();
  const reader = await open();
  await reader.next();
  readers.allowed = false;
  const end = reader.next();
  fleet.set(fleet.ids[0] ?? '', { load: 77 });
  await clock.advance(1);
  assert.equal(await end, undefined);
  assert.equal(events.viewers(), 0);
  await events.stop();
});

test('at the end all streams end', async () => {
  const { events, open, request } = setUp();
  const reader = await open();
  await reader.next();
  const next = reader.next();
  await events.stop();
  assert.equal(await next, undefined);
  assert.equal((await request()).status, 503);
});

test('a snapshot that fails is logged and the next tick tries again', async () => {
  const { clock, fleet, events, open } = setUp();
  const reader = await open();
  await reader.next();
  const working = fleet.snapshot.bind(fleet);
  fleet.snapshot = () => {
    throw new Error('a bug');
  };
  const next = reader.next();
  await clock.advance(2);
  fleet.snapshot = working;
  fleet.advance(5);
  await clock.advance(1);
  assert.equal((await next)?.event, 'delta');
  await events.stop();
});

test('a client without permission to read gets no events', async () => {
  const { events, request, snapshots } = setUp({ mayRead: (c) => Promise.resolve(c.text('no', 401)) });
  assert.equal((await request()).status, 401);
  assert.equal(events.viewers() + snapshots(), 0);
  await events.stop();
});

test('a viewer that leaves while others are disconnected does not keep any of them connected', async () => {
  const { clock, events, open, readers, log } = setUp();
  const pages = await Promise.all(Array.from({ length: 250 }, () => open()));
  const watched = pages.map((page) => page.watch());
  await clock.advance(1);
  assert.equal(events.viewers(), 250);
  const [first] = watched;
  const left = first?.then(() => pages[150]?.leave());
  readers.allowed = false;
  await clock.advance(1);
  await left;
  await inTime('the end of all', Promise.all(watched));
  assert.equal(events.viewers(), 0);
  assert.deepEqual(log.complaints, []);
  await events.stop();
});
