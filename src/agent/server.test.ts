import assert from 'node:assert/strict';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { connect } from 'node:net';
import { afterEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Machine } from './machine.ts';
import { startAgent, type Agent, type AgentOptions } from './server.ts';

const GIBIBYTE = 1024 ** 3;

/** A machine whose processors are as busy as given, and that has 10 GiB of memory and 2 GiB of swap space. */
class FakeMachine implements Machine {
  cpu = 40;
  broken = false;
  #busy = 0;
  #total = 0;

  cpuTimes() {
    if (this.broken) throw new Error('no /proc');
    this.#busy += this.cpu;
    this.#total += 100;
    return { busy: this.#busy, total: this.#total };
  }

  memory() {
    return { memory: { used: 6 * GIBIBYTE, total: 10 * GIBIBYTE }, swap: { used: GIBIBYTE, total: 2 * GIBIBYTE } };
  }
}

let agent: Agent | undefined;
afterEach(async () => {
  await agent?.close();
  agent = undefined;
});

async function start(options: Partial<AgentOptions> = {}) {
  const clock = new FakeClock();
  const machine = new FakeMachine();
  const started = await startAgent({ host: '127.0.0.1', port: 0, clock, machine, nvidiaSmi: '/nowhere/nvidia-smi', ...options });
  agent = started;
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${started.port}${path}`, init);
  return { clock, machine, get, port: started.port };
}

test('the load is unknown until five samples exist, then their mean', async () => {
  const { clock, machine, get } = await start();
  assert.equal((await get('/load')).status, 503);
  await clock.advance(4);
  const early = await get('/load');
  assert.equal(early.status, 503);
  assert.match(await early.text(), /not known yet/);
  await clock.advance(1);
  const answer = await get('/load');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(await answer.text(), '40');
  machine.cpu = 91;
  await clock.advance(2);
  assert.equal(await (await get('/load')).text(), '60.4');
});

test('memory counts when it is scarcer than the processor', async () => {
  const { clock, machine, get } = await start();
  machine.cpu = 1;
  await clock.advance(10);
  assert.equal(await (await get('/load')).text(), '36.67');
});

test('a machine that can no longer be measured answers 503 instead of an old load, and recovers', async () => {
  const { clock, machine, get } = await start();
  await clock.advance(5);
  machine.broken = true;
  await clock.advance(6);
  assert.equal((await get('/load')).status, 503);
  assert.match(await (await get('/monitor')).text(), /<td class="figure">N\/A<\/td>/);
  machine.broken = false;
  await clock.advance(6);
  assert.equal((await get('/load')).status, 200);
});

test('the monitor page shows what was measured, and needs nothing from elsewhere', async () => {
  const { clock, get } = await start();
  await clock.advance(3661);
  const answer = await get('/monitor');
  const page = await answer.text();
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'/);
  for (const text of [
    `<h1>${hostname()}</h1>`,
    '40.0%',
    '60.0%',
    '6.0 GiB of 10.0 GiB',
    '50.0%',
    'none that answers',
    'load agent for 1 h 1 min',
  ])
    assert.ok(page.includes(text), text);
  assert.doesNotMatch(page, /https?:|src=/);
});

test('before the first sample the page says that nothing is known', async () => {
  const { get } = await start();
  assert.match(await (await get('/monitor')).text(), /N\/A.*not known yet/);
});

test('HEAD answers as GET without a body', async () => {
  const { clock, get } = await start();
  await clock.advance(5);
  const answer = await get('/load', { method: 'HEAD' });
  assert.deepEqual([answer.status, answer.headers.get('content-length'), await answer.text()], [200, '2', '']);
});

test('other methods and paths are refused', async () => {
  const { get } = await start();
  const post = await get('/load', { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  assert.equal((await get('/')).status, 404);
  assert.equal((await get('/load/')).status, 404);
  assert.equal((await get('/LOAD')).status, 404);
  assert.equal((await get('/nothing', { method: 'DELETE' })).status, 404);
});

test('a query, a whole URL in place of the path, and HTTP/1.0 are understood', async () => {
  const { clock, port } = await start();
  await clock.advance(5);
  assert.match(await raw(port, 'GET /load?x=/monitor HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n40$/);
  assert.match(await raw(port, 'GET http://host:2000/load HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n'), /\r\n\r\n40$/);
});

test('a request for an upgrade gets the plain answer', async () => {
  const { port } = await start();
  const request = 'GET /client HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  const [data] = (await once(socket, 'data')) as [Buffer];
  assert.match(data.toString(), /^HTTP\/1\.1 404 /);
  socket.destroy();
});

test('headers and bodies that are too large are refused', async () => {
  const { get, port } = await start();
  assert.equal((await get('/load', { headers: { 'X-Large': 'x'.repeat(9000) } })).status, 431);
  assert.match(await raw(port, 'POST /load HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nxxx'), /^HTTP\/1\.1 413 /);
  assert.match(
    await raw(port, 'GET /load HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n'),
    /^HTTP\/1\.1 413 /,
  );
});

test('a request that is not HTTP is refused', async () => {
  const { port } = await start();
  assert.match(await raw(port, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('a client that never finishes its request is disconnected', async () => {
  const { port } = await start({ limits: { requestTimeout: 0.05 } });
  assert.match(await raw(port, 'GET /load HTTP/1.1\r\nHo'), /^HTTP\/1\.1 408 /);
});

test('more connections than allowed are closed', async () => {
  const { port } = await start({ limits: { connections: 1 } });
  const first = connect(port, '127.0.0.1');
  await once(first, 'connect');
  const second = connect(port, '127.0.0.1');
  await once(second, 'close');
  first.destroy();
});

test('a taken port is an error with its code', async () => {
  const { port } = await start();
  await assert.rejects(startAgent({ host: '127.0.0.1', port, clock: new FakeClock() }), { code: 'EADDRINUSE' });
});

test('closing does not wait for idle connections', async () => {
  const { get } = await start();
  await (await get('/load')).text();
  await agent!.close();
  await assert.rejects(get('/load'));
});

for (const trial of [false, true])
  test(`a client ${trial ? 'of a trial learns that no simulation runs there' : 'finds no WebSocket'}`, async () => {
    const { port } = await start({ trial });
    const client = new WebSocket(`ws://127.0.0.1:${port}/client`);
    const outcome = await new Promise((resolve) => {
      client.once('message', (data: Buffer) => resolve(data.toString('utf8')));
      client.once('unexpected-response', (request, { statusCode }) => {
        request.destroy();
        resolve(statusCode);
      });
    });
    client.on('error', () => undefined).terminate();
    assert.equal(outcome, trial ? 'error: This is a load agent for trials. It runs no simulations.' : 404);
  });

/** Sends bytes and gives everything that comes back until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(request);
  await once(socket, 'close');
  return answer;
}
