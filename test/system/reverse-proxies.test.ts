/**
 * The same requests through each web server that `session-server setup` writes a site for. Needs Debian's packages `apache2`, `nginx` and `caddy`, so it is not among what `npm
 * test` runs: `npm run test:system`.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { hashOf } from '../../src/config/token.ts';
import type { ReverseProxy } from '../../src/install/setup/reverse-proxy.ts';
import { apacheSite, caddyfile, nginxSite } from '../../src/install/setup/site-files.ts';
import { makeCertificate } from '../support/certificate.ts';
import { ClientSocketServer } from '../support/client-socket-server.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram, temporary, type Program } from '../support/start-program.ts';
import { apache, caddy, nginx, startWebServer, type WebServer } from './web-server.ts';

const FORGED = '203.0.113.66';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const reverseProxies: readonly (readonly [WebServer, (reverseProxy: ReverseProxy) => string])[] = [
  [apache, apacheSite],
  [nginx, (reverseProxy) => nginxSite(reverseProxy, ['127.0.0.1'])],
  [caddy, caddyfile],
];

for (const [webServer, siteOf] of reverseProxies) {
  describe(webServer.name, () => {
    // What `before` starts is ended after the last test, the youngest first.
    const endings: (() => Promise<void>)[] = [];
    const scope = { after: (done: () => Promise<void>) => void endings.unshift(done) };
    after(async () => {
      for (const end of endings) await end();
    });
    const certificate = makeCertificate({ names: ['localhost'] });
    let first: ClientSocketServer;
    let second: ClientSocketServer;
    let elsewhere: ClientSocketServer;
    let program: Program;
    let ports: { http: number; https: number };
    let operators: URL;

    before(async () => {
      const folder = temporary(scope);
      [first, second, elsewhere] = await Promise.all([
        ClientSocketServer.start(scope),
        ClientSocketServer.start(scope, { host: '127.0.0.2' }),
        ClientSocketServer.start(scope),
      ]);
      first.load = 11;
      second.load = 22;
      operators = new URL(`https://localhost:${await freePort()}`);
      program = await startProgram(scope, {
        simulationServers: [first.address],
        allocation: { cost: 0.3, learning: false },
        monitor: { title: 'Through a reverse proxy', origin: operators.origin },
        admin: { tokens: [{ name: 'ada', hash: hashOf('x'.repeat(30)) }] },
      });
      const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), own: true };
      writeFileSync(tls.cert, certificate.cert);
      writeFileSync(tls.key, certificate.key);
      ports = { http: await freePort(), https: await freePort() };
      const routes = [
        { first: first.port, last: first.port, host: 'localhost' },
        { first: second.port, last: second.port, host: '127.0.0.2' },
        { first: program.port, last: program.port, host: '127.0.0.1' },
      ];
      await startWebServer(
        scope,
        webServer,
        siteOf({ server: 'localhost', port: program.port, routes, tls, listen: ports, operators }),
        ports,
      );
      await eventually('the load', async () => (await program.get('/load')) === '11');
    });

    function ask(
      path: string,
      headers: Readonly<Record<string, string>> = {},
      secure = true,
      sends?: string,
      port?: number,
    ): Promise<Answer> {
      const options = {
        method: sends === undefined ? 'GET' : 'POST',
        host: '127.0.0.1',
        port: port ?? (secure ? ports.https : ports.http),
        path,
        headers: { Host: 'localhost', ...headers },
      };
      return inTime(
        `an answer to ${path}`,
        new Promise((resolve, reject) => {
          const sent = secure
            ? requestTls({ ...options, ca: certificate.cert, servername: 'localhost', agent: false })
            : request({ ...options, agent: false });
          sent.once('response', (response) => {
            let body = '';
            response.setEncoding('utf8').on('data', (text: string) => (body += text));
            response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
          });
          sent.once('error', reject).end(sends);
        }),
      );
    }

    /** Resolves with the first message; `say` is sent then, and its echo is waited for. */
    async function open(path: string, say?: string): Promise<readonly string[]> {
      const socket = new WebSocket(`wss://localhost:${ports.https}${path}`, {
        ca: certificate.cert,
        lookup: (_host, options, done) => {
          if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
          else done(null, '127.0.0.1', 4);
        },
        headers: { 'X-Forwarded-For': FORGED },
      });
      try {
        const messages: string[] = [];
        await inTime(
          `messages on ${path}`,
          new Promise<void>((resolve, reject) => {
            socket.once('error', reject);
            socket.on('message', (data: Buffer) => {
              messages.push(data.toString('utf8'));
              if (messages.length === 1 && say !== undefined) socket.send(say);
              else resolve();
            });
          }),
        );
        return messages;
      } finally {
        socket.terminate();
      }
    }

    test('hands out sessions', async () => {
      const { status, headers, body } = await ask('/session?url=https://github.com/owner/name/blob/main/worlds/w.wbt');
      assert.deepEqual([status, body], [200, `ws://${first.address}`]);
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal((await ask('/')).body, '1');
      assert.equal((await ask('/load')).body, '11');
    });

    test('shows the monitor page and its parts', async () => {
      const { status, body } = await ask('/monitor');
      assert.equal(status, 200);
      assert.match(body, /Through a reverse proxy/);
      assert.equal((await ask(`/${program.port}/monitor`)).status, 200, 'as links in e-mails have it');
      assert.equal((await ask('/api/v1/availability')).status, 200);
      assert.equal((await ask(`/api/v1/servers/${encodeURIComponent(first.address)}`)).status, 200);
      assert.equal((await ask('/livez')).status, 200);
    });

    test('opens the WebSockets of the session server', async () => {
      assert.deepEqual(await open('/'), ['1']);
      assert.deepEqual(await open('/session'), [`ws://${first.address}`]);
    });

    test('passes requests on to the machine that has the port, with path and query as they are', async () => {
      assert.equal((await ask(`/${first.port}/load`)).body, '11');
      assert.equal((await ask(`/${second.port}/load`)).body, '22');
      assert.equal((await ask(`/${first.port}/monitor`)).body, 'GET /monitor');
      assert.equal((await ask(`/${first.port}`)).body, 'GET /');
      assert.equal((await ask(`/${first.port}?size=1`)).body, 'GET /?size=1');
      // Caddy writes these by their numbers.
      assert.equal(decodeURIComponent((await ask(`/${first.port}/(a)'b'!$&*=`)).body), "GET /(a)'b'!$&*=");
      assert.equal(
        (await ask(`/${first.port}/textures/red%20brick.png?size=1%2F2&x=%26`)).body,
        'GET /textures/red%20brick.png?size=1%2F2&x=%26',
      );
    });

    test('forwards what is sent, however long', async () => {
      const { status, body } = await ask(`/${first.port}/upload`, {}, true, 'x'.repeat(3_000_000));
      assert.deepEqual([status, body], [200, 'POST /upload']);
    });

    for (const path of [
      '/a%2Fb',
      '/a%3Fb',
      '/a%3Fb?c=%3F',
      '/a%25b%23c',
      '//a//b/',
      '/',
      '/?x',
      '/a+b;c=d,e:f@g',
      '/a%5Cb%c3%A9%7Ef',
      '/a?b//c/../d?e%2f',
    ])
      test(`passes ${path} on letter for letter, to a simulation server and to the session server`, async () => {
        assert.deepEqual((await ask(`/${first.port}${path}`)).body, `GET ${path}`);
        assert.deepEqual(await open(`/${first.port}${path}`), [`loading: ${path}`]);
        // The session server knows no such path, but it is the one that says so.
        const { headers } = await ask(`/nowhere${path}`);
        assert.match(headers['content-type'] ?? '', /^text\/plain/);
      });

    test('opens the WebSockets of simulation servers and keeps them open', async () => {
      assert.deepEqual(await open(`/${first.port}/client`, 'start'), ['loading: /client', 'start']);
      assert.deepEqual(await open(`/${second.port}/client`), ['loading: /client']);
      assert.deepEqual(await open(`/${first.port}/`, 'x'.repeat(60_000)), ['loading: /', 'x'.repeat(60_000)]);
    });

    test('reaches no port but those of the fleet', async () => {
      const before = elsewhere.requests.length;
      for (const path of [
        `/${elsewhere.port}/load`,
        '/22/',
        '/1/',
        `/${first.port}0/load`,
        `/${first.port}@localhost:${elsewhere.port}/load`,
        `/${first.port}:${elsewhere.port}/load`,
      ])
        assert.equal((await ask(path)).status, 404, path);
      await assert.rejects(open(`/${elsewhere.port}/client`), /404/);
      await ask(`http://127.0.0.1:${elsewhere.port}/load`);
      assert.equal(elsewhere.requests.length, before);
    });

    test('says who asks, and does not believe clients that say so themselves', async () => {
      await ask(`/${first.port}/who`, { 'X-Forwarded-For': FORGED, 'X-Forwarded-Host': FORGED });
      const { headers } = first.requests.find(({ url }) => url === '/who') ?? {};
      assert.equal(headers?.['x-forwarded-for'], '127.0.0.1');
      assert.equal(headers['x-forwarded-proto'], 'https');
      assert.equal(headers['x-forwarded-host'], 'localhost');
      await ask('/session', { 'X-Forwarded-For': FORGED });
      assert.ok(!program.log.includes(FORGED), 'the session server saw the true address');
    });

    test('gives no cookie to a simulation server, takes none from it, and lets it change nothing outside of its path', async () => {
      const cookie = { Cookie: `theirs=1; session-server-${program.port}=secret` };
      first.headers = {
        'Set-Cookie': `session-server-${program.port}=forged`,
        'Clear-Site-Data': '"cookies"',
        'Service-Worker-Allowed': '/',
        'Strict-Transport-Security': 'max-age=1',
        'Alt-Svc': 'h2="evil.example:443"',
      };
      const { headers } = await ask(`/${first.port}/cookies`, cookie);
      first.headers = {};
      assert.equal(first.requests.find(({ url }) => url === '/cookies')?.headers.cookie, undefined);
      for (const name of ['set-cookie', 'clear-site-data', 'service-worker-allowed', 'strict-transport-security'])
        assert.equal(headers[name], undefined, name);
      assert.doesNotMatch(headers['alt-svc'] ?? '', /evil/);
    });

    test('serves operators on an origin of their own, where no simulation server is', async () => {
      const port = Number(operators.port);
      const at = (path: string) => ask(path, { Host: operators.host }, true, undefined, port);
      assert.equal((await at('/livez')).body, 'ok\n');
      assert.equal((await at('/monitor')).status, 200);
      assert.equal((await at(`/${first.port}/load`)).status, 404);
      const { headers } = await ask('/monitor/enter', { Host: operators.host, Origin: operators.origin }, true, 'token=x', port);
      assert.equal(headers.location, '../monitor?refused=token-wrong');
    });

    test('does not keep the events of the monitor page back', async () => {
      const sent = requestTls({
        ...{
          host: '127.0.0.1',
          port: ports.https,
          path: '/monitor/events',
          headers: { Host: 'localhost' },
          ca: certificate.cert,
          servername: 'localhost',
          agent: false,
        },
      });
      try {
        const event = new Promise<string>((resolve, reject) => {
          sent.once('error', reject).once('response', (response) => {
            response.setEncoding('utf8').once('data', resolve);
          });
          sent.end();
        });
        assert.notEqual(await inTime('the first event', event), '');
      } finally {
        sent.on('error', () => undefined).destroy();
      }
    });

    for (const path of ['/monitor?x=%20y', '/2000/a%20b%3Fc%2Fd%25%23', '//caf%C3%A9?'])
      test(`sends plain HTTP to HTTPS, ${path} letter for letter`, async () => {
        const { status, headers } = await ask(path, {}, false);
        assert.equal(status, 308);
        // Caddy takes it that browsers reach it at 443.
        const [origin = ''] = /^https:\/\/localhost(?::\d+)?/.exec(headers.location ?? '') ?? [];
        assert.match(origin, new RegExp(`^https://localhost(?::${ports.https})?$`));
        assert.equal(headers.location, `${origin}${path}`);
      });
  });
}
