/** What one client, or all of them together, may use up. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { readDescriptorLimit } from '../../src/http/server/descriptors.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startProgram, type RunningProgram, type Scope } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const metric = async (program: RunningProgram, name: string) =>
  Number(new RegExp(`^session_server_${name} ([-0-9.e]+)$`, 'm').exec(await program.get('/metrics'))?.[1]);

const BATCH = 250;

/** Connections that never speak. Resolves when all are made, or turned away. */
async function speechless(t: Scope, program: RunningProgram, count: number): Promise<{ answers: string[]; release: () => void }> {
  const sockets: Socket[] = [];
  const answers: string[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return Promise.resolve();
  });
  await inTime(
    `${count} connections`,
    inBatches(count, async () => {
      const socket = connect(program.port, '127.0.0.1');
      sockets.push(socket);
      let answer = '';
      socket.on('data', (bytes) => (answer += bytes.toString()));
      socket.on('error', () => undefined);
      socket.once('close', () => answers.push(answer));
      await new Promise((resolve) => socket.once('connect', resolve));
    }),
  );
  return {
    answers,
    release() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The operating system reports more connections as open than it holds for a program that listens. */
async function inBatches(count: number, open: () => Promise<void>): Promise<void> {
  for (let left = count; left > 0; left -= BATCH) await Promise.all(Array.from({ length: Math.min(left, BATCH) }, open));
}

describe('connections', () => {
  test('beyond limits.clients get 503 and Retry-After, those before it stay, and room is made when they go', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgramInside(t, {
      simulationServers: [server.address],
      limits: { clients: 200, headerTimeout: 60 },
    });
    // Connected before the crowd: it has to be served all the while.
    const early = new RawConnection(t, program.port);
    await eventually('the load', async () => (await early.send(requestText('GET /load')).response()).body === '10');
    assert.equal((await early.send(requestText('GET /session')).response()).body, `ws://${server.address}`);
    const socket = await new SocketClient(t, `${program.socketUrl}/`).open();
    assert.equal(await socket.message(1), '1');

    const { answers, release } = await speechless(t, program, 300);
    // 2 were there before.
    await eventually('those beyond the limit to be turned away', () => answers.length === 102);
    for (const answer of answers) {
      assert.match(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
      assert.match(answer, /\r\nRetry-After: \d+\r\n/);
    }
    const late = await rawRequest(t, program.port, requestText('GET /session'));
    assert.deepEqual([late.status, late.headers['retry-after'] !== undefined], [503, true]);

    assert.match((await early.send(requestText('GET /session')).response()).body, /^ws:/);
    const metrics = (await early.send(requestText('GET /metrics')).response()).body;
    assert.match(metrics, /^session_server_connections 200$/m);
    assert.match(metrics, /^session_server_connections_limit 200$/m);
    assert.match(metrics, /^session_server_turned_away_total\{reason="too-many-clients"\} 103$/m);

    release();
    await eventually('room', async () => (await rawRequest(t, program.port, requestText('GET /'))).body === '1');
    assert.deepEqual([socket.messages, socket.socket.readyState], [['1'], socket.socket.OPEN]);
    assert.ok(program.log.split('\n').filter((line) => line.includes('turned away')).length <= 6);
  });

  test('of a client that was turned away take no place on a server', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgramInside(t, {
      simulationServers: [server.address],
      limits: { clients: 10, headerTimeout: 60 },
    });
    const watch = new RawConnection(t, program.port);
    const allocated = async () =>
      /kind="allocated",code="allocated"\} (\d+)/.exec((await watch.send(requestText('GET /metrics')).response()).body)?.[1] ??
      '0';
    await eventually('the load', async () => (await watch.send(requestText('GET /load')).response()).body === '10');
    await speechless(t, program, 9);
    // All at once, so that some requests are there before the connection is even looked at.
    const crowd = Array.from({ length: 200 }, () => new RawConnection(t, program.port).send(requestText('GET /session')));
    for (const connection of crowd) {
      assert.equal((await connection.response()).status, 503);
      await connection.closed;
      assert.equal(connection.received, '');
    }
    assert.equal(await allocated(), '0');
  });

  test('that never send anything are disconnected after limits.headerTimeout', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'], limits: { headerTimeout: 1 } });
    // As many as this process may open.
    const many = Math.min(10_000, (readDescriptorLimit() ?? 1500) - 500);
    const { answers } = await speechless(t, program, many);
    assert.equal(await program.get('/'), '0', 'others are answered meanwhile');
    await eventually('all to be cut', () => answers.length === many);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  test('never use up the file descriptors: probes continue, and clients are turned away with an answer', async (t) => {
    const server = await startSimulationServer(t, (request, response) => {
      // A new connection for each poll: it needs a descriptor each time.
      response.writeHead(200, { connection: 'close' }).end('10');
      request.resume();
    });
    const configuration = { simulationServers: [server.address], pollInterval: 0.2, limits: { headerTimeout: 60 } };
    const program = await startProgram(t, configuration, { before: 'ulimit -n 160' });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    assert.equal(await metric(program, 'file_descriptors_limit'), 160);
    const limit = await metric(program, 'connections_limit');
    assert.ok(limit >= 16 && limit < 110, String(limit));
    const early = new RawConnection(t, program.port).send(requestText('GET /load'));
    await early.response();

    const { answers } = await speechless(t, program, 400);
    await eventually('most to be turned away', () => answers.length >= 400 - limit);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 503 /);
    const { requests } = server;
    await eventually('five more polls', () => server.requests >= requests + 5);
    assert.equal((await early.send(requestText('GET /load')).response()).body, '10');
    assert.doesNotMatch(program.log, /EMFILE|descriptor left/);
    assert.equal(program.stderr, '');
  });

  test('leave descriptors to a load agent in the same process, however many connections that gets', async (t) => {
    const agentPort = await freePort();
    const configuration = { simulationServers: [`127.0.0.1:${agentPort}`], pollInterval: 0.2, limits: { headerTimeout: 60 } };
    const program = await startProgram(t, configuration, {
      ...{ args: ['--agent', String(agentPort)], before: 'ulimit -n 160' },
    });
    await eventually('the load of this machine', async () => Number(await program.get('/load')) >= 0);
    const limit = await metric(program, 'connections_limit');
    for (let i = 0; i < 200; i += 1) new RawConnection(t, agentPort);
    const { answers } = await speechless(t, program, 200);
    await eventually('most to be turned away', () => answers.length >= 200 - limit);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.doesNotMatch(program.log, /EMFILE|descriptor left/);
    assert.equal(program.stderr, '');
  });

  test('get no more than many simulation servers leave of the file descriptors', async (t) => {
    const simulationServers = Array.from({ length: 60 }, (_, i) => `127.0.1.${i + 1}:9`);
    const program = await startProgram(t, { simulationServers, limits: { headerTimeout: 60 } }, { before: 'ulimit -n 160' });
    const limit = await metric(program, 'connections_limit');
    assert.ok(limit <= 36, String(limit));
    const { answers } = await speechless(t, program, 80);
    await eventually('the rest to be turned away', () => answers.length >= 80 - limit);
  });
});

describe('limits.headerTimeout', () => {
  for (const headerTimeout of [1.1, 120]) {
    test(`may be ${headerTimeout} s`, async (t) => {
      const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], limits: { headerTimeout } });
      assert.equal(await program.get('/livez'), 'ok\n');
    });
  }
});

describe('the rate of one address', () => {
  const LIMITS = { rateBurst: 3, ratePerSecond: 0.01 };
  const limited = startProgramInside(
    { after },
    { simulationServers: ['127.0.0.1:9'], limits: LIMITS, trustedProxies: ['127.0.0.1', '127.0.0.2'] },
  );
  const refused = /^Error: too many session requests come from your network address; try again in \d+ s\.$/;
  const ask = async (t: Scope, to: RunningProgram, forwarded?: string, localAddress = '127.0.0.1') => {
    const headers = forwarded === undefined ? [] : [`X-Forwarded-For: ${forwarded}`];
    const { status, body } = await rawRequest(t, to.port, requestText('GET /session', ...headers), { localAddress });
    assert.equal(status, 200);
    return body;
  };

  test('is limited by what a trusted proxy forwards: a burst, then Error: with the reason; others are not touched', async (t) => {
    const program = await limited;
    for (let i = 0; i < 3; i += 1) assert.match(await ask(t, program, '198.51.100.7'), /^Error: no simulation server available/);
    assert.match(await ask(t, program, '198.51.100.7'), refused);
    assert.match(await ask(t, program, 'spoofed, 198.51.100.7'), refused, 'addresses before the last hop are not trusted');
    assert.match(await ask(t, program, '203.0.113.1, 198.51.100.7:4711'), refused);
    assert.match(await ask(t, program, '198.51.100.8'), /^Error: no simulation server available/);
    assert.match(await program.get('/metrics'), /decisions_total\{kind="refused",code="too-many-requests"\} 3$/m);
  });

  test('of IPv6 is that of its network', async (t) => {
    const program = await limited;
    for (let i = 0; i < 3; i += 1) assert.match(await ask(t, program, `2001:db8:1:2::${i}`), /^Error: no simulation server/);
    assert.match(await ask(t, program, '2001:db8:1:2:ffff::9'), refused);
    assert.match(await ask(t, program, '2001:db8:1:3::1'), /^Error: no simulation server/);
  });

  test('is limited for WebSockets too, which are notified and closed', async (t) => {
    const program = await limited;
    const headers = { 'X-Forwarded-For': '198.51.100.20' };
    for (let i = 0; i < 3; i += 1) await new SocketClient(t, `${program.socketUrl}/session`, { headers }).message(1);
    const fourth = new SocketClient(t, `${program.socketUrl}/session`, { headers });
    assert.equal((await fourth.ends()).code, 1000);
    assert.equal(fourth.messages.length, 1);
    assert.match(fourth.messages[0] ?? '', refused);
  });

  test('without the header from this machine is not limited', async (t) => {
    const program = await limited;
    for (let i = 0; i < 10; i += 1) assert.match(await ask(t, program), /^Error: no simulation server available/);
  });

  test('is not taken from a header of a client that is not a trusted proxy', async (t) => {
    const program = await limited;
    // From elsewhere the header counts as absent, so that no client can use up the bucket of another.
    for (let i = 0; i < 10; i += 1)
      assert.match(await ask(t, program, '198.51.100.30', '127.0.0.3'), /^Error: no simulation server/);
    for (let i = 0; i < 3; i += 1)
      assert.match(await ask(t, program, '198.51.100.30', '127.0.0.2'), /^Error: no simulation server/);
    assert.match(await ask(t, program, '198.51.100.30', '127.0.0.2'), refused);
  });

  test('comes back by the second', async (t) => {
    const limits = { rateBurst: 1, ratePerSecond: 5 };
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'], limits });
    await ask(t, program, '198.51.100.7');
    await eventually('a request that is let in', async () => !refused.test(await ask(t, program, '198.51.100.7')));
  });

  test('fits a class behind one address by default', async (t) => {
    const program = await startProgramInside(t, { simulationServers: ['127.0.0.1:9'] });
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(t, program, '198.51.100.7')));
    assert.equal(answers.filter((answer) => answer.startsWith('Error: no simulation server')).length, 100);
    // On a busy machine some more are due by now.
    const more = await Promise.all(Array.from({ length: 100 }, () => ask(t, program, '198.51.100.7')));
    assert.ok(more.some((answer) => refused.test(answer)));
  });
});
