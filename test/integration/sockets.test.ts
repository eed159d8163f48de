/** docs/design/protocol.md, "WebSocket", line by line, against the real program. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { rawRequest, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { type RunningProgram, type Scope } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const OPEN = 20;
/** No session fits any more, but the server is not full, so that it is offered again with its next report. */
const NO_ROOM = 89;
const FAST = { pollInterval: 0.5, allocation: { cost: 8, learning: false, recent: 0 } };

/** A program with one simulation server, which has room or not as the test wants. */
async function start(scope: Scope, load: number, configuration: Readonly<Record<string, unknown>> = {}) {
  const server = await startSimulationServer(scope, load);
  const program = await startProgramInside(scope, { ...FAST, simulationServers: [server.address], ...configuration });
  await eventually('the load', async () => (await program.get('/load')) === String(load));
  return { server, program, url: `ws://${server.address}` };
}

const lineLength = async (program: RunningProgram) =>
  Number(/^session_server_waiting_tickets (\d+)$/m.exec(await program.get('/metrics'))?.[1]);

describe('WebSocket /', () => {
  /** With one server that has room; none of the tests that use it changes that. */
  const open = start({ after }, OPEN);

  test('says at once 1 or 0', async (t) => {
    const { program } = await open;
    assert.equal(await new SocketClient(t, `${program.socketUrl}/`).message(1), '1');
    const none = await startProgramInside(t, { simulationServers: [] });
    assert.equal(await new SocketClient(t, `${none.socketUrl}/`).message(1), '0');
  });

  test('says something again only when it changes, never the same twice, and nothing else', async (t) => {
    const { program, server } = await start(t, OPEN);
    const clients = await Promise.all(Array.from({ length: 5 }, () => new SocketClient(t, `${program.socketUrl}/?x=1`).open()));
    await Promise.all(clients.map((client) => client.message(1)));
    for (const [index, load] of [NO_ROOM, OPEN, NO_ROOM].entries()) {
      // Several polls, of which but the first changes anything.
      const { requests } = server;
      server.report(load);
      await eventually('three polls', () => server.requests >= requests + 3);
      await Promise.all(clients.map((client) => client.message(index + 2)));
    }
    for (const { messages } of clients) assert.deepEqual(messages, ['1', '0', '1', '0']);
    assert.equal(await program.get('/'), '0');
  });

  test('changes also when the room is given away, and when the server dies', async (t) => {
    const { program, server } = await start(t, 80);
    const client = new SocketClient(t, `${program.socketUrl}/`);
    await client.message(1);
    await program.get('/session');
    assert.equal(await client.message(2), '0');
    server.report(10);
    assert.equal(await client.message(3), '1');
    await server.stop();
    assert.equal(await client.message(4), '0');
    assert.deepEqual(client.messages, ['1', '0', '1', '0']);
  });

  test('passes over what the client sends', async (t) => {
    const { program } = await open;
    const client = await new SocketClient(t, `${program.socketUrl}/`).open();
    for (const sent of ['hello', '', '{"start":{}}', '0', Buffer.from([0, 255]), 'x'.repeat(4000)]) client.socket.send(sent);
    // It has read all that when it answers what came last.
    const pong = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await inTime('a pong', pong);
    assert.deepEqual([client.messages, client.socket.readyState], [['1'], client.socket.OPEN]);
  });

  test('answers pings, and accepts unsolicited pongs', async (t) => {
    const { program } = await open;
    const client = await new SocketClient(t, `${program.socketUrl}/`).open();
    const pong = new Promise<string>((resolve) => client.socket.once('pong', (data) => resolve(data.toString())));
    client.socket.pong('unasked');
    client.socket.ping('are you there');
    assert.equal(await inTime('a pong', pong), 'are you there');
  });

  test('is closed as the client closes it', async (t) => {
    const { program } = await open;
    const client = await new SocketClient(t, `${program.socketUrl}/`).open();
    client.socket.close(1000, 'enough');
    assert.equal((await client.ends()).code, 1000);
  });
});

describe('WebSocket /session', { concurrency: 2 }, () => {
  test('says the URL of the least loaded server as one message and closes normally', async (t) => {
    const busy = await startSimulationServer(t, 50);
    const free = await startSimulationServer(t, 20);
    const program = await startProgramInside(t, { simulationServers: [busy.address, free.address] });
    await eventually('both loads', async () => (await program.get('/load')) === '35');
    const client = new SocketClient(t, `${program.socketUrl}/session`);
    assert.equal((await client.ends()).code, 1000);
    assert.deepEqual(client.messages, [`ws://${free.address}`]);
  });

  test('takes the project as /session does, and refuses what can never run with one Error: line', async (t) => {
    const { program, url } = await start(t, OPEN);
    const project = 'https://github.com/cyberbotics/webots/blob/R2023b/projects/languages/python/worlds/example.wbt';
    const good = new SocketClient(t, `${program.socketUrl}/session?url=${project}`);
    assert.equal((await good.ends()).code, 1000);
    assert.deepEqual(good.messages, [url]);
    const bad = new SocketClient(t, `${program.socketUrl}/session?url=https://github.com/../etc/passwd`);
    assert.equal((await bad.ends()).code, 1000);
    assert.equal(bad.messages.length, 1);
    assert.match(bad.messages[0] ?? '', /^Error: [^\n]+$/);
  });

  test('says the place in line whenever it changes, then the URL: first come, first served', async (t) => {
    const { program, server, url } = await start(t, NO_ROOM);
    const clients: SocketClient[] = [];
    for (let place = 1; place <= 4; place += 1) {
      const client = new SocketClient(t, `${program.socketUrl}/session`);
      clients.push(client);
      assert.equal(await client.message(1), `queue: ${place}`);
    }
    const [first, second, third, fourth] = clients;
    assert.ok(first && second && third && fourth);
    // Two have room, and then two more.
    server.report(70);
    await Promise.all([first.ends(), second.ends()]);
    assert.deepEqual(first.messages, ['queue: 1', url]);
    assert.deepEqual([second.messages[0], second.messages.at(-1)], ['queue: 2', url]);
    assert.equal(await third.message(third.messages.length), 'queue: 1');
    assert.equal(await fourth.message(fourth.messages.length), 'queue: 2');
    server.report(0);
    assert.deepEqual([(await third.ends()).code, (await fourth.ends()).code], [1000, 1000]);
    for (const { messages } of clients) {
      assert.equal(messages.at(-1), url);
      const places = messages.slice(0, -1);
      assert.deepEqual(places, [...new Set(places)], 'no place is sent twice');
      for (const place of places) assert.match(place, /^queue: [1-4]$/);
    }
    assert.equal(await lineLength(program), 0);
  });

  test('gives the place up when the socket closes, in whatever way, and those behind move up', async (t) => {
    const { program, server, url } = await start(t, NO_ROOM);
    const clients: SocketClient[] = [];
    for (let place = 1; place <= 3; place += 1) {
      const client = new SocketClient(t, `${program.socketUrl}/session`);
      clients.push(client);
      await client.message(1);
    }
    const [first, second, third] = clients;
    assert.ok(first && second && third);
    first.lose();
    assert.equal(await third.message(2), 'queue: 2');
    assert.equal(await second.message(2), 'queue: 1');
    second.socket.close(1000);
    assert.equal(await third.message(3), 'queue: 1');
    server.report(0);
    assert.equal(await third.message(4), url);
    assert.equal(await lineLength(program), 0);
  });

  test('passes over what a waiting client sends', async (t) => {
    const { program, server, url } = await start(t, NO_ROOM);
    const client = await new SocketClient(t, `${program.socketUrl}/session`).open();
    for (const sent of ['queue: 0', 'hello', Buffer.alloc(4096)]) client.socket.send(sent);
    await client.message(1);
    server.report(0);
    await client.ends();
    assert.deepEqual(client.messages, ['queue: 1', url]);
  });

  test('HTTP clients do not overtake waiting clients', async (t) => {
    const { program, server } = await start(t, NO_ROOM);
    const waiting = new SocketClient(t, `${program.socketUrl}/session`);
    await waiting.message(1);
    assert.equal(await program.get('/'), '0');
    assert.match(await program.get('/session'), /^Error: /);
    // Room for one.
    server.report(80);
    assert.match(await waiting.message(2), /^ws:/);
  });
});

describe('upgrades', () => {
  const upgrade = (path: string, ...headers: string[]) =>
    requestText(
      `GET ${path}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    );
  const scope = { after };
  const program = startProgramInside(scope, { simulationServers: [] });

  for (const path of ['/nothing', '/session/', '/client', '/load', '/monitor', '//', '/%73ession/x', '/../x']) {
    test(`of the unknown path ${path} are answered with 404`, async (t) => {
      const { port, socketUrl } = await program;
      assert.equal((await rawRequest(t, port, upgrade(path))).status, 404);
      await assert.rejects(new SocketClient(t, socketUrl + path).open(), /Unexpected server response: 404/);
    });
  }

  for (const path of ['/', '/?a=b', '/session', '/session?x=%zz', '/session?url=', '/session?resume=nonsense']) {
    test(`of ${path} are accepted, from any origin`, async (t) => {
      const { port } = await program;
      for (const origin of ['https://example.org', 'null', 'file://', 'garbage']) {
        const { status, headers } = await rawRequest(t, port, upgrade(path, `Origin: ${origin}`));
        assert.equal(status, 101);
        assert.equal(headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
        assert.equal(headers['sec-websocket-extensions'], undefined);
      }
    });
  }

  test('in the absolute form are understood as well', async (t) => {
    const { port } = await program;
    assert.equal((await rawRequest(t, port, upgrade('http://example.org/session'))).status, 101);
  });

  for (const [what, headers] of [
    ['without a key', ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']],
    [
      'with a key that is none',
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x'],
    ],
    [
      'of a version that is gone',
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 7', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
    ],
  ] as const) {
    test(`${what} are refused with 400 or 426`, async (t) => {
      const { status } = await rawRequest(t, (await program).port, requestText('GET /session', ...headers));
      assert.ok(status === 400 || status === 426, String(status));
    });
  }

  test('by a method other than GET are refused', async (t) => {
    const { status } = await rawRequest(t, (await program).port, upgrade('/session').replace('GET', 'POST'));
    assert.ok(status === 400 || status === 405, String(status));
  });

  test('of origins that the operator does not allow are refused with 403; programs without an origin are not', async (t) => {
    const { port, socketUrl } = await startProgramInside(t, { allowedOrigins: ['https://example.org'] });
    for (const path of ['/', '/session'])
      assert.equal((await rawRequest(t, port, upgrade(path, 'Origin: https://evil.example'))).status, 403);
    assert.equal((await rawRequest(t, port, upgrade('/', 'Origin: https://example.org'))).status, 101);
    await new SocketClient(t, `${socketUrl}/`).open();
  });
});
