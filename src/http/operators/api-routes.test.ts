import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { livelyFleet } from '../../../test/support/monitor-source.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import type { ExplainView, RefusalView } from '../../core/views/monitor-view.ts';
import type { Labels } from '../../core/fleet/routing.ts';
import { createApiRoutes } from './api-routes.ts';
import { answer, availability, decision, explanation, incident, server } from '../server/api-schemas.ts';
import { createApi } from '../server/openapi.ts';
import { createRoutes } from '../server/routes.ts';

function setUp() {
  const fleet = livelyFleet({ hours: 1 });
  fleet.incident({ kind: 'down', serverId: fleet.ids[0] ?? '', server: 'x', reason: 'It hangs.' });
  const asked: { url: string | undefined; labels: Labels | undefined }[] = [];
  const log = new MemoryLog();
  const clock = new FakeClock();
  const group = createApiRoutes({
    source: fleet,
    clock,
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    availability: () => fleet.snapshot().fleet,
    explain(url, labels) {
      asked.push({ url, labels });
      return fleet.explain(url ?? null);
    },
    mayRead: async (c, next) => {
      if (c.req.header('Authorization') === 'Bearer wrong') return c.json({ code: 'token-wrong', reason: 'wrong.' }, 401);
      return next();
    },
  });
  const routes = createRoutes({ log, groups: [createApi({ version: '1', groups: [group] })] });
  const get = async (path: string, init?: RequestInit) => await routes.request(`/api/v1${path}`, init, { incoming: undefined });
  const json = async (path: string): Promise<unknown> => {
    const response = await get(path);
    assert.equal(response.status, 200, path);
    return await response.json();
  };
  return { fleet, asked, log, clock, get, json };
}

async function refusalOf(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as RefusalView).code}`;
}

test('the servers are those of the monitor, in the same order, as described', async () => {
  const { fleet, json } = setUp();
  const { servers } = fleet.snapshot();
  const body = (await json('/servers')) as { at: number; servers: unknown[] };
  assert.deepEqual(body, JSON.parse(JSON.stringify({ at: fleet.snapshot().at, servers })));
  assert.ok(servers.length > 3);
  for (const view of body.servers) server.strict().parse(view);
});

test('one server is found by its identity, in whatever way its colon is written', async () => {
  const { fleet, get, json } = setUp();
  const [id = ''] = fleet.ids;
  const [view] = fleet.snapshot().servers;
  assert.deepEqual(await json(`/servers/${encodeURIComponent(id)}`), view);
  assert.deepEqual(await json(`/servers/${id}`), view);
  assert.match(id, /:/);
  for (const path of ['x', `${id}0`, '__proto__', 'constructor', '%3Cscript%3E', '%20', '..%2f']) {
    const response = await get(`/servers/${path}`);
    const { code, reason } = (await response.json()) as RefusalView;
    assert.equal(`${response.status} ${code}`, '404 unknown-server', path);
    assert.doesNotMatch(reason, /</);
  }
  for (const path of ['%zz', '%', '%C3', 'x'.repeat(301)])
    assert.equal(await refusalOf(await get(`/servers/${path}`)), '400 bad-request', path);
});

test('decisions come newest first and are at most two hundred', async () => {
  const { fleet, json } = setUp();
  for (let i = 0; i < 250; i += 1) fleet.allocate();
  const { decisions } = (await json('/decisions')) as { decisions: unknown[] };
  assert.equal(decisions.length, 200);
  assert.deepEqual(decisions, JSON.parse(JSON.stringify(fleet.snapshot().decisions.slice(0, 200))));
  for (const view of decisions) decision.strict().parse(view);
});

test('decisions can be filtered by kind: refusals, although hundreds were handed out since', async () => {
  const { fleet, get, json } = setUp();
  fleet.refuse('https://github.com/a/b', 'no-room', 'Everything is full.');
  for (let i = 0; i < 250; i += 1) fleet.allocate();
  const { decisions } = (await json('/decisions?kind=refused')) as { decisions: { reason: string }[] };
  assert.equal(decisions[0]?.reason, 'Everything is full.');
  assert.equal(await refusalOf(await get('/decisions?kind=x')), '400 bad-request');
});

test('incidents are as described', async () => {
  const { json } = setUp();
  const { incidents } = (await json('/incidents')) as { incidents: unknown[] };
  assert.ok(incidents.length > 0);
  for (const view of incidents) incident.strict().parse(view);
});

test('availability is open to all clients and contains only what they need', async () => {
  const { fleet, get, json } = setUp();
  fleet.waiting = 3;
  const { open, availability: sentence, places, placesRange, counted, waiting, meanLoad } = fleet.snapshot().fleet;
  const body = await json('/availability');
  assert.deepEqual(body, { open, availability: sentence, places, placesRange, counted, waiting, meanLoad });
  availability.strict().parse(body);
  assert.equal((await get('/availability', { headers: { Authorization: 'Bearer wrong' } })).status, 200);
});

test('the explanation is computed for exactly the request of the client', async () => {
  const { asked, get, json } = setUp();
  const body = (await json('/explain?url=https://github.com/a/b+c/blob/main/x.wbt')) as ExplainView;
  explanation.strict().parse(body);
  answer.strict().parse(body.servers[0]);
  for (const query of [
    '',
    '?url=',
    '?url=https%3A%2F%2Fgithub.com%2Fa%2Fb',
    '?url=%zz',
    '?url=%E0%A4%A',
    '?url=%00',
    `?url=${'x'.repeat(8000)}`,
    '?x=%zz&url=y',
  ])
    assert.equal((await get(`/explain${query}`)).status, 200, query);
  assert.equal(await refusalOf(await get('/explain?url=a&url=b')), '400 bad-request');
  assert.deepEqual(
    asked.map(({ url }) => url),
    [
      'https://github.com/a/b+c/blob/main/x.wbt',
      undefined,
      undefined,
      'https://github.com/a/b',
      '%zz',
      '%E0%A4%A',
      '\u0000',
      'x'.repeat(8000),
      'y',
    ],
  );
});

test('the explanation takes labels', async () => {
  const { asked, get } = setUp();
  assert.equal((await get('/explain?label=room%3DB12&label=gpu=')).status, 200);
  assert.equal((await get('/explain?label=formula=a=b')).status, 200);
  assert.deepEqual(
    asked.map(({ labels }) => labels),
    [{ room: 'B12', gpu: '' }, { formula: 'a=b' }],
  );
  const labels = (count: number) => `?${Array.from({ length: count }, (_, i) => `label=a${i}=b`).join('&')}`;
  for (const query of [
    '?label=room',
    '?label==x',
    '?label=',
    '?label=__proto__=x',
    `?label=${'x'.repeat(61)}=y`,
    `?label=x=${'y'.repeat(201)}`,
    labels(21),
  ])
    assert.equal(await refusalOf(await get(`/explain${query}`)), '400 bad-request', query);
  assert.equal((await get(`/explain${labels(20)}`)).status, 200);
});

test('reading obeys the access that is configured', async () => {
  const { get, fleet } = setUp();
  for (const path of ['/servers', `/servers/${fleet.ids[0] ?? ''}`, '/servers/unknown', '/explain', '/decisions', '/incidents'])
    for (const method of ['GET', 'HEAD'])
      assert.equal((await get(path, { method, headers: { Authorization: 'Bearer wrong' } })).status, 401, path);
  assert.equal((await get('/openapi.json', { headers: { Authorization: 'Bearer wrong' } })).status, 200);
});

test('every answer may be read by pages of other sites, and none is stored', async () => {
  const { get } = setUp();
  for (const path of [
    '/servers',
    '/servers/x',
    '/servers/%zz',
    '/explain',
    '/decisions',
    '/incidents',
    '/availability',
    '/openapi.json',
    '/nothing',
    '',
  ]) {
    const response = await get(path);
    assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*', path);
    assert.equal(response.headers.get('Access-Control-Allow-Credentials'), null);
    assert.equal(response.headers.get('Cache-Control'), 'no-store', path);
    assert.match(response.headers.get('Content-Type') ?? '', /^application\/json/);
  }
  const preflight = await get('/servers', {
    method: 'OPTIONS',
    headers: { Origin: 'https://x.example', 'Access-Control-Request-Method': 'DELETE' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('Access-Control-Allow-Methods'), 'GET,HEAD');
});

test('HEAD answers as GET without a body; other methods and paths are refused as JSON', async () => {
  const { get, log } = setUp();
  for (const path of ['/servers', '/explain', '/decisions', '/incidents', '/availability', '/openapi.json']) {
    const head = await get(path, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await get(path, { method });
      assert.equal(response.headers.get('Allow'), 'GET, HEAD, OPTIONS', `${method} ${path}`);
      assert.equal(await refusalOf(response), '405 method-not-allowed');
    }
  }
  for (const path of ['', '/', '/nothing', '/servers/', '/servers/a/b', '/SERVERS', '//servers'])
    assert.equal(await refusalOf(await get(path)), '404 not-found', path);
  assert.deepEqual(log.complaints, []);
});

test('an address that asks for too many explanations is refused before anything is looked up', async () => {
  const { asked, clock, get } = setUp();
  const statuses = new Map<number, number>();
  for (let i = 0; i < 200; i += 1) {
    const { status } = await get('/explain');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.deepEqual(
    [...statuses],
    [
      [200, 30],
      [429, 170],
    ],
  );
  assert.equal(asked.length, 30);
  const refused = await get('/explain');
  assert.equal(refused.headers.get('Retry-After'), '1');
  assert.equal(await refusalOf(refused), '429 too-many-explanations');
  await clock.advance(1);
  assert.equal((await get('/explain')).status, 200);
});

test('a flood of reads computes the fleet no more often than its size allows, and finds single servers in that result', async (t) => {
  const { fleet, get } = setUp();
  const snapshot = t.mock.method(fleet, 'snapshot');
  const perDrawing = fleet.snapshot().servers.length * 700;
  snapshot.mock.resetCalls();
  const count = Math.ceil(8_000_000 / perDrawing) + 200;
  for (let i = 0; i < count; i += 1) await get(i % 2 === 0 ? '/servers' : `/servers/${fleet.ids[0] ?? ''}`);
  assert.ok(snapshot.mock.callCount() <= count - 190, `${snapshot.mock.callCount()} snapshots for ${count} requests`);
});
