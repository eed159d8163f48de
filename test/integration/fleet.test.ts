/**
 * Every simulation server is treated by its answers: one without answers, or with nonsense, gets no client; one that is back is used
 * again (docs/design/protocol.md, "Simulation servers" and "Deliberate differences from the original").
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { replies, type FakeSimulationServer } from '../support/fake-simulation-server.ts';
import { startProgram, type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer, startSimulationServers } from '../support/start-simulation-server.ts';

const INTERVAL = 1;
/** A class of these must not change the choice. */
const EASY = { cost: 0.3, learning: false };

const handOuts = async (program: RunningProgram, count: number) =>
  Promise.all(Array.from({ length: count }, () => program.get('/session')));

describe('a server that dies', () => {
  test('is no longer handed out, and is handed out again when it is back', async (t) => {
    const [best, other] = await startSimulationServers(t, [10, 50]);
    assert.ok(best && other);
    const program = await startProgramInside(t, {
      simulationServers: [best.address, other.address],
      pollInterval: INTERVAL,
      allocation: EASY,
    });
    await eventually('both loads', async () => (await program.get('/load')) === '30');
    assert.equal(await program.get('/session'), `ws://${best.address}`);

    const { port, address } = best;
    await best.stop();
    await eventually('it to be out', async () => (await program.get('/session')) === `ws://${other.address}`);
    assert.equal(await program.get('/load'), '50', 'the mean is of those that answer');
    await eventually('it to be down', () => /simulation server is down/.test(program.log));

    await startSimulationServer(t, 10, { port });
    await eventually('it to be in again', async () => (await program.get('/session')) === `ws://${address}`);
    assert.equal(await program.get('/load'), '30');
  });

  test('gets no client from its first failed probe until it answers again', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgramInside(t, { simulationServers: [server.address], pollInterval: 0.5, downAfter: 100 });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    server.hang();
    await eventually('the first poll that fails', async () => (await program.get('/load')) === '-1');
    assert.deepEqual([...new Set(await handOuts(program, 5))], ['Error: no simulation server available at the moment.']);
    assert.doesNotMatch(program.log, /is down/);
    server.report(10);
    await eventually('it to be in again', async () => (await program.get('/')) === '1');
  });

  test('reports load only is not handed out until clients can connect to it', async (t) => {
    const server = await startSimulationServer(t, 10);
    server.opensClient = false;
    const program = await startProgramInside(t, { simulationServers: [server.address], pollInterval: 0.5, downAfter: 100 });
    await eventually('the reason', async () => /reports load only; its WebSocket/.test(await program.get('/api/v1/servers')));
    assert.equal(await program.get('/load'), '10');
    assert.equal(await program.get('/session'), 'Error: no simulation server available at the moment.');
    server.opensClient = true;
    // After a failed poll it is asked again.
    server.answer = replies(500, '');
    await eventually('the failed poll', async () => (await program.get('/load')) === '-1');
    server.report(10);
    await eventually('it to be in', async () => (await program.get('/session')) === `ws://${server.address}`);
    assert.equal(server.clientRequests, 2);
  });

  test('and hangs costs the others nothing', async (t) => {
    const [hung, good] = await startSimulationServers(t, [10, 20]);
    assert.ok(hung && good);
    const program = await startProgramInside(t, {
      simulationServers: [hung.address, good.address],
      pollInterval: 2,
      allocation: EASY,
    });
    await eventually('both loads', async () => (await program.get('/load')) === '15');
    hung.hang();
    await eventually('it to be out', async () => (await program.get('/load')) === '20');
    const { requests } = good;
    for (const url of await handOuts(program, 50)) assert.equal(url, `ws://${good.address}`);
    await eventually('the other to be asked as before', () => good.requests >= requests + 3);
  });

  test('is never probed twice at the same time', async (t) => {
    let asking = 0;
    let most = 0;
    const server = await startSimulationServer(t, (request) => {
      asking += 1;
      most = Math.max(most, asking);
      request.socket.once('close', () => (asking -= 1));
    });
    await startProgramInside(t, { simulationServers: [server.address], pollInterval: 0.2 });
    await eventually('five polls', () => server.requests >= 5);
    assert.equal(most, 1);
  });
});

describe('a server that answers nonsense', () => {
  const nonsense: readonly (readonly [what: string, answer: FakeSimulationServer['answer']])[] = [
    ['HTML with status 200', replies(200, '<html><body>It works!</body></html>')],
    ['an error page with a number in it', replies(500, '5')],
    ['404', replies(404, '0')],
    ['NaN', replies(200, 'NaN')],
    ['a negative number', replies(200, '-1')],
    ['infinity', replies(200, '1e309')],
    ['nothing', replies(200, '')],
    [
      '101 without being asked',
      (request) => void request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n5'),
    ],
    ['10 MB', replies(200, Buffer.alloc(10_000_000, 0x31))],
    [
      'half a body, then a reset',
      (_, response) =>
        void response.writeHead(200, { 'content-length': '10' }).write('1', () => response.socket?.resetAndDestroy()),
    ],
    ['a redirect to elsewhere', replies(302, '', { location: 'http://127.0.0.2:1/load' })],
    ['a redirect to itself', replies(302, '0', { location: '/load' })],
    ['two numbers', replies(200, '1 2')],
    [
      'a number byte by byte, without an end',
      (_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('1'), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
    ['something that is not HTTP', (request) => void request.socket.end('5\n')],
  ];
  const scope = { after };
  /** All of them in one fleet. */
  const fleet = (async () => {
    const servers = await Promise.all(nonsense.map(([, answer]) => startSimulationServer(scope, answer)));
    const program = await startProgram(scope, {
      simulationServers: servers.map(({ address }) => address),
      pollInterval: 0.5,
    });
    return { servers, program };
  })();
  for (const [index, [what]] of nonsense.entries()) {
    test(`${what}: gets no client, and the log says each reason once`, async () => {
      const { servers, program } = await fleet;
      const address = servers[index]?.address ?? '';
      const lines = () => program.log.split('\n').filter((line) => line.includes(`  ${address} simulation server`));
      await eventually('two polls that failed', () => lines().some((line) => line.includes('is down')));
      // On a busy machine a poll can also end for want of time, which is another reason.
      const reasons = lines().map((line) => line.replace(/^.*? simulation server /, ''));
      assert.equal(new Set(reasons).size, reasons.length, reasons.join('\n'));
      assert.equal(reasons.filter((reason) => reason.startsWith('is down')).length, 1, reasons.join('\n'));
      assert.match(lines()[0] ?? '', /gave no usable load: \S/);
      assert.match(await program.get('/metrics'), new RegExp(`server_up\\{server="${address}"\\} 0$`, 'm'));
      assert.deepEqual(await Promise.all(['/', '/load', '/session'].map((path) => program.get(path))), [
        '0',
        '-1',
        'Error: no simulation server available at the moment.',
      ]);
      assert.equal(program.stderr, '');
    });
  }

  test('and then sense again is used again', async (t) => {
    const server = await startSimulationServer(t, replies(200, '<html>'));
    const program = await startProgramInside(t, { simulationServers: [server.address], pollInterval: 0.5 });
    await eventually('it to be down', () => /simulation server is down/.test(program.log));
    server.answer = replies(200, ' 3.74e1\n');
    await eventually('it to be in', async () => (await program.get('/load')) === '37.4');
    assert.equal(await program.get('/session'), `ws://${server.address}`);
  });
});

describe('the choice', () => {
  test('is the least loaded, to the hundredth', async (t) => {
    const servers = await startSimulationServers(t, [30.52, 30.51, 30.53]);
    const program = await startProgramInside(t, { simulationServers: servers.map(({ address }) => address) });
    await eventually('all loads', async () => (await program.get('/load')) === '30.52');
    assert.equal(await program.get('/session'), `ws://${servers[1]?.address}`);
  });

  test('gives a class of thirty on three idle servers ten each', async (t) => {
    const servers = await startSimulationServers(t, [0, 0, 0]);
    const program = await startProgramInside(t, { simulationServers: servers.map(({ address }) => address) });
    await eventually('all loads', async () => (await program.get('/load')) === '0');
    const counts = new Map<string, number>();
    for (const url of await handOuts(program, 30)) counts.set(url, (counts.get(url) ?? 0) + 1);
    assert.deepEqual(
      servers.map(({ address }) => counts.get(`ws://${address}`)),
      [10, 10, 10],
    );
  });

  test('hands out no more than there is room for, however many ask at once', async (t) => {
    const [server] = await startSimulationServers(t, [50]);
    assert.ok(server);
    const program = await startProgramInside(t, {
      simulationServers: [server.address],
      allocation: { cost: 8, learning: false },
    });
    await eventually('the load', async () => (await program.get('/load')) === '50');
    // 50 + 4 * 8 = 82, and a fifth would be at 90, which must not be reached.
    const answers = await handOuts(program, 20);
    assert.equal(answers.filter((answer) => answer === `ws://${server.address}`).length, 4);
    assert.equal(answers.filter((answer) => answer.startsWith('Error: no simulation server available')).length, 16);
    assert.equal(await program.get('/'), '0');
  });

  test('a server that reports 95 is full, and is offered again once its reports leave room', async (t) => {
    const [server] = await startSimulationServers(t, [95]);
    assert.ok(server);
    const program = await startProgramInside(t, {
      simulationServers: [server.address],
      pollInterval: 0.2,
      allocation: { ...EASY, recent: 1 },
    });
    await eventually('the load', async () => (await program.get('/load')) === '95');
    assert.equal(await program.get('/'), '0');
    await eventually('the line in the log', () => /simulation server is full/.test(program.log));
    server.report(20);
    await eventually('its next report', async () => (await program.get('/load')) === '20');
    assert.equal(await program.get('/'), '0', 'a moment of low noise does not count');
    await eventually('it to be offered', async () => (await program.get('/')) === '1');
  });
});
