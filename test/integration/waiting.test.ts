/** Waiting: over HTTP that is held, and over WebSocket with a place that survives a lost connection and a restart. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporary, type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const NO_ROOM = 89;
const PROTOCOL = 'session-server.v1';
const FAST = { pollInterval: 0.5, allocation: { cost: 8, learning: false, recent: 0 } };
const lineLength = async (program: RunningProgram) =>
  Number(/^session_server_waiting_tickets (\d+)$/m.exec(await program.get('/metrics'))?.[1]);

describe('GET /session that is held', { concurrency: 2 }, () => {
  test('is answered with the URL as soon as there is room', async (t) => {
    const server = await startSimulationServer(t, NO_ROOM);
    const program = await startProgramInside(t, { ...FAST, simulationServers: [server.address], waiting: { hold: 30 } });
    await eventually('the load', async () => (await program.get('/load')) === String(NO_ROOM));
    const held = program.get('/session');
    await eventually('it to wait', async () => (await lineLength(program)) === 1);
    server.report(0);
    assert.equal(await held, `ws://${server.address}`);
    assert.equal(await lineLength(program), 0);
  });

  test('is answered with Error: and its number when the time is up, and its place is given up', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], waiting: { hold: 1 } });
    await program.get('/');
    const ahead = new SocketClient(t, `${program.socketUrl}/session`);
    await ahead.message(1);
    const began = performance.now();
    const response = await fetch(`${program.url}/session`);
    const seconds = (performance.now() - began) / 1000;
    assert.equal(response.status, 200);
    assert.match(await response.text(), /^Error: no simulation server available at the moment\. You are number 2\b/);
    assert.ok(seconds >= 0.99, `${seconds} s`);
    assert.equal(await lineLength(program), 1);
  });

  test('leaves the line when its client goes away', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], waiting: { hold: 50 } });
    const gone = new RawConnection(t, program.port).send(requestText('GET /session'));
    await eventually('it to wait', async () => (await lineLength(program)) === 1);
    gone.socket.destroy();
    await eventually('it to be gone', async () => (await lineLength(program)) === 0);
  });

  test('leaves the line with its client when it is one of several on a connection', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], waiting: { hold: 50 } });
    const gone = new RawConnection(t, program.port).send(requestText('GET /session').repeat(5));
    // Requests of one connection are handled one after the other.
    await eventually('the first to wait', async () => (await lineLength(program)) === 1);
    gone.socket.destroy();
    await eventually('it to be gone, and none after it', async () => (await lineLength(program)) === 0);
  });

  test('is refused at once when it can never work', async (t) => {
    const program = await startProgramInside(t, {
      simulationServers: [{ address: '127.0.0.1:9', allowedRepositories: ['github.com/cyberbotics'] }],
      waiting: { hold: 50 },
    });
    await program.get('/');
    const answer = await program.get('/session?url=https://github.com/somebody/else/blob/main/worlds/a.wbt');
    assert.match(answer, /^Error: /);
    assert.doesNotMatch(answer, /no simulation server available at the moment/);
  });
});

describe(`the subprotocol ${PROTOCOL}`, { concurrency: 2 }, () => {
  interface Said {
    type: string;
    position?: number;
    resumeToken?: string;
    url?: string;
    server?: string;
    expiresAt?: string;
    code?: string;
    reason?: string;
    estimateSeconds?: unknown;
  }
  const open = (t: Parameters<typeof startProgramInside>[0], program: RunningProgram, query = '') =>
    new SocketClient(t, `${program.socketUrl}/session${query}`, { subprotocol: PROTOCOL });
  const said = async (client: SocketClient, number: number) => JSON.parse(await client.message(number)) as Said;
  const last = async (client: SocketClient) => {
    await client.ends();
    return JSON.parse(client.messages.at(-1) ?? '') as Said;
  };

  test('says what was allocated, and until when it is reserved', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgramInside(t, { simulationServers: [server.address] });
    const client = open(t, program);
    const { type, url, server: id, expiresAt } = await said(client, 1);
    assert.deepEqual([type, url, id], ['allocated', `ws://${server.address}`, server.address]);
    assert.ok(Date.parse(expiresAt ?? '') > Date.now());
    assert.equal(client.socket.protocol, PROTOCOL);
    assert.equal((await client.ends()).code, 1000);
  });

  test('says why it refuses, with a code', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'] });
    const client = open(t, program, '?url=https://github.com/../x');
    const { type, code, reason } = await said(client, 1);
    assert.equal(type, 'refused');
    assert.match(code ?? '', /^[a-z-]+$/);
    assert.match(reason ?? '', /\S+ \S+/);
    assert.equal((await client.ends()).code, 1000);
  });

  test('says position and estimate, and keeps the place over a lost connection', async (t) => {
    const server = await startSimulationServer(t, NO_ROOM);
    const program = await startProgramInside(t, { ...FAST, simulationServers: [server.address] });
    await eventually('the load', async () => (await program.get('/load')) === String(NO_ROOM));
    const first = open(t, program);
    const { type, position, resumeToken, estimateSeconds } = await said(first, 1);
    assert.deepEqual([type, position, estimateSeconds], ['waiting', 1, null]);
    assert.ok((resumeToken ?? '').length >= 16);
    const second = open(t, program);
    assert.equal((await said(second, 1)).position, 2);

    first.lose();
    await eventually('the connection to be gone', async () =>
      /^session_server_websockets 1$/m.test(await program.get('/metrics')),
    );
    assert.equal(await lineLength(program), 2, 'the place is kept');
    const again = open(t, program, `?resume=${resumeToken}`);
    const { reason, ...rest } = await said(again, 1);
    assert.deepEqual(rest, { type: 'waiting', position: 1, estimateSeconds: null, resumeToken });
    assert.match(reason ?? '', /^No session can start now: .+\.$/);
    server.report(82 - 8);
    assert.equal((await last(again)).url, `ws://${server.address}`);
    assert.equal((await said(second, 2)).type, 'waiting');
    second.socket.close(4000);
    await eventually('the place to be given up', async () => (await lineLength(program)) === 0);
  });

  test('a place whose holder is away delays no one, and is there when the holder is back', async (t) => {
    const server = await startSimulationServer(t, NO_ROOM);
    const program = await startProgramInside(t, { ...FAST, simulationServers: [server.address] });
    await eventually('the load', async () => (await program.get('/load')) === String(NO_ROOM));
    const away = open(t, program);
    const { resumeToken } = await said(away, 1);
    const present = open(t, program);
    await said(present, 1);
    away.lose();
    await eventually('the connection to be gone', async () =>
      /^session_server_websockets 1$/m.test(await program.get('/metrics')),
    );
    server.report(80);
    assert.equal((await last(present)).type, 'allocated');
    server.report(0);
    const back = open(t, program, `?resume=${resumeToken}`);
    assert.equal((await last(back)).type, 'allocated');
  });

  test('a server that came free while the connection was dead goes to the client that shows the token, until it is reported', async (t) => {
    const server = await startSimulationServer(t, NO_ROOM);
    const program = await startProgramInside(t, { ...FAST, simulationServers: [server.address] });
    await eventually('the load', async () => (await program.get('/load')) === String(NO_ROOM));
    const dead = open(t, program);
    const { resumeToken } = await said(dead, 1);
    dead.socket.pause();
    server.report(80);
    await eventually('the place to come free', async () => (await lineLength(program)) === 0);
    const ticket = JSON.parse(await program.get(`/api/v1/sessions/${resumeToken}`)) as Said;
    assert.deepEqual([ticket.type, ticket.url], ['allocated', `ws://${server.address}`]);

    const other = open(t, program);
    const { resumeToken: second } = await said(other, 1);
    other.socket.pause();
    server.report(70);
    await eventually('the next place to come free', async () => (await lineLength(program)) === 0);
    const back = open(t, program, `?resume=${second}`);
    assert.equal((await last(back)).url, `ws://${server.address}`);
    await eventually('the end of that connection', async () =>
      /^session_server_websockets 2$/m.test(await program.get('/metrics')),
    );
    server.report(NO_ROOM);
    await eventually('the load', async () => (await program.get('/load')) === String(NO_ROOM));
    assert.equal((await said(open(t, program, `?resume=${second}`), 1)).type, 'waiting');
  });

  test('a place to which no client returns is given up after waiting.resume', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], waiting: { resume: 1 } });
    const away = open(t, program);
    const { resumeToken } = await said(away, 1);
    away.lose();
    await eventually('the place to be given up', async () => (await lineLength(program)) === 0);
    const late = open(t, program, `?resume=${resumeToken}`);
    const { type, resumeToken: fresh } = await said(late, 1);
    assert.equal(type, 'waiting');
    assert.notEqual(fresh, resumeToken);
  });

  test('the place is continued on the newest connection; the older one is informed', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'] });
    const older = open(t, program);
    const { resumeToken } = await said(older, 1);
    const newer = open(t, program, `?resume=${resumeToken}`);
    assert.equal((await said(newer, 1)).position, 1);
    assert.deepEqual([(await last(older)).type, (await last(older)).code], ['refused', 'continued-elsewhere']);
    assert.equal(await lineLength(program), 1);
    assert.equal(newer.socket.readyState, newer.socket.OPEN);
  });

  test('the places of those with a token survive a restart, in their order; those without do not', async (t) => {
    const server = await startSimulationServer(t, NO_ROOM);
    const folder = temporary(t);
    const configuration = { ...FAST, simulationServers: [server.address] };
    const before = await startProgramInside(t, configuration, { folder });
    await eventually('the load', async () => (await before.get('/load')) === String(NO_ROOM));
    const first = open(t, before);
    const { resumeToken: one } = await said(first, 1);
    const plain = new SocketClient(t, `${before.socketUrl}/session`);
    await plain.message(1);
    const third = open(t, before);
    const { resumeToken: three } = await said(third, 1);
    const stopped = before.stop();
    for (const client of [first, plain, third]) assert.equal((await client.ends()).code, 1001);
    await stopped;

    const after = await startProgramInside(t, configuration, { folder });
    const late = open(t, after);
    assert.equal((await said(late, 1)).position, 3);
    const thirdAgain = open(t, after, `?resume=${three}`);
    assert.equal((await said(thirdAgain, 1)).position, 2);
    const firstAgain = open(t, after, `?resume=${one}`);
    assert.equal((await said(firstAgain, 1)).position, 1);
    server.report(0);
    for (const client of [firstAgain, thirdAgain, late]) assert.equal((await last(client)).url, `ws://${server.address}`);
  });

  test('a client that offers other protocols too gets this one, and one that offers only others gets none', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'] });
    const connection = new RawConnection(t, program.port).send(
      requestText(
        'GET /session',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        `Sec-WebSocket-Protocol: chat, ${PROTOCOL}`,
      ),
    );
    const { status, headers } = await connection.response();
    assert.deepEqual([status, headers['sec-websocket-protocol']], [101, PROTOCOL]);
  });
});

test('the line has a length', async (t) => {
  const program = await startProgramInside(t, {
    simulationServers: ['127.0.0.1:9'],
    waiting: { maxLength: 2, maxPerAddress: 1 },
  });
  const from = (address: string) =>
    new SocketClient(t, `${program.socketUrl}/session`, { headers: { 'X-Forwarded-For': address } });
  assert.equal(await from('198.51.100.1').message(1), 'queue: 1');
  assert.match(await from('198.51.100.1').message(1), /^Error: 1 requests? from your network address/);
  assert.equal(await from('198.51.100.2').message(1), 'queue: 2');
  const refused = from('198.51.100.3');
  assert.match(await refused.message(1), /^Error: The waiting line is full/);
  assert.equal((await refused.ends()).code, 1000);
});
