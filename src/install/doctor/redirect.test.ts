import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { settingsOf } from '../../../test/support/settings.ts';
import { temporary } from '../../../test/support/start-program.ts';
import { createRedirect } from '../../http/gateway/redirect.ts';
import { examineRedirect } from './redirect.ts';

async function listen(t: TestContext, handle: RequestListener): Promise<number> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

function redirectOf(acmeDir: string): RequestListener {
  return createRedirect({ host: () => 'w.example.org', acmeDir: () => acmeDir }).handle;
}

async function examine(redirectFrom: number, acmeDir: string, enabled = true) {
  const findings = await examineRedirect(settingsOf({ gateway: { enabled, redirectFrom, acmeDir } }), {
    host: '127.0.0.1',
    timeout: 3,
  });
  return findings.map(({ check, level, text, fix = '' }) => ({ finding: `${check} ${level}`, text, fix }));
}

test('a redirect and a proof that is served are well, and nothing is left behind', async (t) => {
  const folder = temporary(t);
  const findings = await examine(await listen(t, redirectOf(folder)), folder);
  assert.deepEqual(
    findings.map(({ finding }) => finding),
    ['port ok', 'challenge ok'],
  );
  assert.deepEqual(readdirSync(folder), []);
});

test('folders of certbot stay', async (t) => {
  const folder = temporary(t);
  const challenges = join(folder, '.well-known', 'acme-challenge');
  mkdirSync(challenges, { recursive: true });
  await examine(await listen(t, redirectOf(folder)), folder);
  assert.ok(existsSync(challenges));
});

test('a port that is closed is a fault, and says that no certificate will be renewed', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const [only, ...others] = await examine(port, temporary(t));
  assert.equal(others.length, 0);
  assert.equal(only?.finding, 'port fault');
  assert.match(only.text, /nothing listens there; .*not renewed/);
  assert.match(only.fix, /firewall/);
});

test('another program at the port is a fault', async (t) => {
  const port = await listen(t, (_, response) => response.end('It works!'));
  const [only] = await examine(port, temporary(t));
  assert.equal(only?.finding, 'port fault');
  assert.match(only.fix, /ss -tlnp/);
});

test('a folder that is not the one that is served, or is not there, is a fault', async (t) => {
  const port = await listen(t, redirectOf(temporary(t)));
  const folder = temporary(t);
  assert.equal((await examine(port, folder))[1]?.finding, 'challenge fault');
  const missing = (await examine(port, join(folder, 'missing')))[1];
  assert.equal(missing?.finding, 'challenge fault');
  assert.match(missing.fix, /install -d/);
});

test('without the gateway it is the business of the web server', async () => {
  assert.deepEqual(await examine(1, '/nowhere', false), []);
});
