/** Simulation servers and clients of the gateway that do what none should: what one of them sends must never end the program, nor what others have on it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { bareServer } from '../support/bare-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { ScriptedSimulationServer, streams, type ClientScript } from '../support/scripted-simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside, type RunningApp } from '../support/start-app.ts';

const START = JSON.stringify({ start: { url: 'https://github.com/school/robots/blob/main/worlds/arm.wbt' } });
type GatewayFile = NonNullable<ConfigurationFile['gateway']>;

function gatewayTo(t: TestContext, ports: readonly number[], more: GatewayFile = {}) {
  const routes = Object.fromEntries(ports.map((port) => [String(port), '127.0.0.1']));
  return startAppInside(t, { gateway: { enabled: true, port: 0, routes, ...more } });
}

test('no first line of an answer ends the program, and none brings control characters to the client', async (t) => {
  const lines = [
    ['HTTP/1.1 200 O\x01K', 200],
    ['HTTP/1.1 200 \x00', 200],
    ['HTTP/1.1 404 gone\x7f', 404],
    ['HTTP/1.1 200 caf\xe9', 200],
    ['HTTP/1.1 200', 200],
    ['HTTP/1.1 099 Odd', 502],
    ['HTTP/1.1 000 Odd', 502],
    ['HTTP/1.1 999 Odd', 999],
    ['HTTP/1.1 101 Switching Protocols', 502],
    ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade', 502],
  ] as const;
  const servers = await Promise.all(
    lines.map(([line]) => bareServer(t, `${line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)),
  );
  const { port, url } = await gatewayTo(t, servers, { limits: { headerTimeout: 1 } });
  for (const [index, [line, status]] of lines.entries()) {
    const path = `/${servers[index]}/x`;
    const answer = await rawRequest(t, port, requestText(`GET ${path}`));
    assert.equal(answer.status, status, JSON.stringify(line));
    assert.doesNotMatch(answer.head.split('\r\n')[0] ?? '', /[\x00-\x08\x0a-\x1f\x7f]/);
    const upgrade = await rawRequest(t, port, requestText(`GET ${path}`, ...UPGRADE));
    assert.doesNotMatch(upgrade.head.split('\r\n')[0] ?? '', /[\x00-\x08\x0a-\x1f\x7f]/);
  }
  assert.equal((await fetch(`${url}/livez`)).status, 200);
});

const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

test('a request whose body is neither read nor sent has an end', async (t) => {
  const neverReads = await bareServer(t, (socket) => socket.pause());
  const { port, log } = await gatewayTo(t, [neverReads], { limits: { headerTimeout: 0.3 } });
  const flood = new RawConnection(t, port);
  flood.send(requestText(`POST /${neverReads}/x`, 'Content-Length: 60000000'));
  flood.send(Buffer.alloc(20_000_000, 'x'));
  await eventually('the answer to the first', () => flood.received.startsWith('HTTP/1.1 504'));
  const stalled = new RawConnection(t, port).send(`${requestText(`POST /${neverReads}/x`, 'Content-Length: 10')}half`);
  await eventually('the answer to the second', () => stalled.received.startsWith('HTTP/1.1 408'));
  assert.match(log.complaints.join('\n'), /it read nothing of a request for 0.3 s/);
});

/** Listens, and takes no connection: as many as the operating system keeps for it are there already, and it leaves any further one without an answer. */
async function deafServer(t: TestContext): Promise<number> {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(program, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const kept = Array.from({ length: 3 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => undefined));
  t.after(async () => {
    for (const socket of kept) socket.destroy();
    await worker.terminate();
  });
  await Promise.all(kept.slice(0, 2).map((socket) => once(socket, 'connect')));
  return port;
}

test('a server that takes no connection is given up in the time that it has for it, whatever is asked', async (t) => {
  const deaf = await deafServer(t);
  const { port, log } = await gatewayTo(t, [deaf], { limits: { connectTimeout: 0.3, headerTimeout: 60 } });
  for (const request of [
    requestText(`GET /${deaf}/x`),
    `${requestText(`POST /${deaf}/x`, 'Content-Length: 4')}body`,
    requestText(`GET /${deaf}/x`, ...UPGRADE),
  ])
    assert.equal((await rawRequest(t, port, request)).status, 504);
  assert.match(log.complaints.join('\n'), /it does not accept connections/);
});

/** How many are relayed now, of a kind. */
async function relaysNow({ app }: Pick<RunningApp, 'app'>, kind: 'requests' | 'webSockets'): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${app.port}/metrics`)).text();
  return Number(new RegExp(`^session_server_gateway_relays\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
}

test('a client that leaves gives back what is relayed for it: one request of a connection at a time', async (t) => {
  const silent = await bareServer(t, (socket) => socket.resume());
  const running = await gatewayTo(t, [silent], { limits: { relays: 20 } });
  for (const end of ['destroy', 'end', 'resetAndDestroy'] as const) {
    const client = new RawConnection(t, running.port).send(requestText(`GET /${silent}/x`).repeat(10));
    await eventually('the first of them to be relayed', async () => (await relaysNow(running, 'requests')) === 1);
    client.socket[end]();
    await eventually('none to be left', async () => (await relaysNow(running, 'requests')) === 0);
  }
});

for (const [title, headers, kind] of [
  ['WebSocket', UPGRADE, 'webSockets'],
  ['offer to speak another protocol', ['Upgrade: h2c', 'Connection: Upgrade'], 'requests'],
] as const)
  test(`a client that leaves before its ${title} is answered gives back what is relayed for it`, async (t) => {
    const silent = await bareServer(t, (socket) => socket.resume());
    const running = await gatewayTo(t, [silent]);
    for (const end of ['destroy', 'end', 'resetAndDestroy'] as const) {
      const client = new RawConnection(t, running.port).send(requestText(`GET /${silent}/x`, ...headers));
      await eventually('it to be relayed', async () => (await relaysNow(running, kind)) === 1);
      client.socket[end]();
      await eventually('none to be left', async () => (await relaysNow(running, kind)) === 0);
    }
  });

test('messages that a client sends before its WebSocket is open come through after it, in order', async (t) => {
  let heard = '';
  let agree = (): void => assert.fail('no client asked');
  const slow = await bareServer(t, (socket) => {
    socket.once('data', () => {
      socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')));
      agree = () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
  });
  const running = await gatewayTo(t, [slow]);
  const client = new RawConnection(t, running.port).send(`${requestText(`GET /${slow}/`, ...UPGRADE)}first `);
  await eventually('it to be relayed', async () => (await relaysNow(running, 'webSockets')) === 1);
  client.send('second ');
  await fetch(`${running.url}/livez`);
  assert.equal(heard, '');
  agree();
  await eventually('the agreement', () => client.received.startsWith('HTTP/1.1 101 '));
  client.send('third');
  await eventually('all of it', () => heard === 'first second third');
});

for (const [title, more] of [
  ['leaves its connection open', undefined],
  ['goes on sending', 'more'],
] as const)
  test(`a client that gets an answer instead of a WebSocket is disconnected after it when it ${title}`, async (t) => {
    const refusing = await bareServer(t, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope');
    const running = await gatewayTo(t, [refusing]);
    const client = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true });
    t.after(() => client.destroy());
    client.on('error', () => undefined);
    client.write(requestText(`GET /${refusing}/x`, ...UPGRADE));
    let received = '';
    client.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
    await eventually('the answer', () => /^HTTP\/1\.1 403 Forbidden\r\n[^]*nope$/.test(received));
    if (more !== undefined) client.end(more);
    await eventually('none to be left', async () => (await relaysNow(running, 'webSockets')) === 0);
  });

test('a client that reads nothing of an answer instead of a WebSocket is disconnected, and one that reads gets it all', async (t) => {
  const size = 20_000_000;
  const refusing = await bareServer(t, `HTTP/1.1 403 Forbidden\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
  // The client that takes it all is in the same process, and a busy machine makes both slow.
  const patient = await gatewayTo(t, [refusing]);
  const taking = new RawConnection(t, patient.port).send(requestText(`GET /${refusing}/x`, ...UPGRADE));
  await taking.closed;
  assert.match(taking.received.slice(-size - 4), /^\r\n\r\nx+$/);
  const running = await gatewayTo(t, [refusing], { limits: { idleTimeout: 0.3 } });
  const silent = new RawConnection(t, running.port).send(requestText(`GET /${refusing}/x`, ...UPGRADE));
  silent.socket.pause();
  await eventually('it to be relayed', async () => (await relaysNow(running, 'webSockets')) === 1);
  await eventually('none to be left', async () => (await relaysNow(running, 'webSockets')) === 0);
});

for (const [title, end] of [
  ['goes on', (): undefined => undefined],
  ['has ended', (socket: Socket) => socket.end()],
] as const)
  test(`a client that reads nothing of a stream that ${title} is disconnected`, async (t) => {
    const streaming = await bareServer(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
        socket.write(Buffer.alloc(20_000_000));
        end(socket);
      });
    });
    const running = await gatewayTo(t, [streaming], { limits: { idleTimeout: 0.3 } });
    const client = new RawConnection(t, running.port).send(requestText(`GET /${streaming}/`, ...UPGRADE));
    client.socket.pause();
    await eventually('it to be relayed', async () => (await relaysNow(running, 'webSockets')) === 1);
    await eventually('none to be left', async () => (await relaysNow(running, 'webSockets')) === 0);
  });

test('nothing is forwarded for requests whose clients left before their turn', async (t) => {
  const silent = await bareServer(t, (socket) => socket.resume());
  const running = await gatewayTo(t, [silent], { limits: { relays: 2000 } });
  // More than one turn takes, and more on each connection than may wait there, so that they are disconnected.
  const clients = Array.from({ length: 8 }, () => new RawConnection(t, running.port));
  await Promise.all(clients.map(({ socket }) => once(socket, 'connect')));
  for (const client of clients) client.send(requestText(`GET /${silent}/x`).repeat(70));
  await Promise.all(clients.map(({ closed }) => closed));
  await eventually('none to be left', async () => (await relaysNow(running, 'requests')) === 0);
});

test('a connection continues after a request that was answered before its end', async (t) => {
  const refusing = await bareServer(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 413 Too large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  });
  const { port } = await gatewayTo(t, [refusing]);
  const connection = new RawConnection(t, port);
  connection.send(requestText(`POST /${refusing}/x`, 'Content-Length: 3000000'));
  await eventually('the early answer', () => connection.received.startsWith('HTTP/1.1 413'));
  connection.send(Buffer.alloc(3_000_000, 'x'));
  connection.send(requestText('GET /livez'));
  await eventually('the next answer', () => /HTTP\/1\.1 200 OK[^]*$/.test(connection.received));
});

/** How many relayed requests ended in each way. */
async function outcomes({ app }: Pick<RunningApp, 'app'>): Promise<Record<string, number>> {
  const metrics = await (await fetch(`http://127.0.0.1:${app.port}/metrics`)).text();
  const lines = metrics.matchAll(/^session_server_gateway_outcomes_total\{outcome="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, outcome = '', count]): [string, number] => [outcome, Number(count)]));
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;

test('a body in chunks of one byte is forwarded in few pieces, in both directions', async (t) => {
  const chunks = `${'1\r\nx\r\n'.repeat(900)}0\r\n\r\n`;
  const size = /^[0-9a-f]+\r\n/gm;
  let asked = '';
  const upstream = await bareServer(t, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      asked += bytes.toString('latin1');
      if (asked.endsWith('\r\n0\r\n\r\n')) socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    });
  });
  const { port } = await gatewayTo(t, [upstream]);
  const connection = new RawConnection(t, port);
  connection.send(`${requestText(`POST /${upstream}/x`, 'Transfer-Encoding: chunked')}${chunks}`);
  await eventually('the answer', () => connection.received.endsWith('\r\n0\r\n\r\n'));
  for (const body of [asked, connection.received]) {
    assert.equal(body.split('\r\n\r\n').slice(1).join('').replaceAll(/[^x]/g, '').length, 900);
    assert.ok((body.match(size)?.length ?? Infinity) < 100);
  }
  const flood = new RawConnection(t, port);
  flood.send(`${requestText(`POST /${upstream}/x`, 'Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(10_000)}`);
  await flood.closed;
});

test('a response that is invalid from its beginning on is answered with 502, and counted as failed', async (t) => {
  const answers = [
    `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    `${OK}Content-Length: 5, 5\r\n\r\nhello`,
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    `${OK}Transfer-Encoding: gzip\r\n\r\nhello`,
    `${OK}Transfer-Encoding: chunked, gzip\r\n\r\nhello`,
    `${OK}X Y: 1\r\nContent-Length: 5\r\n\r\nhello`,
    `${OK}X: a\x00b\r\nContent-Length: 5\r\n\r\nhello`,
    `${OK}X: a\nY: b\r\nContent-Length: 5\r\n\r\nhello`,
    `${OK}Content-Type: text/html\r\n`,
    `${CHUNKED}zz\r\n`,
    `${CHUNKED}0\r\nno trailer\r\n\r\n`,
  ];
  const servers = await Promise.all(answers.map((answer) => bareServer(t, answer)));
  const running = await gatewayTo(t, servers);
  for (const [index, answer] of answers.entries()) {
    const { status } = await rawRequest(t, running.port, requestText(`GET /${servers[index]}/x`));
    assert.equal(status, 502, JSON.stringify(answer));
  }
  assert.deepEqual(await outcomes(running), { failed: answers.length });
  assert.equal(running.log.complaints.length, answers.length);
});

/** What a client and a simulation server do one after the other. */
async function brokenOff(
  t: TestContext,
  running: RunningApp,
  server: { end: () => void },
  request: string,
): Promise<Error | string> {
  const socket = connect({ port: running.port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  let received = '';
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  let failure: Error | undefined;
  socket.once('error', (error) => (failure = error));
  const closed = once(socket, 'close').catch(() => undefined);
  socket.write(request);
  await eventually('the first part of the body', () => received.endsWith('hello') || received.endsWith('hello\r\n'));
  server.end();
  await closed;
  return failure ?? received;
}

test('a response that breaks off ends the connection so that no client takes it for complete, and is counted as failed', async (t) => {
  let current: Socket | undefined;
  const begins = (answer: string) =>
    bareServer(t, (socket) => {
      current = socket;
      socket.once('data', () => socket.write(answer));
    });
  const [long, chunks, open] = await Promise.all([
    begins(`${OK}Content-Length: 100\r\n\r\nhello`),
    begins(CHUNKED),
    begins(`${OK}\r\nhello`),
  ]);
  const running = await gatewayTo(t, [long, chunks, open]);
  const endings = [
    [long, (socket: Socket) => socket.end()],
    [chunks, (socket: Socket) => socket.end()],
    [chunks, (socket: Socket) => socket.write('zz\r\n')],
    // Its end would be the end of the body.
    [open, (socket: Socket) => socket.resetAndDestroy()],
  ] as const;
  for (const [server, ends] of endings) {
    const end = () => current && ends(current);
    const received = await brokenOff(t, running, { end }, requestText(`GET /${server}/x`));
    assert.match(String(received), server === long ? /Content-Length: 100[^]*hello$/ : /chunked[^]*5\r\nhello\r\n$/);
    // Without chunks, and without a length, only a reset informs the client.
    const old = await brokenOff(t, running, { end }, `GET /${server}/x HTTP/1.0\r\n\r\n`);
    assert.ok(old instanceof Error, `${server}`);
  }
  const refused = await brokenOff(t, running, { end: () => current?.end() }, requestText(`GET /${long}/x`, ...UPGRADE));
  assert.ok(refused instanceof Error);
  assert.deepEqual(await outcomes(running), { failed: 2 * endings.length + 1 });
  assert.match(running.log.complaints.join('\n'), /a response of localhost\/\d+ broke off: it closed the connection too early/);
});

test('a response is good when the connection is reset after its end', async (t) => {
  const resets = await bareServer(t, (socket) => {
    socket.once('data', () => socket.write(`${OK}Content-Length: 5\r\n\r\nhello`, () => socket.resetAndDestroy()));
  });
  const running = await gatewayTo(t, [resets]);
  assert.equal((await rawRequest(t, running.port, requestText(`GET /${resets}/x`))).body, 'hello');
  await eventually('its count', async () => (await outcomes(running))['answered'] === 1);
});

test('a WebSocket that is opened, or refused, brings the client no header that reaches beyond its port', async (t) => {
  const beyond = 'Clear-Site-Data: "*"\r\nSet-Cookie: session-server-1999=x; Path=/\r\nX-Kept: 1';
  const opening = await bareServer(t, (socket) => {
    socket.once('data', () =>
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${beyond}\r\n\r\n`),
    );
  });
  const refusing = await bareServer(t, `HTTP/1.1 403 Forbidden\r\n${beyond}\r\nContent-Length: 0\r\n\r\n`);
  const { port } = await gatewayTo(t, [opening, refusing]);
  for (const [server, status] of [
    [opening, 101],
    [refusing, 403],
  ] as const) {
    const answer = await rawRequest(t, port, requestText(`GET /${server}/x`, ...UPGRADE));
    assert.equal(answer.status, status);
    assert.match(answer.head, /X-Kept: 1/);
    assert.doesNotMatch(answer.head, /clear-site-data|set-cookie/i);
  }
});

test('a request that names two hosts is refused', async (t) => {
  const server = await ScriptedSimulationServer.start(t);
  const { port } = await gatewayTo(t, [server.port]);
  const answer = await rawRequest(t, port, `GET /${server.port}/ HTTP/1.1\r\nHost: a\r\nhOst: b\r\n\r\n`);
  assert.equal(answer.status, 400);
  assert.equal(server.requests.length, 0);
});

test('a simulation server receives neither what clients claim to be, in any spelling, nor the cookie of the monitor page', async (t) => {
  const server = await ScriptedSimulationServer.start(t);
  const { port } = await gatewayTo(t, [server.port]);
  const claims = ['X-Client-IP', 'True-Client-IP', 'x_forwarded_for', 'X-Forwarded-Prefix', 'X_Real_IP', 'X-Rewrite-URL'];
  await rawRequest(
    t,
    port,
    requestText(
      `GET /${server.port}/`,
      ...claims.map((name) => `${name}: 192.0.2.1`),
      'Cookie: theirs=1; session-server-1999=secret; more=2',
    ),
  );
  await rawRequest(t, port, requestText(`GET /${server.port}/`, 'Cookie: session-server-2999=secret'));
  const [first, second] = server.requests;
  assert.doesNotMatch(JSON.stringify([first?.rawHeaders, second?.rawHeaders]), /192\.0\.2\.1|secret/);
  assert.equal(first?.headers.cookie, 'theirs=1; more=2');
  assert.equal(second?.headers.cookie, undefined);
});

/** A gateway that looks after the clients of one simulation server. */
async function lookedAfter(t: TestContext, script: ClientScript, more: GatewayFile = {}) {
  const server = await ScriptedSimulationServer.start(t, { load: 5, script });
  const running = await startAppInside(t, {
    simulationServers: [`localhost/${server.port}`],
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, routes: { [String(server.port)]: '127.0.0.1' }, ...more },
  });
  await eventually('the load of the fleet', async () => (await (await fetch(`${running.url}/load`)).text()) !== '-1');
  return { server, ...running };
}

test('/PORT/client opens by its one spelling only', async (t) => {
  const { server, port } = await lookedAfter(t, streams);
  for (const target of ['/x/../P/client', '/%2e%2e/P/client', '//../P/client', '/x\\..\\..\\P\\client']) {
    const answer = await rawRequest(t, port, requestText(`GET ${target.replaceAll('P', String(server.port))}`, ...UPGRADE));
    assert.notEqual(answer.status, 101, target);
  }
  assert.equal(server.clients.length, 0);
});

test('sessions in the gateway and other relayed requests count against one limit', async (t) => {
  const { server, socketUrl, port } = await lookedAfter(t, streams, { limits: { relays: 2 } });
  const sessions = await Promise.all([1, 2].map(() => new SocketClient(t, `${socketUrl}/relay/client`).open()));
  for (const session of sessions) session.socket.send(START);
  await eventually('both sessions', () => server.openClients === 2);
  assert.equal((await rawRequest(t, port, requestText(`GET /${server.port}/`, 'Connection: close'))).status, 503);
  const third = await new SocketClient(t, `${socketUrl}/relay/client`).open();
  assert.match(await third.message(1), /^error: Too many clients/);
});

test('a client may send the text of a controller, and a slow server holds it back instead of losing it', async (t) => {
  const { server, socketUrl } = await lookedAfter(t, streams);
  const client = await new SocketClient(t, `${socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
  const [inside] = server.clients;
  assert.ok(inside !== undefined);
  inside.socket.pause();
  const text = 'c'.repeat(200_000);
  for (let i = 0; i < 50; i += 1) client.socket.send(text);
  await eventually('the client to be held back', () => client.socket.bufferedAmount > 0);
  inside.socket.resume();
  await eventually('all of it', () => inside.messages.length === 51);
  assert.ok(inside.messages.slice(1).every((message) => message === text));
  assert.equal(client.socket.readyState, client.socket.OPEN);
});

test('a client that is held back for a slow server learns at once that the server is gone', async (t) => {
  const { server, socketUrl } = await lookedAfter(t, streams);
  const client = await new SocketClient(t, `${socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
  const inside = await server.client(1);
  inside.socket.pause();
  for (let i = 0; i < 200; i += 1) client.socket.send('c'.repeat(200_000));
  const left: number[] = [];
  await eventually('the client to be held back', () => {
    left.push(client.socket.bufferedAmount);
    return left.length >= 5 && new Set(left.slice(-5)).size === 1;
  });
  inside.socket.terminate();
  assert.equal((await client.ends()).code, 1011);
});

test('the code with which a server ends a session is the one its client receives', async (t) => {
  const { server, socketUrl } = await lookedAfter(t, streams);
  for (const [index, [code, heard]] of (
    [
      [1001, 1001],
      [undefined, 1005],
      [4321, 4321],
      ['terminate', 1011],
    ] as const
  ).entries()) {
    const client = await new SocketClient(t, `${socketUrl}/relay/client`).open();
    client.socket.send(START);
    await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
    const inside = await server.client(index + 1);
    if (code === 'terminate') inside.socket.terminate();
    else inside.socket.close(code);
    assert.equal((await client.ends()).code, heard);
  }
});

test('an error of the first server, at which the client would quit, is held back while there is another try', async (t) => {
  let tries = 0;
  const { socketUrl } = await lookedAfter(t, (client, server) => {
    tries += 1;
    if (tries === 1) client.socket.send('error: no such world');
    else streams(client, server);
  });
  const client = await new SocketClient(t, `${socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
  assert.ok(!client.messages.some((line) => line.startsWith('error:')));
});

test('a registered server whose address is no longer allowed gets no client', async (t) => {
  const server = await ScriptedSimulationServer.start(t, { load: 5 });
  const token = 'correct-horse-battery-staple';
  const file = (allowLoopback: boolean): Partial<ConfigurationFile> => ({
    server: 'front.example',
    registration: { token, allowLoopback },
    // It stays in the fleet, and is believed to be up, for the time of this test.
    pollInterval: 6,
    pollTimeout: 1,
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, routes: { '2000': '127.0.0.1' } },
  });
  const running = await startAppInside(t, file(true));
  const form = new URLSearchParams({ url: `http://127.0.0.1:${server.port}`, shareIdleTime: '0', allowedRepositories: '' });
  await fetch(`${running.url}/register/${token}`, { method: 'POST', body: form });
  await eventually('the server to be offered', async () => (await (await fetch(`${running.url}/`)).text()) === '1');
  const before = server.clients.length;
  await running.app.reload(running.settings(file(false)));
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  await client.message(1);
  assert.match(client.messages[0] ?? '', /^(?:error: |loading: (?:Trying another|You are))/);
  assert.equal(server.clients.length, before);
});
