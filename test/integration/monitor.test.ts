/** The monitor's live events over real connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startMonitorServer, TOKEN, type MonitorServer } from '../support/monitor-server.ts';
import { DemoFleet } from '../support/monitor-source.ts';
import { CSRF_HEADER } from '../../src/core/views/csrf-header.ts';
import type { ViewerView } from '../../src/core/views/monitor-view.ts';

async function watch(t: TestContext, { url }: MonitorServer): Promise<Socket> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('GET /monitor/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return socket;
}

test('a viewer that goes away is forgotten', async (t) => {
  const server = await startMonitorServer(t);
  const socket = await watch(t, server);
  await eventually('the viewer', () => server.viewers() === 1);
  socket.destroy();
  await eventually('nobody', () => server.viewers() === 0);
});

test('a client of HTTP/1.0 gets the events themselves, without chunks that it does not know', async (t) => {
  const server = await startMonitorServer(t);
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.write('GET /monitor/events HTTP/1.0\r\n\r\n');
  await eventually('an event', () => heard.includes('event: snapshot'));
  assert.match(heard, /\r\n\r\nretry: \d+\n\n/);
  assert.doesNotMatch(heard, /^transfer-encoding/im);
});

test('a viewer that never reads is disconnected, and needs no more memory than its connection holds', async (t) => {
  const clock = new FakeClock();
  const fleet = new DemoFleet({ servers: 2000 });
  const server = await startMonitorServer(t, { fleet, clock });
  const stuck = await watch(t, server);
  stuck.pause();
  const reader = await watch(t, server);
  let read = 0;
  reader.on('data', (bytes: Buffer) => (read += bytes.length));
  await eventually('both viewers', () => server.viewers() === 2);
  for (let tick = 0; tick < 45 && server.viewers() === 2; tick++) {
    for (const id of fleet.ids) fleet.set(id, { reason: `reason number ${tick} of this server`.repeat(10) });
    const before = read;
    await clock.advance(1);
    await eventually('the tick at the viewer that reads', () => read > before);
  }
  assert.equal(server.viewers(), 1);
  await eventually('the end of the connection', () => {
    stuck.resume();
    return stuck.destroyed;
  });
});

test('a thousand viewers see a change, and the session server answers others meanwhile', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 5 }) });
  const seen = new Set<Socket>();
  const sockets = await Promise.all(Array.from({ length: 1000 }, () => watch(t, server)));
  for (const socket of sockets) {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text = (text + bytes.toString()).slice(-200_000);
      if (text.includes('"load":88.8')) seen.add(socket);
    });
  }
  await eventually('a thousand viewers', () => server.viewers() === 1000);
  server.fleet.set(server.fleet.ids[0] ?? '', { load: 88.8 });
  const response = await fetch(server.url.replace('/monitor', '/api/v1/explain'));
  assert.equal(response.status, 200);
  await eventually('the change at every viewer', () => seen.size === 1000);
});

test('the form of the sign-in page returns to the page, by either path', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 1 }) });
  const { origin } = new URL(server.url);
  for (const [path, location] of [
    ['/monitor/enter', '../monitor'],
    ['/monitor?/monitor/enter', 'monitor'],
  ] as const) {
    const body = new URLSearchParams({ token: TOKEN });
    const entered = await fetch(`${origin}${path}`, { method: 'POST', body, redirect: 'manual' });
    assert.deepEqual([entered.status, entered.headers.get('Location')], [303, location]);
  }
});

test('a cookie session acts over real HTTP, and only with the word of the page', async (t) => {
  const server = await startMonitorServer(t, { fleet: new DemoFleet({ servers: 2 }) });
  const { origin } = new URL(server.url);
  const json = { 'Content-Type': 'application/json' };
  const entered = await fetch(`${origin}/monitor/enter`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ token: TOKEN }),
  });
  const cookie = entered.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  const { csrf } = (await entered.json()) as ViewerView;
  const [id = ''] = server.fleet.ids;
  const drain = (headers: Record<string, string>) =>
    fetch(`${origin}/api/v1/servers/${encodeURIComponent(id)}/drain`, {
      method: 'POST',
      headers: { ...json, Cookie: cookie, ...headers },
      body: JSON.stringify({ reason: 'new disk', lasts: 60 }),
    });
  assert.equal((await drain({})).status, 403);
  assert.equal(server.fleet.server(id)?.drain, null);
  assert.equal((await drain({ [CSRF_HEADER]: csrf ?? '' })).status, 200);
  assert.equal(server.fleet.server(id)?.drain?.by, 'ada');
});
