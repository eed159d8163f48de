/** The configuration of HAProxy in the documentation, with a real HAProxy. Needs Debian's package `haproxy`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { makeCertificate } from '../support/certificate.ts';
import { ClientSocketServer } from '../support/client-socket-server.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram, temporary } from '../support/start-program.ts';
import { requireProgram } from './web-server.ts';

const HAPROXY = '/usr/sbin/haproxy';
const certificate = makeCertificate({ names: ['localhost', '127.0.0.1'] });

function exampleOfPage(): string {
  const page = readFileSync(new URL('../../docs/how-to/reverse-proxies.md', import.meta.url), 'utf8');
  return /```haproxy\n(.*?)```/s.exec(page)?.[1] ?? '';
}

/** Each text is in the example once, or the test fails. */
function replaced(example: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((text, [from, to]) => {
    assert.equal(text.split(from).length, 2, `the example has "${from}" once`);
    return text.replace(from, to);
  }, example);
}

interface Site {
  readonly first: ClientSocketServer;
  readonly second: ClientSocketServer;
  readonly elsewhere: ClientSocketServer;
  readonly ask: (
    path: string,
    options?: { readonly secure?: boolean; readonly headers?: Record<string, string> },
  ) => Promise<Answer>;
  readonly open: (path: string) => Promise<WebSocket>;
  readonly https: number;
}

interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly cookies: readonly string[] | undefined;
  readonly body: string;
}

/** `timeOut`: what the example has as time-outs of clients and servers, `timeout tunnel` excepted. */
async function startSite(t: TestContext, { timeOut = '60s' } = {}): Promise<Site> {
  requireProgram(HAPROXY, 'haproxy');
  const [first, second, elsewhere] = await Promise.all([
    ClientSocketServer.start(t),
    ClientSocketServer.start(t, { host: '127.0.0.2' }),
    ClientSocketServer.start(t),
  ]);
  first.load = 11;
  second.load = 22;
  const program = await startProgram(t, { simulationServers: [first.address] });
  const folder = temporary(t);
  const [http, https, operators] = [await freePort(), await freePort(), await freePort()];
  const pem = join(folder, 'webots.pem');
  writeFileSync(pem, certificate.cert + certificate.key);
  const configuration = join(folder, 'haproxy.cfg');
  writeFileSync(
    configuration,
    replaced(exampleOfPage(), {
      'bind :::80 v4v6': `bind 127.0.0.1:${http}`,
      'bind :::443 v4v6 ssl crt /etc/haproxy/webots.pem': `bind 127.0.0.1:${https} ssl crt ${pem}`,
      'bind :::8443 v4v6 ssl crt /etc/haproxy/webots.pem': `bind 127.0.0.1:${operators} ssl crt ${pem}`,
      '2000:2999': `${first.port}`,
      '3000:3999': `${second.port}`,
      '127.0.0.1:1999': `127.0.0.1:${program.port}`,
      '10.0.0.3': '127.0.0.2',
      'timeout client 60s': `timeout client ${timeOut}`,
      'timeout server 60s': `timeout server ${timeOut}`,
    }),
  );
  const child = spawn(HAPROXY, ['-db', '-f', configuration], { stdio: 'ignore' });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const ask: Site['ask'] = (path, { secure = true, headers = {} } = {}) => {
    const options = { ...{ host: '127.0.0.1', path, agent: false }, headers: { Host: 'localhost', ...headers } };
    const sent = secure
      ? requestTls({ ...options, port: https, ca: certificate.cert, servername: 'localhost' })
      : request({ ...options, port: http });
    return new Promise((resolve, reject) => {
      sent.once('error', reject).once('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => {
          const { location, 'set-cookie': cookies } = response.headers;
          resolve({ status: response.statusCode, location, cookies, body });
        });
      });
      sent.end();
    });
  };
  const open: Site['open'] = async (path) => {
    const socket = new WebSocket(`wss://127.0.0.1:${https}${path}`, { ca: certificate.cert });
    t.after(() => {
      socket.terminate();
    });
    const greeting = once(socket, 'message');
    await inTime(`the opening of ${path}`, once(socket, 'open'));
    await inTime(`a message on ${path}`, greeting);
    return socket;
  };
  await eventually('HAProxy and the load', async () => (await ask('/load').catch(() => undefined))?.body === '11', 20);
  return { first, second, elsewhere, ask, open, https };
}

test('the HAProxy of the documentation gives simulation servers no cookie and takes none', async (t) => {
  const { first, ask } = await startSite(t);
  first.headers = { 'Set-Cookie': 'session-server-1999=forged' };
  const { cookies } = await ask(`/${first.port}/cookies`, { headers: { Cookie: 'session-server-1999=secret' } });
  assert.equal(cookies, undefined);
  assert.equal(first.requests.find(({ url }) => url === '/cookies')?.headers.cookie, undefined);
});

test('the HAProxy of the documentation forwards to the session server and to the ports of the fleet', async (t) => {
  const { first, second, elsewhere, ask, open } = await startSite(t);
  assert.equal((await ask('/')).body, '1');
  assert.equal((await ask('/session')).body, `ws://${first.address}`);
  assert.equal((await ask('/monitor')).status, 200);
  assert.equal((await ask(`/${first.port}/load`)).body, '11');
  assert.equal((await ask(`/${second.port}/load`)).body, '22');
  assert.equal((await ask(`/${first.port}`)).body, 'GET /');
  assert.equal((await ask(`/${first.port}//a//b%20c/?d=%2F`)).body, 'GET //a//b%20c/?d=%2F');
  for (const path of [`/${elsewhere.port}/load`, '/22/', `/${first.port}0/load`, `/0${first.port}/load`, `/${first.port}:22/`])
    assert.equal((await ask(path)).status, 404, path);
  const redirect = await ask('/monitor?x=%20y', { secure: false });
  assert.deepEqual([redirect.status, redirect.location], [308, 'https://localhost/monitor?x=%20y']);
  await Promise.all([open('/'), open(`/${first.port}/client`), open(`/${second.port}/client`)]);
});

test('the HAProxy of the documentation names the client, whatever the client claims', async (t) => {
  const { first, ask } = await startSite(t);
  const forged = '203.0.113.66';
  await ask(`/${first.port}/who`, {
    headers: { 'X-Forwarded-For': forged, 'X-Forwarded-Host': forged, Forwarded: `for=${forged}` },
  });
  const { headers = {} } = first.requests.find(({ url }) => url === '/who') ?? {};
  assert.deepEqual(
    [headers['x-forwarded-for'], headers['x-forwarded-proto'], headers['x-forwarded-host'], headers['forwarded']],
    ['127.0.0.1', 'https', 'localhost', undefined],
  );
});

test('the HAProxy of the documentation keeps a silent session open longer than its other time-outs', async (t) => {
  const { first, open, https } = await startSite(t, { timeOut: '1s' });
  const session = await open(`/${first.port}/client`);
  // HAProxy closes it, silent for as long as the session, after the time-out of clients.
  const silent = connect({ host: '127.0.0.1', port: https, ca: certificate.cert, servername: 'localhost' });
  t.after(() => {
    silent.destroy();
  });
  silent.resume();
  await inTime('the end of a silent connection', once(silent, 'close'), 30);
  const echo = once(session, 'message') as Promise<[Buffer]>;
  session.send('still there');
  const [text] = await inTime('an answer in the session', echo);
  assert.equal(text.toString(), 'still there');
});
