/** Headers near the limits, through a real nginx and a real Caddy before the gateway: they arrive whole, or the answer says what is too long. */
import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startAppInside } from '../support/start-app.ts';
import { caddy, nginx, startWebServer, type WebServer } from './web-server.ts';

const LIMIT = 65_536;

/** Each forwards everything, and has a higher limit than the gateway. */
const reverseProxies: readonly (readonly [WebServer, (port: number, gateway: number) => string])[] = [
  [
    nginx,
    (port, gateway) => `
      large_client_header_buffers 8 128k;
      proxy_buffer_size 256k;
      proxy_buffers 4 256k;
      proxy_busy_buffers_size 512k;
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${gateway}; proxy_http_version 1.1; } }`,
  ],
  // Caddy speaks plain HTTP on its HTTP port only.
  [
    { ...caddy, prepare: (folder, site, { http, https }) => caddy.prepare(folder, site, { http: https, https: http }) },
    (port, gateway) => `http://:${port} {\n  reverse_proxy 127.0.0.1:${gateway}\n}\n`,
  ],
];

/** Answers with as many headers as the path says, each of about 50 bytes, and remembers what it was asked. */
async function simulationServer(t: TestContext) {
  const requests: IncomingMessage[] = [];
  const server = createServer({ maxHeaderSize: 1_000_000 }, (incoming, response) => {
    requests.push(incoming);
    const count = Number(/\d+$/.exec(incoming.url ?? '')?.[0] ?? 0);
    response.writeHead(200, [...headers(count), 'X-Last', 'yes', 'Content-Length', '4']).end('page');
  });
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, requests };
}

/** Names and values in turn. */
function headers(count: number, length = 30): string[] {
  return Array.from({ length: count }, (_, i) => [`X-Filler-${i}`, 'x'.repeat(length)]).flat();
}

function ask(port: number, path: string, sent: readonly string[] = []) {
  return inTime(
    `an answer to ${path}`,
    new Promise<{ response: IncomingMessage; body: string }>((resolve, reject) => {
      const outgoing = request({
        ...{ host: '127.0.0.1', port, path, maxHeaderSize: 1_000_000, agent: false },
        headers: ['Host', 'localhost', ...sent],
      });
      outgoing.maxHeadersCount = 0;
      outgoing.once('error', reject).once('response', (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.once('end', () => resolve({ response, body }));
      });
      outgoing.end();
    }),
  );
}

for (const [webServer, siteOf] of reverseProxies)
  test(`headers near the limits of the gateway pass ${webServer.name} whole, and longer ones get an error`, async (t) => {
    const { port: inside, requests } = await simulationServer(t);
    const gateway = await startAppInside(t, {
      limits: { headerBytes: LIMIT },
      gateway: { enabled: true, port: 0, routes: { [String(inside)]: '127.0.0.1' }, limits: { headerBytes: LIMIT } },
    });
    const ports = { http: await freePort(), https: await freePort() };
    await startWebServer(t, webServer, siteOf(ports.https, gateway.port), ports);

    const long = await ask(ports.https, `/${inside}/0`, [...headers(900), 'X-Last', 'yes']);
    assert.deepEqual([long.response.statusCode, long.body], [200, 'page']);
    const [received] = requests;
    assert.equal(received?.headers['x-last'], 'yes');
    assert.equal(Object.keys(received.headers).filter((name) => name.startsWith('x-filler-')).length, 900);

    assert.equal((await ask(ports.https, `/${inside}/0`, headers(900, 80))).response.statusCode, 431);
    assert.equal(requests.length, 1);

    const { response, body } = await ask(ports.https, `/${inside}/1200`);
    assert.deepEqual([response.statusCode, body, response.headers['x-last']], [200, 'page', 'yes']);
    assert.equal(Object.keys(response.headers).filter((name) => name.startsWith('x-filler-')).length, 1200);

    const tooLong = await ask(ports.https, `/${inside}/2000`);
    assert.equal(tooLong.response.statusCode, 502);
    assert.match(tooLong.body, /The simulation server sent no valid response/);
    assert.match(gateway.log.complaints.join('\n'), /its response headers are too long/);
  });
