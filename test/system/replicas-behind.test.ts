/**
 * Replicas behind real reverse proxies with the sites that `setup replicas` writes, and a browser: the leader dies, and people go on. Needs Debian's packages
 * `redis-server`, `nginx`, `haproxy` and `caddy`: `npm run test:system`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { hashOf } from '../../src/config/token.ts';
import { caddyfile, haproxyBackend, nginxSite } from '../../src/install/setup/site-files.ts';
import { openPage } from '../support/browser-page.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startProgram, temporary, type Program } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';
import { caddy, nginx, requireProgram, startWebServer, type WebServer } from './web-server.ts';

const HAPROXY = '/usr/sbin/haproxy';
const TOKEN = 'sst_a-token-of-ada';
/** Seconds: a page, three proxies and a takeover on a busy machine. */
const PATIENCE = 60;

async function startHaproxy(t: TestContext, replicas: readonly string[]): Promise<string> {
  requireProgram(HAPROXY, 'haproxy');
  const port = await freePort();
  const configuration = join(temporary(t), 'haproxy.cfg');
  const timeouts = ['connect 2s', 'client 60s', 'server 60s', 'tunnel 1h'].map((text) => `  timeout ${text}\n`).join('');
  const frontend = `frontend all\n  bind 127.0.0.1:${port}\n  default_backend session-server\n`;
  writeFileSync(configuration, `defaults\n  mode http\n${timeouts}${frontend}${haproxyBackend(replicas)}`);
  const child = spawn(HAPROXY, ['-db', '-f', configuration], { stdio: 'ignore' });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return `http://127.0.0.1:${port}`;
}

/** URLs of the site by proxy. */
async function startProxies(t: TestContext, programs: readonly Program[]): Promise<readonly string[]> {
  const replicas = programs.map(({ port }) => `127.0.0.1:${port}`);
  const site = (http: number) => ({ server: 'localhost', port: 1999, replicas, routes: [], listen: { http, https: http } });
  const [first, second, unused] = [await freePort(), await freePort(), await freePort()];
  await startWebServer(t, nginx, nginxSite(site(first), []), { http: first, https: first });
  const plain: WebServer = {
    ...caddy,
    prepare: (folder, text) => caddy.prepare(folder, text, { http: second, https: unused }),
  };
  await startWebServer(t, plain, caddyfile(site(second)), { http: second, https: second });
  return [`http://localhost:${first}`, `http://localhost:${second}`, await startHaproxy(t, replicas)];
}

/** A page of the original: it shows the availability, and connects again whenever its connection ends. */
class OriginalPage {
  availability = '';
  connections = 0;
  readonly #url: string;
  #socket: WebSocket | undefined;
  #ended = false;

  constructor(t: TestContext, url: string) {
    this.#url = url.replace('http', 'ws');
    t.after(() => {
      this.#ended = true;
      this.#socket?.terminate();
    });
    this.#connect();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('open', () => (this.connections += 1));
    socket.on('message', (data: Buffer) => (this.availability = data.toString()));
    socket.on('close', () => {
      this.availability = '';
      if (!this.#ended) setTimeout(() => this.#connect(), 100);
    });
  }
}

const askForSession = async (url: string) => (await fetch(`${url}/session`)).text();

test('a waiting page, a sign-in, and clients of the original survive the death of the leader behind nginx, Caddy and HAProxy', async (t) => {
  const redis = await RedisServer.start(t);
  const simulation = await startSimulationServer(t, 99);
  const start = (name: string) =>
    startProgram(t, {
      simulationServers: [simulation.address],
      ...{ pollInterval: 0.5, pollTimeout: 0.4, waiting: { resume: 300 } },
      admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] },
      replicas: { store: redis.url, name },
    });
  const programs = await Promise.all(['a', 'b'].map(start));
  const leader = await eventually('a leader', async () => {
    for (const program of programs) if ((await program.get('/readyz').catch(() => '')) === 'ok\n') return program;
    return undefined;
  });
  const proxies = await startProxies(t, programs);
  const [, , haproxy = ''] = proxies;
  for (const url of proxies)
    await eventually(
      'the proxy',
      () =>
        fetch(`${url}/load`).then(
          ({ ok }) => ok,
          () => false,
        ),
      PATIENCE,
    );
  const originals = proxies.map((url) => new OriginalPage(t, url));
  await eventually('all pages know that there is no room', () => originals.every(({ availability }) => availability === '0'));

  const expected = /WebSocket|Failed to load resource|503|502/;
  const waiting = await openPage(t, `${haproxy}/session`, { still: true, expected });
  await eventually('its place', async () => (await waiting.locator('#rank').innerText()) === '1', PATIENCE);
  const monitor = await openPage(t, `${haproxy}/monitor`, { expected });
  await monitor.getByRole('button', { name: 'Sign in' }).click();
  await monitor.getByLabel(/^Sign in with a token/).fill(TOKEN);
  await monitor.keyboard.press('Enter');
  const who = () =>
    monitor.evaluate(async () => ((await (await fetch('monitor/viewer')).json()) as { name: string | null }).name);
  await eventually('she is signed in', async () => (await who()) === 'ada', PATIENCE);
  await monitor
    .getByRole('region', { name: 'Replicas' })
    .getByText(/follows/)
    .waitFor();

  const before = originals.map(({ connections }) => connections);
  leader.signal('SIGKILL');
  await eventually(
    'the pages of the original are back',
    () => originals.every(({ availability, connections }, i) => availability === '0' && connections > (before[i] ?? 0)),
    PATIENCE,
  );
  for (const url of proxies) assert.match(await askForSession(url), /^Error: /);
  await eventually('she is still signed in', async () => (await who().catch(() => '')) === 'ada', PATIENCE);
  await eventually(
    'the page is in line again',
    async () => !(await waiting.getByText('Your place in line is kept').isVisible()),
    PATIENCE,
  );
  assert.equal(await waiting.locator('#rank').innerText(), '1');
  simulation.report(5);
  await waiting.getByText('A machine is free.').waitFor({ timeout: PATIENCE * 1000 });
  await eventually(
    'the pages of the original know it',
    () => originals.every(({ availability }) => availability === '1'),
    PATIENCE,
  );
  for (const url of proxies) assert.equal(await askForSession(url), `ws://${simulation.address}`);
});
