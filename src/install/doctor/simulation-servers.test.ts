import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ClientSocketServer } from '../../../test/support/client-socket-server.ts';
import { settingsOf } from '../../../test/support/settings.ts';
import type { ConfigurationFile } from '../../config/schema.ts';
import type { Endpoint } from '../../core/fleet/endpoint.ts';
import { examineServers } from './simulation-servers.ts';

const options = { timeout: 3, now: () => performance.now() / 1000 };

/** Passes `/load` on and no WebSocket, as a web server without its rule for them. */
async function brokenReverseProxy(t: TestContext): Promise<number> {
  const server = createServer((_, response) => response.end('10'));
  server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function examine(t: TestContext, gateway: ConfigurationFile['gateway']) {
  const server = await ClientSocketServer.start(t);
  const { port } = server;
  // A reverse proxy has the port of its scheme; here it has a separate one.
  const address = `localhost:${await brokenReverseProxy(t)}/${port}`;
  const endpoint: Endpoint = { id: `localhost:${port}`, address, host: 'localhost', port, rewritten: true };
  const settings = settingsOf({ ssl: false, server: 'localhost', gateway: { routes: { [port]: '127.0.0.1' }, ...gateway } });
  return { server, findings: await examineServers(settings, [endpoint], options) };
}

test('a fault of the reverse proxy is distinguished from one of the simulation server', async (t) => {
  const { server, findings } = await examine(t, {});
  assert.deepEqual(
    findings.map(({ check, level, subject }) => `${check} ${level} ${subject.replace(/^\S+ /, '')}`),
    [
      'load ok directly',
      'client-socket ok directly',
      'load ok through the reverse proxy',
      'client-socket fault through the reverse proxy',
    ],
  );
  assert.match(findings[3]?.text ?? '', /status 403/);
  assert.match(findings[3]?.fix ?? '', /setup apache/);
  assert.equal(server.clients, 1);
});

test('through the gateway the fix is not one for a web server', async (t) => {
  const { findings } = await examine(t, { enabled: true });
  assert.match(findings[3]?.fix ?? '', /"gateway\.routes"/);
  assert.doesNotMatch(findings[3]?.fix ?? '', /apache|nginx/);
});

test('a server that is configured and joined as well is looked at once', async (t) => {
  const server = await ClientSocketServer.start(t);
  const settings = settingsOf({ ssl: false, simulationServers: [server.address] });
  const joined = settings.simulationServers.map(({ endpoint }) => endpoint);
  assert.equal((await examineServers(settings, joined, options)).length, 2);
});
