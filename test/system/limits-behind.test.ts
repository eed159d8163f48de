/**
 * The limits of the session server as clients meet them through a real nginx and a real Caddy, whose own limits are higher: whatever passes the reverse
 * proxy is limited as configured, and the client sees the answer. Headers of simulation servers: `gateway-behind.test.ts`.
 */
import assert from 'node:assert/strict';
import { Agent, createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, after, describe, test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { PerClientCounts } from '../../src/core/limits/per-client-counts.ts';
import { startHttpServer, type HttpServer } from '../../src/http/server/server.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside, type RunningApp } from '../support/start-app.ts';
import { caddy, nginx, startWebServer, type WebServer } from './web-server.ts';

const TOKEN = 'the token of a reader';
const HEADER_BYTES = 65_536;
const BODY_BYTES = 65_536;
/** Headers that a reverse proxy adds. */
const ADDED = 500;
/** More than the operating system keeps for the connections from the server to the client. */
const MUCH = Buffer.alloc(67_108_864, 'x');

/** The ports behind a reverse proxy: of the gateway, and of a bare server with short times at `/bare/`. */
interface Inside {
  readonly gateway: number;
  readonly bare: number;
}

/** `lines`: headers that it accepts; nginx has a maximum of 1,000 lines. */
const reverseProxies: readonly (readonly [WebServer, lines: number, (port: number, inside: Inside) => string])[] = [
  [
    nginx,
    900,
    (port, { gateway, bare }) => `
      large_client_header_buffers 8 128k;
      client_max_body_size 0;
      keepalive_requests 100000;
      upstream gateway { server 127.0.0.1:${gateway}; keepalive 1; keepalive_requests 100000; }
      upstream bare { server 127.0.0.1:${bare}; keepalive 1; }
      map $http_upgrade $session_connection { default upgrade; "" ""; }
      server {
        listen 127.0.0.1:${port};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $session_connection;
        proxy_request_buffering off;
        proxy_buffering off;
        location / { proxy_pass http://gateway; }
        location /bare/ { proxy_pass http://bare; }
      }`,
  ],
  // Caddy speaks plain HTTP on its HTTP port only.
  [
    { ...caddy, prepare: (folder, site, { http, https }) => caddy.prepare(folder, site, { http: https, https: http }) },
    2000,
    (port, { gateway, bare }) => `http://:${port} {
      reverse_proxy /bare/* 127.0.0.1:${bare} { 
        flush_interval -1
      }
      reverse_proxy 127.0.0.1:${gateway}
    }\n`,
  ],
];

// What `before` starts is ended after the last test, the youngest first.
const endings: (() => unknown)[] = [];
const scope = { after: (done: () => unknown) => void endings.unshift(done) };
const received: IncomingMessage[] = [];
let running: RunningApp;
let bare: HttpServer;
let simulationServer: number;

before(async () => {
  const server = createServer((incoming, response) => {
    received.push(incoming);
    response.writeHead(200, [...same(), 'Content-Length', '2']).end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(() => server.close());
  simulationServer = (server.address() as AddressInfo).port;
  running = await startAppInside(scope, {
    limits: { headerBytes: HEADER_BYTES, bodyBytes: BODY_BYTES },
    monitor: { access: 'token' },
    admin: { tokens: [{ name: 'reader', hash: hashOf(TOKEN), readOnly: true }] },
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, routes: { [String(simulationServer)]: '127.0.0.1' } },
  });
  bare = await startHttpServer({
    ...{ host: '127.0.0.1', port: 0, limits: { headerBytes: HEADER_BYTES, headerTimeout: 1 }, maxClients: () => 100 },
    ...{ requestTimeout: 1, unreadTimeout: 1, keepAlive: 0.2, handle: answerBare },
    addressOf: () => ({ address: '127.0.0.1', limitKey: undefined }),
    places: { peerKey: () => undefined, isPrivileged: () => false, shares: new PerClientCounts() },
    ...{ upgrade: () => undefined, turnedAway: () => undefined },
  });
  scope.after(() => bare.close(0));
});

after(async () => {
  for (const end of endings) await end();
});

/** At `/bare/much…` the answer is long; any other answer waits for the body of the request. */
const answerBare: RequestListener = (incoming, response) => {
  received.push(incoming);
  if (incoming.url?.startsWith('/bare/much') === true) response.end(MUCH);
  else incoming.resume().once('end', () => response.end('here'));
};

/** Sixteen headers with one name. */
function same(): string[] {
  return Array.from({ length: 16 }, (_, i) => ['X-Same', String(i)]).flat();
}

/** In turn with their values, so many bytes with what stands between them. */
function headersOf(bytes: number): string[] {
  const headers: string[] = [];
  for (let left = bytes; left > 0; left -= 1024) headers.push(`X-${left}`.padEnd(10, '-'), 'x'.repeat(Math.min(1024, left) - 14));
  return headers;
}

for (const [webServer, lines, siteOf] of reverseProxies)
  describe(webServer.name, () => {
    let port: number;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });

    before(async () => {
      port = await freePort();
      const ports = { http: await freePort(), https: port };
      await startWebServer(scope, webServer, siteOf(port, { gateway: running.port, bare: bare.port }), ports);
      scope.after(() => agent.destroy());
    });

    interface Sent {
      readonly method?: string;
      readonly headers?: readonly string[];
      readonly body?: string;
      readonly agent?: Agent;
    }

    function ask(path: string, { method = 'GET', headers = [], body, ...more }: Sent = {}) {
      return inTime(
        `an answer to ${path}`,
        new Promise<{ status: number | undefined; body: string; rawHeaders: string[] }>((resolve, reject) => {
          const all = ['Host', 'localhost', ...headers, ...(body === undefined ? [] : ['Content-Length', String(body.length)])];
          const outgoing = request({ host: '127.0.0.1', port, path, method, headers: all, agent: false, ...more });
          outgoing.once('error', reject).once('response', (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part: string) => (text += part));
            response.once('end', () => resolve({ status: response.statusCode, body: text, rawHeaders: response.rawHeaders }));
          });
          outgoing.end(body);
        }),
      );
    }

    const arrival = (path: string) => eventually('it to arrive', () => received.some(({ url }) => url === path));
    const token = ['Authorization', `Bearer ${TOKEN}`];

    test('headers just below limits.headerBytes are accepted, and longer ones get 431', async () => {
      const fits = await ask('/api/v1/servers', { headers: [...headersOf(HEADER_BYTES - ADDED - 200), ...token] });
      assert.equal(fits.status, 200);
      const { status, body } = await ask('/api/v1/servers', { headers: [...headersOf(HEADER_BYTES + 1024), ...token] });
      assert.equal(status, 431);
      assert.match(body, /limits\.headerBytes/);
    });

    test(`none of ${lines} headers is lost`, async () => {
      const many = Array.from({ length: lines }, (_, i) => [`X-${i}`, 'x']).flat();
      assert.equal((await ask('/api/v1/servers', { headers: [...many, ...token] })).status, 200);
    });

    test('sixteen headers with one name stay sixteen, in both directions', async () => {
      const count = (raw: readonly string[]) => raw.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-same').length;
      const { status, rawHeaders } = await ask(`/${simulationServer}/x`, { headers: same() });
      assert.deepEqual([status, count(rawHeaders), count(received.at(-1)?.rawHeaders ?? [])], [200, 16, 16]);
    });

    test('a body of limits.bodyBytes is read, and a longer one gets 413, with a length or in chunks', async () => {
      const sends = (bytes: number, ...headers: string[]): Sent => ({
        ...{ method: 'POST', body: '{'.padEnd(bytes - 1) + '}' },
        headers: ['Content-Type', 'application/json', ...headers],
      });
      assert.equal((await ask('/api/v1/sessions', sends(BODY_BYTES))).status, 503, 'there is no server');
      const { status, body } = await ask('/api/v1/sessions', sends(BODY_BYTES + 1));
      assert.deepEqual([status, (JSON.parse(body) as { code: string }).code], [413, 'too-large']);
      const chunk = `${(BODY_BYTES + 1).toString(16)}\r\n${'x'.repeat(BODY_BYTES + 1)}\r\n0\r\n\r\n`;
      const chunked = new RawConnection(scope, port);
      const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
      chunked.send(requestText('POST /api/v1/sessions', ...headers) + chunk);
      assert.equal((await chunked.response()).status, 413);
    });

    for (const [path, max] of [
      ['/', 4096],
      ['/relay/client', 262_144],
    ] as const)
      test(`a message of more than ${max} bytes ends a WebSocket at ${path} with 1009`, async () => {
        const client = await new SocketClient(scope, `ws://127.0.0.1:${port}${path}`).open();
        client.socket.send('x'.repeat(max + 1));
        assert.equal((await client.ends()).code, 1009);
      });

    test('a connection may carry as many requests as its client likes', async () => {
      for (let i = 0; i < 300; i += 1) assert.equal((await ask('/livez', { agent })).status, 200);
    });

    test('a connection that the server closes because it idles costs no request', async () => {
      for (let i = 0; i < 3; i += 1) {
        assert.equal((await ask('/bare/x', { agent })).body, 'here');
        await eventually('the end of the idle connection', () => bare.connections() === 0);
      }
    });

    test('a body that stalls leaves no connection behind', async () => {
      new RawConnection(scope, port).send(requestText(`POST /bare/stalls/${webServer.name}`, 'Content-Length: 100') + 'x');
      await arrival(`/bare/stalls/${webServer.name}`);
      await eventually('no connection is left', () => bare.connections() === 0);
    });

    test('a client that reads nothing of a long answer leaves no connection behind', async () => {
      const silent = new RawConnection(scope, port).send(requestText(`GET /bare/much/${webServer.name}`));
      silent.socket.pause();
      await arrival(`/bare/much/${webServer.name}`);
      await eventually('no connection is left', () => bare.connections() === 0);
    });
  });
