import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryView, RefusalView, SparklinesView } from '../../core/views/monitor-view.ts';
import { decodeSparkline } from '../../core/history/sparkline.ts';
import { DemoFleet } from '../../../test/support/monitor-source.ts';
import { createHistoryRoutes, csvOf } from './history-routes.ts';

const NO_OUTAGES = { marks: () => [], uptime: () => ({}), reserved: (time: readonly number[]) => time.map(() => 30) };

function setUp() {
  const fleet = new DemoFleet({ servers: 2 });
  fleet.advance(3 * 3600);
  const { history } = fleet;
  const source = { ...NO_OUTAGES, history: history.query.bind(history), sparklines: history.sparklines.bind(history) };
  const routes = createHistoryRoutes({
    source,
    clock: { now: () => fleet.now, wallTime: () => fleet.now },
    mayRead: (_, next) => next(),
  });
  const ask = async (query: string) => await routes.request(`/api/v1/history?${query}`);
  return { fleet, routes, ask };
}

async function view(response: Response): Promise<HistoryView> {
  assert.equal(response.status, 200);
  return (await response.json()) as HistoryView;
}

test('without parameters it is the fleet of the last hour', async () => {
  const { fleet, ask } = setUp();
  const answer = await view(await ask(''));
  assert.equal(answer.server, null);
  assert.equal(answer.step, 10);
  assert.ok(Math.abs(answer.to - fleet.now) <= 10 && Math.abs(answer.to - answer.from - 3600) <= 20);
  assert.equal(answer.time.length, answer.mean.length);
});

test('a server, a time and a step can be named; times as seconds or as ISO 8601', async () => {
  const { fleet, ask } = setUp();
  const [id = ''] = fleet.ids;
  const from = fleet.now - 7200;
  const seconds = await view(await ask(`server=${encodeURIComponent(id)}&from=${from}&to=${from + 3600}&step=600`));
  assert.deepEqual([seconds.server, seconds.step], [id, 600]);
  const iso = (time: number) => encodeURIComponent(new Date(time * 1000).toISOString());
  assert.deepEqual(
    await view(await ask(`server=${encodeURIComponent(id)}&from=${iso(from)}&to=${iso(from + 3600)}&step=600`)),
    seconds,
  );
  assert.ok(
    seconds.reserved.every((seats) => seats === null),
    'seats are reserved in the fleet',
  );
});

test('the CSV of a server is named after it', async () => {
  const { fleet, ask } = setUp();
  const name = async (query: string) => (await ask(`format=csv${query}`)).headers.get('Content-Disposition');
  const [id = ''] = fleet.ids;
  assert.match(id, /^[a-z0-9.-]+:2000$/);
  assert.equal(await name(`&server=${encodeURIComponent(id)}`), `attachment; filename="history-${id.replace(':', '-')}.csv"`);
  assert.equal(await name(''), 'attachment; filename="history.csv"');
  const odd = '[2001:db8::1]:2000';
  fleet.history.fleetIs([odd]);
  assert.equal(await name(`&server=${encodeURIComponent(odd)}`), 'attachment; filename="history-2001-db8-1-2000.csv"');
});

test('CSV has the same figures in lines, and a gap is an empty field', async () => {
  const { fleet, ask } = setUp();
  fleet.set(fleet.ids[0] ?? '', { state: 'down' });
  fleet.set(fleet.ids[1] ?? '', { state: 'down' });
  fleet.advance(600);
  const query = `from=${fleet.now - 1200}&step=60`;
  const json = await view(await ask(query));
  const response = await ask(`${query}&format=csv`);
  assert.equal(response.headers.get('Content-Type'), 'text/csv; charset=utf-8');
  const [head, ...lines] = (await response.text()).trimEnd().split('\r\n');
  assert.equal(head, 'time,min,mean,max,count,predicted,hand_outs,waiting,reserved');
  assert.equal(lines.length, json.time.length);
  for (const [index, line] of lines.entries()) {
    const fields = line.split(',');
    assert.equal(Date.parse(fields[0] ?? '') / 1000, json.time[index]);
    assert.equal(fields[2], String(json.mean[index] ?? ''));
    assert.equal(fields[4], String(json.count[index]));
    assert.equal(fields[8], '30');
  }
  assert.ok(json.mean.includes(null));
  assert.equal(csvOf({ ...json, time: [] }), `${head}\r\n`);
});

test('invalid parameters are refused with their reason', async () => {
  const { fleet, ask } = setUp();
  const nonsense = [
    'from=yesterday',
    'from=-5',
    'from=1e400',
    'to=NaN',
    'step=0',
    'step=fast',
    'step=-1',
    'step=Infinity',
    'format=xml',
    `server=${'x'.repeat(10_000)}`,
    'server=',
    `from=${fleet.now}&to=${fleet.now - 1}`,
    'to=5',
    'from=2026-99-99',
    'from=%00',
  ];
  for (const query of nonsense.filter((query) => query !== 'to=5')) {
    const response = await ask(query);
    const { code, reason } = (await response.json()) as RefusalView;
    assert.deepEqual([query.slice(0, 30), response.status, code], [query.slice(0, 30), 400, 'bad-request']);
    assert.ok(reason.length > 10);
  }
});

test('a server that is not known has no history', async () => {
  const { ask } = setUp();
  const response = await ask('server=elsewhere:1');
  assert.equal(response.status, 404);
  assert.equal(((await response.json()) as RefusalView).code, 'no-history');
});

test('sparklines show the last hour of every server', async () => {
  const { fleet, routes } = setUp();
  const response = await routes.request('/monitor/sparklines');
  const { servers, from, step } = (await response.json()) as SparklinesView;
  assert.deepEqual(Object.keys(servers), fleet.ids);
  assert.ok(fleet.now - from <= 3600 && step === 60);
  const loads = decodeSparkline(servers[fleet.ids[0] ?? ''] ?? '');
  assert.equal(loads.length, 60);
  assert.ok(loads.every((load) => load !== null && load > 0));
});

test('a client without permission to read gets no history', async () => {
  const { fleet } = setUp();
  const source = { ...NO_OUTAGES, history: () => undefined, sparklines: () => fleet.history.sparklines() };
  const routes = createHistoryRoutes({
    source,
    clock: { now: () => 0, wallTime: () => 0 },
    mayRead: (c) => Promise.resolve(c.text('no', 401)),
  });
  assert.equal((await routes.request('/api/v1/history')).status, 401);
  assert.equal((await routes.request('/monitor/sparklines')).status, 401);
});

test('a flood of readers shares the sparklines of a large fleet', async () => {
  let computed = 0;
  const sparklines = () => {
    computed += 1;
    return { from: 0, step: 60, servers: { 'a:1': 'x'.repeat(500_000) } };
  };
  const source = { ...NO_OUTAGES, history: () => undefined, sparklines };
  const clock = { now: () => 0, wallTime: () => 0 };
  const routes = createHistoryRoutes({ source, clock, mayRead: (_, next) => next() });
  for (let i = 0; i < 20; i += 1) assert.equal((await routes.request('/monitor/sparklines')).status, 200);
  assert.equal(computed, 3, 'until the allowance of a moment is used up');
});
