import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../../test/support/free-port.ts';
import { settingsOf } from '../../../test/support/settings.ts';
import { examineOperators } from './operators.ts';

async function serve(t: TestContext, handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a reverse proxy that gives simulation servers the cookie of the monitor page is found out', async (t) => {
  const port = await freePort();
  const settings = settingsOf({ gateway: { routes: { [String(port)]: 'localhost' } } });
  for (const [forwards, level] of [
    [true, 'warning'],
    [false, 'ok'],
  ] as const) {
    const site = await serve(t, ({ url = '', headers: { cookie } }, response) => {
      const headers = forwards && cookie !== undefined ? { cookie } : {};
      request({ port, path: url.replace(/^\/\d+/, ''), headers }, (answer) => answer.pipe(response)).end();
    });
    const findings = await examineOperators(new URL(site), settings, 5);
    assert.deepEqual(
      findings.map(({ check, level: found }) => [check, found]),
      [['cookies', level]],
    );
  }
});

test('the origin of operators must answer under its own name', async (t) => {
  const viewer = (signInAt: string | null) =>
    serve(t, (_, response) => {
      response.end(JSON.stringify({ signInAt }));
    });
  const gone = `http://127.0.0.1:${await freePort()}`;
  for (const [origin, level] of [
    [await viewer(null), 'ok'],
    [await viewer('https://webots.example.org:8443/monitor'), 'fault'],
    [gone, 'fault'],
  ] as const) {
    const [finding] = await examineOperators(new URL(origin), settingsOf({ portRewrite: false, monitor: { origin } }), 5);
    assert.deepEqual([finding?.check, finding?.level], ['operators', level], origin);
  }
});
