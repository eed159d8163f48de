import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { freePort } from '../../../test/support/free-port.ts';
import { ScriptedSimulationServer } from '../../../test/support/scripted-simulation-server.ts';
import { settingsOf } from '../../../test/support/settings.ts';
import { startAppInside } from '../../../test/support/start-app.ts';
import { isForOperators, operatorsPort } from './operators-port.ts';

const TLS = { cert: '/etc/cert.pem', key: '/etc/key.pem' };

test('the gateway listens for operators at another port of its own name, and nowhere else', () => {
  const port = (origin: string, gateway = {}) =>
    operatorsPort(settingsOf({ server: 'webots.example.org', monitor: { origin }, gateway: { tls: TLS, ...gateway } }));
  assert.equal(port('https://webots.example.org:8443'), 8443);
  assert.equal(port('https://webots.example.org'), undefined, 'the port that it has');
  assert.equal(port('https://webots.example.org', { port: 8443 }), 443);
  assert.equal(port('https://monitor.example.org:8443'), undefined, 'perhaps another program');
  assert.equal(port('http://webots.example.org:8080'), undefined, 'it speaks TLS');
});

test('a request is for operators by the name that the client asked for', () => {
  const to = (...rawHeaders: string[]) =>
    isForOperators({ rawHeaders } as unknown as IncomingMessage, 'https://monitor.example.org');
  assert.equal(to('host', 'Monitor.example.org'), true);
  assert.equal(to('Host', 'webots.example.org', 'X-Forwarded-Host', 'monitor.example.org'), false);
  assert.equal(to(), false);
});

test('where operators sign in, no simulation server can be reached, by another port or by another name', async (t) => {
  const server = await ScriptedSimulationServer.start(t);
  const port = await freePort();
  const { url } = await startAppInside(t, {
    monitor: { origin: `http://localhost:${port}` },
    gateway: { enabled: true, port: 0, routes: { [String(server.port)]: '127.0.0.1' } },
  });
  const status = async (origin: string, path: string) => (await fetch(origin + path)).status;
  assert.equal(await status(url, `/${server.port}/load`), 200);
  assert.equal(await status(`http://localhost:${port}`, '/livez'), 200);
  assert.equal(await status(`http://localhost:${port}`, `/${server.port}/load`), 404);
});
