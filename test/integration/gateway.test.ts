/** What the gateway forwards and what it refuses, with real sockets and hostile bytes. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { bareServer } from '../support/bare-server.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { ScriptedSimulationServer, type ScriptedOptions } from '../support/scripted-simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

type GatewayFile = NonNullable<ConfigurationFile['gateway']>;

/** A gateway with routes to these ports. */
async function gatewayTo(scope: TestContext, ports: readonly number[], more: GatewayFile = {}) {
  const routes = Object.fromEntries(ports.map((port) => [String(port), '127.0.0.1']));
  return startAppInside(scope, { gateway: { enabled: true, port: 0, routes, ...more } });
}

async function withServer(scope: TestContext, options: ScriptedOptions = {}, more: GatewayFile = {}) {
  const server = await ScriptedSimulationServer.start(scope, options);
  return { server, ...(await gatewayTo(scope, [server.port], more)) };
}

function valuesOf({ rawHeaders }: Echo, name: string): string[] {
  return rawHeaders.flatMap((value, i) => (i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name ? [value] : []));
}

test('a page of a simulation server comes through with its query, and the server receives the address of the client', async (t) => {
  const { server, url, port } = await withServer(t);
  const response = await fetch(`${url}/${server.port}/textures/wood%20floor.png?size=2`, { headers: { 'If-None-Match': '"x"' } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-upstream'), 'yes');
  const echo = (await response.json()) as Echo;
  assert.equal(echo.url, '/textures/wood%20floor.png?size=2');
  assert.deepEqual(valuesOf(echo, 'host'), [`localhost:${port}`]);
  assert.deepEqual(valuesOf(echo, 'x-forwarded-host'), [`localhost:${port}`]);
  assert.deepEqual(valuesOf(echo, 'x-forwarded-proto'), ['http']);
  assert.equal(valuesOf(echo, 'x-forwarded-for').length, 1);
  assert.match(valuesOf(echo, 'via')[0] ?? '', /^1\.1 session-server-\w+$/);
  assert.deepEqual(valuesOf(echo, 'if-none-match'), ['"x"']);
});

test('header names keep their spelling, for servers that compare letter by letter', async (t) => {
  const { server, port } = await withServer(t);
  const { body } = await rawRequest(
    t,
    port,
    `GET /${server.port}/robot_windows/x HTTP/1.1\r\nHost: h\r\nIf-None-Match: 1\r\nx-oDD: 2\r\n\r\n`,
  );
  const names = (JSON.parse(body) as Echo).rawHeaders.filter((_, i) => i % 2 === 0);
  for (const name of ['Host', 'If-None-Match', 'x-oDD']) assert.ok(names.includes(name), name);
});

test('a request of HTTP/1.0, which names no host, comes through with the name of the gateway', async (t) => {
  const { server, port } = await withServer(t);
  const answer = await rawRequest(t, port, `GET /${server.port}/x HTTP/1.0\r\n\r\n`);
  assert.equal(answer.status, 200);
  const echo = JSON.parse(answer.body) as Echo;
  assert.deepEqual(valuesOf(echo, 'host'), [`localhost:${port}`]);
  assert.deepEqual(valuesOf(echo, 'x-forwarded-host'), []);
});

test('headers of a single connection are removed both ways, and so are forged addresses', async (t) => {
  const page = (_: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(200, {
      Connection: 'close, X-Secret',
      'X-Secret': '1',
      'Keep-Alive': 'timeout=3',
      'Proxy-Authenticate': 'Basic',
      'X-Open': '2',
      'Clear-Site-Data': '"*"',
      'Set-Cookie': ['session-server-1999=x; Path=/', 'theirs=1; Path=/2000'],
    });
    response.end('page');
  };
  const { server, port } = await withServer(t, { page });
  const hop = [
    'Connection: X-Mine, keep-alive, Host',
    'X-Mine: 1',
    'Keep-Alive: 5',
    'TE: trailers',
    'Proxy-Authorization: Basic eA==',
    'Proxy-Connection: close',
  ];
  const forged = ['Forwarded: for=1.2.3.4', 'X-Real-IP: 1.2.3.4', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil'];
  const answer = await rawRequest(t, port, requestText(`GET /${server.port}/a`, ...hop, ...forged, 'X-Kept: 1'));
  assert.equal(answer.body, 'page');
  for (const name of ['x-secret', 'proxy-authenticate', 'clear-site-data', 'set-cookie'])
    assert.equal(answer.headers[name], undefined, name);
  assert.equal(answer.headers['x-open'], '2');
  const { headers } = server.requests[0] ?? assert.fail('no request came');
  for (const name of ['x-mine', 'keep-alive', 'te', 'proxy-authorization', 'proxy-connection', 'forwarded', 'x-real-ip'])
    assert.equal(headers[name], undefined, name);
  assert.deepEqual(
    [headers.host, headers['x-kept'], headers['x-forwarded-proto'], headers['x-forwarded-host']],
    ['localhost', '1', 'http', 'localhost'],
  );
});

test('no header of a response is lost, however many there are', async (t) => {
  const page = (_: unknown, response: import('node:http').ServerResponse) => {
    const many = Array.from({ length: 2500 }, (_, i) => [`X-${i}`, '1']).flat();
    response.writeHead(200, [...many, 'Connection', 'close, X-Secret', 'X-Secret', '1', 'Content-Length', '4']).end('page');
  };
  const { server, port } = await withServer(t, { page });
  const answer = await rawRequest(t, port, requestText(`GET /${server.port}/a`));
  assert.equal(Object.keys(answer.headers).filter((name) => /^x-\d+$/.test(name)).length, 2500);
  assert.deepEqual([answer.headers['content-length'], answer.headers['x-secret'], answer.body], ['4', undefined, 'page']);
});

test('bodies come through, by length and in chunks, each side framed by itself', async (t) => {
  const { server, port, url } = await withServer(t);
  const long = 'x'.repeat(300_000);
  const posted = (await (await fetch(`${url}/${server.port}/p`, { method: 'POST', body: long })).json()) as Echo;
  assert.equal(posted.body.length, long.length);
  for (const method of ['POST', 'GET', 'DELETE']) {
    const chunked = `${method} /${server.port}/p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`;
    const echo = JSON.parse((await rawRequest(t, port, chunked)).body) as Echo;
    assert.equal(echo.body, 'hello world', method);
    assert.deepEqual(valuesOf(echo, 'transfer-encoding'), ['chunked']);
    assert.deepEqual(valuesOf(echo, 'content-length'), []);
  }
  const empty = JSON.parse((await rawRequest(t, port, requestText(`POST /${server.port}/p`))).body) as Echo;
  assert.equal(empty.body, '');
  assert.equal((await rawRequest(t, port, requestText(`HEAD /${server.port}/p`))).status, 200);
});

test('an answer that never ends is forwarded as it comes', async (t) => {
  let more: (() => void) | undefined;
  const page = (_: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=WebotsFrame' });
    response.write('first');
    more = () => response.write('second');
  };
  const { server, port } = await withServer(t, { page });
  const connection = new RawConnection(t, port).send(requestText(`GET /${server.port}/mjpeg`));
  await eventually('the first picture', () => connection.received.includes('first'));
  more?.();
  await eventually('the second picture', () => connection.received.includes('second'));
});

test('an answer that is incomplete is incomplete for the client too', async (t) => {
  const bad = await bareServer(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
  });
  const { port } = await gatewayTo(t, [bad]);
  const connection = new RawConnection(t, port).send(requestText(`GET /${bad}/`));
  await connection.closed;
  assert.match(connection.received, /half$/);
});

test('the pages of the session server are served on the same port', async (t) => {
  const { url, socketUrl } = await withServer(t);
  assert.match(await (await fetch(`${url}/monitor`)).text(), /Webots session server/);
  assert.equal(await (await fetch(`${url}/load`)).text(), '-1');
  assert.equal(await (await fetch(`${url}/livez`)).text().then((text) => text.length > 0), true);
  const client = await new SocketClient(t, `${socketUrl}/`).open();
  assert.equal(await client.message(1), '0');
});

test('paths that try to leave the routes are not routed, and no server receives them', async (t) => {
  const { server, port } = await withServer(t);
  const own = server.port;
  for (const [target, status] of [
    ['/22/', 404],
    ['/2000@host/', 404],
    ['/%32000/', 404],
    ['/2000:25/', 404],
    ['//', 404],
    [`//127.0.0.1:${own}/`, 404],
    [`/0${own}/`, 404],
    [`/${own}@example.org/`, 404],
    [`/${own}:25/`, 404],
    [`/${own}%2f`, 404],
    [`/x/../${own}/`, 404],
    [`/%2e%2e/${own}/`, 404],
    [`http://127.0.0.1:${own}/`, 400],
    [`http://example.org/${own}/`, 400],
    [`${own}/`, 400],
  ] as const) {
    const answer = await rawRequest(t, port, requestText(`GET ${target}`));
    assert.equal(answer.status, status, target);
  }
  assert.equal((await rawRequest(t, port, `CONNECT 127.0.0.1:${own} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 405);
  assert.equal(server.requests.length, 0);
});

test('requests with two lengths, or a length and chunks, are refused before anything is forwarded', async (t) => {
  const { server, port } = await withServer(t);
  for (const headers of [
    ['Content-Length: 5', 'Content-Length: 6'],
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    ['Content-Length: 5, 5'],
    ['Content-Length: +5'],
    ['Transfer-Encoding: chunked, identity'],
    ['Transfer-Encoding : chunked'],
    ['Transfer-Encoding: xchunked'],
  ]) {
    const answer = await rawRequest(
      t,
      port,
      `${requestText(`POST /${server.port}/`, ...headers)}0\r\n\r\nGET /22/ HTTP/1.1\r\n\r\n`,
    );
    assert.ok(answer.status === 400 || answer.status === 501, `${answer.status} ${headers.join()}`);
  }
  const gzip = await rawRequest(t, port, `${requestText(`POST /${server.port}/`, 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`);
  assert.equal(gzip.status, 501);
  assert.equal(server.requests.length, 0);
});

test('a request that comes back to the gateway is not sent round and round', async (t) => {
  const loop = await bareServer(t, () => undefined);
  const { app, log, settings, url } = await gatewayTo(t, [loop]);
  await app.reload(settings({ gateway: { enabled: true, port: 0, routes: { [String(app.gateway?.port)]: '127.0.0.1' } } }));
  assert.equal((await fetch(`${url}/${app.gateway?.port}/${app.gateway?.port}/x`)).status, 508);
  assert.deepEqual(log.complaints, []);
});

test('a server that is not there, stalls, hangs up or talks nonsense becomes a clear answer in time', async (t) => {
  const silent = await bareServer(t, () => undefined);
  const hangsUp = await bareServer(t, (socket) => socket.once('data', () => socket.destroy()));
  const nonsense = await bareServer(t, (socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n')));
  const huge = await bareServer(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const line = `X-Long: ${'x'.repeat(100_000)}\r\n`;
      for (let i = 0; i < 100; i += 1) socket.write(line);
    });
  });
  const drip = await bareServer(t, (socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 20);
    socket.once('close', () => clearInterval(timer));
  });
  const patient = await gatewayTo(t, [hangsUp, nonsense, huge]);
  const hasty = await gatewayTo(t, [silent, drip], { limits: { headerTimeout: 0.3, connectTimeout: 0.3 } });
  const status = async (url: string, port: number) => (await fetch(`${url}/${port}/x`)).status;
  const all = [hangsUp, nonsense, huge].map((port) => status(patient.url, port));
  assert.deepEqual(await Promise.all(all), [502, 502, 502]);
  assert.deepEqual(await Promise.all([silent, drip].map((port) => status(hasty.url, port))), [504, 504]);
  assert.match(hasty.log.complaints.join('\n'), /did not respond within 0.3 s/);
  assert.match(patient.log.complaints.join('\n'), /response headers are too long/);
});

test('a port on which nothing listens is 502', async (t) => {
  const server = await ScriptedSimulationServer.start(t);
  const { port } = server;
  await server.stop();
  const { url, socketUrl } = await gatewayTo(t, [port]);
  assert.equal((await fetch(`${url}/${port}/`)).status, 502);
  await assert.rejects(new SocketClient(t, `${socketUrl}/${port}/`).open(), /502/);
});

test('no more is relayed than the limit allows', async (t) => {
  const silent = await bareServer(t, () => undefined);
  const { port } = await gatewayTo(t, [silent], { limits: { relays: 2 } });
  for (let i = 0; i < 2; i += 1) new RawConnection(t, port).send(requestText(`GET /${silent}/`));
  await eventually('the limit', async () => {
    const answer = await rawRequest(t, port, requestText(`GET /${silent}/`, 'Connection: close')).catch(() => undefined);
    return answer?.status === 503 && answer.headers['retry-after'] === '5';
  });
});

test('one address gets half of the relays, and leaves the other half to the rest', async (t) => {
  const silent = await bareServer(t, () => undefined);
  const { port } = await gatewayTo(t, [silent], { limits: { relays: 4 } });
  const ask = (address: string, ...more: string[]) => requestText(`GET /${silent}/`, `X-Forwarded-For: ${address}`, ...more);
  const held = Array.from({ length: 2 }, () => new RawConnection(t, port).send(ask('192.0.2.1')));
  const refused = async (address: string) =>
    (await rawRequest(t, port, ask(address, 'Connection: close')).catch(() => undefined))?.status === 503;
  await eventually('its half to be taken', () => refused('192.0.2.1'));
  for (let i = 0; i < 2; i += 1) held.push(new RawConnection(t, port).send(ask('192.0.2.2')));
  await eventually('the other half to be taken', () => refused('192.0.2.3'));
  assert.ok(
    held.every(({ socket }) => !socket.destroyed),
    'no admitted client is disconnected',
  );
});

test('a client that goes away ends the request at the simulation server', async (t) => {
  const seen = { came: false, ended: false };
  const silent = await bareServer(t, (socket) => {
    socket.once('data', () => (seen.came = true));
    socket.once('close', () => (seen.ended = true));
  });
  const { port } = await gatewayTo(t, [silent]);
  const connection = new RawConnection(t, port).send(requestText(`GET /${silent}/`));
  await eventually('the request at the simulation server', () => seen.came);
  connection.socket.destroy();
  await eventually('its end at the simulation server', () => seen.ended);
});

test('a stream comes through in both directions, and ends on both sides', async (t) => {
  const script: ScriptedOptions['script'] = ({ socket, messages }) => socket.send(`got ${messages[0]}`);
  const { server, socketUrl } = await withServer(t, { script });
  const client = await new SocketClient(t, `${socketUrl}/${server.port}/`).open();
  client.socket.send('hello');
  assert.equal(await client.message(1), 'got hello');
  const long = 'y'.repeat(1_000_000);
  (await server.client(1)).socket.send(long);
  assert.equal((await client.message(2)).length, long.length);
  client.socket.close(4001, 'bye');
  await eventually('the end at the simulation server', () => server.openClients === 0);
  const second = await new SocketClient(t, `${socketUrl}/${server.port}/`).open();
  second.socket.send('hello');
  (await server.client(2)).socket.close(4002, 'over');
  assert.deepEqual(await second.ends(), { code: 4002, reason: 'over' });
});

test('the client gets 101 only after the simulation server has agreed, and what it says else', async (t) => {
  const { server, socketUrl } = await withServer(t);
  server.refusing = true;
  await assert.rejects(new SocketClient(t, `${socketUrl}/${server.port}/`).open(), /503/);
});

test('a simulation server that resets after 101, offers another protocol, or stalls, is not waited for', async (t) => {
  const resets = await bareServer(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', () =>
        socket.resetAndDestroy(),
      );
    });
  });
  const other = await bareServer(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'));
  });
  const silent = await bareServer(t, () => undefined);
  const { port } = await gatewayTo(t, [resets, other, silent], { limits: { headerTimeout: 0.3 } });
  const upgrade = (to: number) =>
    new RawConnection(t, port).send(
      requestText(
        `GET /${to}/`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ),
    );
  const reset = upgrade(resets);
  await reset.closed;
  assert.match(reset.received, /^(?:$|HTTP\/1\.1 101 )/);
  assert.equal((await upgrade(other).response()).status, 502);
  assert.equal((await upgrade(silent).response()).status, 504);
});

test('a request to change to another protocol is never forwarded as one, and an upgrade has no body', async (t) => {
  const { server, port } = await withServer(t);
  const h2c = await rawRequest(
    t,
    port,
    requestText(`GET /${server.port}/x`, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQ'),
  );
  assert.equal(h2c.status, 200);
  const { headers } = server.requests[0] ?? assert.fail('no request came');
  assert.deepEqual([headers.upgrade, headers['http2-settings']], [undefined, undefined]);
  const withBody = requestText(`GET /${server.port}/x`, 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5');
  assert.equal((await rawRequest(t, port, `${withBody}hello`)).status, 400);
  const posted = requestText(`POST /${server.port}/x`, 'Connection: Upgrade', 'Upgrade: websocket');
  assert.equal((await rawRequest(t, port, posted)).status, 400);
});

test('nothing passes for a while: the connection ends', async (t) => {
  const { server, socketUrl } = await withServer(t, {}, { limits: { idleTimeout: 0.2 } });
  const client = await new SocketClient(t, `${socketUrl}/${server.port}/`).open();
  assert.equal((await client.ends()).code, 1006);
  await eventually('the end at the simulation server', () => server.openClients === 0);
});

test('the in-browser editor is found 500 ports above its simulation', async (t) => {
  const [simulation, editor] = await twoServers(t);
  const { url } = await gatewayTo(t, [simulation.port, editor.port]);
  // As the client does it: the last element of the stream's URL, 500 more, in place of the first occurrence of that number.
  const stream = `${url.replace('localhost', 'gateway.invalid')}/${simulation.port}`;
  const number = stream.split('/').at(-1) ?? '';
  const address = stream.replace(number, String(Number(number) + 500));
  const path = new URL(address).pathname;
  assert.equal(((await (await fetch(`${url}${path}/theia?x`)).json()) as Echo).url, '/theia?x');
  assert.equal(editor.requests.length, 1);
  assert.equal(simulation.requests.length, 0);
});

/** On free ports 500 apart. */
async function twoServers(scope: TestContext): Promise<[ScriptedSimulationServer, ScriptedSimulationServer]> {
  for (let i = 0; i < 20; i += 1) {
    const first = await ScriptedSimulationServer.start(scope);
    if (first.port > 65_000) continue;
    const second = await ScriptedSimulationServer.start(scope, { port: first.port + 500 }).catch(() => undefined);
    if (second !== undefined) return [first, second];
  }
  throw new Error('no two free ports that are 500 apart');
}

test('a stop ends all relays', async (t) => {
  const { server, socketUrl, stop } = await withServer(t);
  const client = await new SocketClient(t, `${socketUrl}/${server.port}/`).open();
  await inTime('the stop', stop());
  await client.ends();
  await eventually('the end at the simulation server', () => server.openClients === 0);
});

test('a reload with other routes drops no stream that is open', async (t) => {
  const { server, socketUrl, app, settings, url } = await withServer(t, {
    script: ({ socket, messages }) => socket.send(`got ${messages[0]}`),
  });
  const client = await new SocketClient(t, `${socketUrl}/${server.port}/`).open();
  await app.reload(settings({ gateway: { enabled: true, port: 0, routes: { '2000': 'localhost' } } }));
  client.socket.send('still here');
  assert.equal(await client.message(1), 'got still here');
  assert.equal((await fetch(`${url}/${server.port}/`)).status, 404);
});
