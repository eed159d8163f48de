import assert from 'node:assert/strict';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { examineSite, mixedContent, portOf } from './site.ts';

const options = { timeout: 3, wallTime: () => Date.now() / 1000, reverseProxy: 'unknown' } as const;

async function certificateOf(t: TestContext, made: Parameters<typeof makeCertificate>[0]) {
  const server = createServer(makeCertificate(made), (_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const findings = await examineSite(new URL(`https://localhost:${port}`), options);
  return findings.find(({ check }) => check === 'certificate');
}

test('a certificate that is over is a fault with its fix', async (t) => {
  const finding = await certificateOf(t, { names: ['localhost'], days: -3 });
  assert.equal(finding?.level, 'fault');
  assert.match(finding.text, /^expired on /);
  assert.match(finding.fix ?? '', /certbot renew/);
});

test('a certificate that no authority signed is a fault', async (t) => {
  const finding = await certificateOf(t, { names: ['localhost'] });
  assert.equal(finding?.level, 'fault');
  assert.match(finding.text, /DEPTH_ZERO_SELF_SIGNED_CERT/);
  assert.match(finding.fix ?? '', /Let's Encrypt/);
});

test('plain sockets handed out to https pages are a fault, and the reverse a warning', () => {
  const level = (page: string, url: string) => mixedContent(new URL(page), url).level;
  assert.equal(level('https://a', 'ws://a/2000'), 'fault');
  assert.equal(level('https://a', 'wss://a/2000'), 'ok');
  assert.equal(level('http://a', 'ws://a/2000'), 'ok');
  assert.equal(level('http://a', 'wss://a/2000'), 'warning');
});

test("the port of a site is its scheme's own when none is written", () => {
  assert.deepEqual(
    ['https://a', 'http://a', 'https://a:8443'].map((url) => portOf(new URL(url))),
    [443, 80, 8443],
  );
});

test('a clock that is wrong is a warning that says by how much', async (t) => {
  for (const [off, level] of [
    [3600, 'warning'],
    [-3600, 'warning'],
    [0, 'ok'],
  ] as const) {
    const server = createPlainServer((_, response) => {
      response.setHeader('Date', new Date(Date.now() + off * 1000).toUTCString()).end('ok');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const finding = (await examineSite(new URL(`http://127.0.0.1:${port}`), options)).find(({ check }) => check === 'clock');
    assert.equal(finding?.level, level);
    if (level === 'ok') continue;
    // The header has whole seconds.
    assert.match(finding.text, /by (?:359[89]|360[012]) s/);
    assert.match(finding.fix ?? '', /timedatectl set-ntp true/);
  }
});

test('a fault of the gateway is not fixed by the rules of a web server', async (t) => {
  const server = createPlainServer((_, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const fixWith = async (reverseProxy: 'gateway' | 'web-server') => {
    const findings = await examineSite(new URL(`http://127.0.0.1:${port}`), { ...options, reverseProxy });
    return findings.find(({ check }) => check === 'site')?.fix ?? '';
  };
  assert.doesNotMatch(await fixWith('gateway'), /apache|nginx/);
  assert.match(await fixWith('web-server'), /setup apache/);
});

test('a reverse proxy that forwards only the paths of the original is a warning that names the others', async (t) => {
  const server = createPlainServer(({ url }, response) => response.writeHead(url === '/load' ? 200 : 404).end('5'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const findings = await examineSite(new URL(`http://127.0.0.1:${port}`), options);
  const site = findings.find(({ check }) => check === 'site');
  assert.equal(site?.level, 'warning');
  assert.match(site.text, /does not forward \/livez, \/readyz, \/api\/v1\/availability$/);
  assert.equal(findings.find(({ check }) => check === 'websocket')?.level, 'fault', 'the other checks follow');
});
