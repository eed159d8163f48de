/** The gateway by TLS and beside it plain HTTP, as on ports 443 and 80. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { rawRequest, requestText } from '../support/raw-http.ts';
import { ScriptedSimulationServer, type ClientScript, type ScriptedOptions } from '../support/scripted-simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';
import { temporary } from '../support/start-program.ts';

const NAME = 'front.example';

async function front(t: TestContext, certificate = makeCertificate({ names: [NAME], days: 90 }), options?: ScriptedOptions) {
  const server = await ScriptedSimulationServer.start(t, options);
  const folder = temporary(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const write = ({ cert, key }: Partial<TestCertificate>) => {
    if (key !== undefined) writeFileSync(tls.key, key);
    if (cert !== undefined) writeFileSync(tls.cert, cert);
  };
  write(certificate);
  const challenges = join(folder, '.well-known', 'acme-challenge');
  mkdirSync(challenges, { recursive: true });
  const running = await startAppInside(t, {
    server: NAME,
    ssl: true,
    gateway: {
      ...{ enabled: true, port: 0, publicPort: 443, redirectFrom: 0, tls, acmeDir: folder },
      routes: { [String(server.port)]: '127.0.0.1' },
    },
  });
  const redirectPort = running.app.gateway?.redirectPort ?? assert.fail('nothing redirects');
  return { ...running, server, write, redirectPort, challenges, certificate };
}

async function opens(t: TestContext, port: number, more: { ca?: string; maxVersion?: SecureVersion } = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', servername: NAME, minVersion: 'TLSv1', ...more });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

async function fingerprintAt(t: TestContext, port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: NAME, rejectUnauthorized: false });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test('pages, WebSockets and the session server itself are there by TLS 1.2 and 1.3, proved by the certificate, and by nothing older', async (t) => {
  const { port, server, certificate } = await front(t);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await opens(t, port, { ca: certificate.cert, maxVersion });
    assert.equal(socket.getProtocol(), maxVersion);
    socket.write(requestText(`GET /${server.port}/textures/a.png`, 'Connection: close'));
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
    await once(socket, 'close');
    assert.match(received, /^HTTP\/1\.1 200 OK/);
    assert.match(received, /"X-Forwarded-Proto","https"/);
  }
  for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const)
    await assert.rejects(opens(t, port, { ca: certificate.cert, maxVersion }));
  const client = await new SocketClient(t, `wss://127.0.0.1:${port}/`, { insecure: true }).open();
  assert.equal(await client.message(1), '0');
});

test('a new certificate is served to new connections, and no open stream is dropped for it', async (t) => {
  const echo: ClientScript = ({ socket }) => {
    socket.on('message', (data: Buffer) => socket.send(data.toString('utf8')));
  };
  const { port, server, write } = await front(t, undefined, { script: echo });
  const stream = await new SocketClient(t, `wss://127.0.0.1:${port}/${server.port}/`, { insecure: true }).open();
  stream.socket.send('first');
  const before = await fingerprintAt(t, port);
  write(makeCertificate({ names: [NAME], days: 60 }));
  await eventually('the new certificate', async () => (await fingerprintAt(t, port)) !== before);
  stream.socket.send('second');
  await eventually('the open stream to go on', () => stream.messages.includes('second'));
});

test('the end of the certificate is in the metrics', async (t) => {
  const { app } = await front(t);
  const metrics = await (await fetch(`http://127.0.0.1:${app.port}/metrics`)).text();
  const until = Number(/^session_server_certificate_expiry_time_seconds (\S+)$/m.exec(metrics)?.[1]);
  assert.ok(Math.abs(until - Date.now() / 1000 - 90 * 86_400) < 2 * 86_400);
});

test('plain HTTP is redirected to HTTPS at the configured name, whatever the Host header says, for WebSockets too', async (t) => {
  const { redirectPort } = await front(t);
  for (const [target, location] of [
    ['/2000/a?b=c', `https://${NAME}/2000/a?b=c`],
    ['/', `https://${NAME}/`],
    ['http://evil.example/x', `https://${NAME}/`],
    ['//evil.example/x', `https://${NAME}//evil.example/x`],
  ] as const) {
    const answer = await rawRequest(t, redirectPort, `GET ${target} HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    assert.deepEqual([answer.status, answer.headers['location']], [308, location]);
  }
  const upgrade = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const answer = await rawRequest(t, redirectPort, requestText('GET /session', ...upgrade));
  assert.deepEqual([answer.status, answer.headers['location']], [308, `https://${NAME}/session`]);
});

test('plain HTTP answers challenges from their folder, and nothing else from any folder', async (t) => {
  const { redirectPort, challenges } = await front(t);
  writeFileSync(join(challenges, 'token-1_A'), 'token-1_A.proof');
  writeFileSync(join(challenges, 'with.dot'), 'secret');
  symlinkSync('/etc/hostname', join(challenges, 'link'));
  const base = '/.well-known/acme-challenge/';
  const found = await rawRequest(t, redirectPort, requestText(`GET ${base}token-1_A`));
  assert.deepEqual([found.status, found.body], [200, 'token-1_A.proof']);
  for (const name of ['missing', '', 'with.dot', 'link', '../../cert.pem', '..%2f..%2fcert.pem', 'token-1_A/', 'a'.repeat(300)]) {
    const answer = await rawRequest(t, redirectPort, requestText(`GET ${base}${name}`));
    assert.equal(answer.status, 404, name);
  }
});

test('a client that leaves gives back what is relayed for it, including requests behind another one', async (t) => {
  const { app, port, server, certificate } = await front(t, undefined, { page: () => undefined });
  const relaysNow = async () => {
    const { body } = await rawRequest(t, app.port, requestText('GET /metrics', 'Connection: close'));
    return Number(/^session_server_gateway_relays\{kind="requests"\} (\d+)$/m.exec(body)?.[1]);
  };
  const client = await opens(t, port, { ca: certificate.cert });
  client.write(requestText(`GET /${server.port}/x`).repeat(10));
  // Requests of one connection are handled one after the other.
  await eventually('the first of them to be relayed', async () => (await relaysNow()) === 1);
  client.destroy();
  await eventually('none to be left', async () => (await relaysNow()) === 0);
});
