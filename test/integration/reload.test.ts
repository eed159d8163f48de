/** A configuration that changes under the running program: by file or by SIGHUP, good or bad, and no socket notices. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { RawConnection, rawRequest, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { WebhookSink } from '../support/webhook-sink.ts';
import { startProgram, type Program } from '../support/start-program.ts';
import { startSimulationServer, startSimulationServers } from '../support/start-simulation-server.ts';

const reloads = ({ log }: Program) => log.split('configuration read again').length - 1;
const refusals = ({ log }: Program) => log.split('the new configuration is rejected').length - 1;
const metric = async (program: Program, name: string) =>
  Number(new RegExp(`^session_server_${name} ([-0-9.e]+)$`, 'm').exec(await program.get('/metrics'))?.[1]);

describe('a new configuration that is valid', { concurrency: 2 }, () => {
  test('takes effect when the file is replaced, and when it is written in place, without dropping a socket', async (t) => {
    const [first, second] = await startSimulationServers(t, [20, 10]);
    assert.ok(first && second);
    const program = await startProgram(t, { simulationServers: [first.address] });
    const socket = await new SocketClient(t, `${program.socketUrl}/`).open();
    const kept = new RawConnection(t, program.port).send(requestText('GET /session'));
    assert.equal((await kept.response()).body, `ws://${first.address}`);
    assert.equal(await socket.message(1), '1');

    await program.reconfigure({ simulationServers: [first.address, second.address] });
    await eventually('the mean of both', async () => (await program.get('/load')) === '15');
    assert.equal(await program.get('/session'), `ws://${second.address}`);

    writeFileSync(program.path, JSON.stringify({ ...program.configuration, simulationServers: [first.address] }));
    await eventually('the new server to be forgotten', async () => (await program.get('/load')) === '20');
    assert.equal(await program.get('/session'), `ws://${first.address}`);

    assert.equal((await kept.send(requestText('GET /session')).response()).body, `ws://${first.address}`);
    assert.deepEqual([socket.socket.readyState, socket.messages], [socket.socket.OPEN, ['1']]);
  });

  test('is read on SIGHUP', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    const before = reloads(program);
    program.signal('SIGHUP');
    await eventually('the configuration to be read', () => reloads(program) === before + 1);
    assert.equal(await program.get('/'), '0');
  });

  test('keeps servers by identity: they are not probed again, and their state stays', async (t) => {
    const [first, second] = await startSimulationServers(t, [20, 30]);
    assert.ok(first && second);
    // Asked once at the start and once within the first interval; then not for a long time.
    const program = await startProgram(t, { simulationServers: [first.address, second.address], pollInterval: 6 });
    await eventually('both loads', async () => (await program.get('/load')) === '25');
    await program.get('/session');
    const booked = await program
      .get('/metrics')
      .then((text) => /server_booked_load_percent\{server="[^"]+"\} (8)$/m.exec(text)?.[1]);
    assert.equal(booked, '8');
    const { connections } = first;
    await program.reconfigure({
      simulationServers: [second.address, { address: first.address, weight: 1, labels: { room: 'A' } }],
      loadThreshold: 94,
    });
    // At the very moment of the reload both are still known, and the booking still counts.
    assert.equal(await program.get('/load'), '25');
    assert.equal(await program.get('/session'), `ws://${first.address}`);
    assert.match(await program.get('/metrics'), /server_booked_load_percent\{server="[^"]+"\} 16$/m);
    assert.equal(first.connections, connections, 'the connection to it was kept');
  });

  test('takes a server that is gone out at once, and gives its waiting clients to the others', async (t) => {
    const full = await startSimulationServer(t, 89);
    const free = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [full.address] });
    await eventually('the load', async () => (await program.get('/load')) === '89');
    const waiting = new SocketClient(t, `${program.socketUrl}/session`);
    assert.equal(await waiting.message(1), 'queue: 1');
    await program.reconfigure({ simulationServers: [free.address] });
    assert.equal(await waiting.message(2), `ws://${free.address}`);
    assert.equal(await metric(program, 'waiting_tickets'), 0);
  });

  test('that closes the monitor ends what is shown live to those without a token', async (t) => {
    const program = await startProgram(t, { simulationServers: [] });
    const page = await fetch(`${program.url}/monitor/events`);
    assert.equal(page.status, 200);
    await program.reconfigure({ monitor: { access: 'token' } });
    await inTime('the end of what is shown', page.text());
  });

  test('changes spelling and scheme of what is handed out', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address] });
    await program.reconfigure({ handOutSsl: true });
    assert.equal(await program.get('/session'), `wss://${server.address}`);
    await program.reconfigure({ simulationServers: [`localhost:${server.port}`] });
    // Another name is another server: it has to answer first.
    await eventually('its load', async () => (await program.get('/load')) === '10');
    assert.equal(await program.get('/session'), `wss://localhost:${server.port}`);
  });

  test('with keys that need a restart says which, and continues with the old ones', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    await program.reconfigure({ port: 1, logFormat: 'json' });
    await eventually('the line', () =>
      /\[WARNING\] {2}these keys take effect after a restart: (?:port, logFormat|logFormat, port)/.test(program.log),
    );
    assert.equal(await program.get('/'), '0');
  });

  test('takes over limits: of the rate, of the line, of what a client may leave unread', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'], trustedProxies: ['127.0.0.1'] });
    const ask = async () => (await rawRequest(t, program.port, requestText('GET /session', 'X-Forwarded-For: 9.9.9.9'))).body;
    assert.match(await ask(), /no simulation server available/);
    await program.reconfigure({ limits: { rateBurst: 1, ratePerSecond: 0.01 } });
    await eventually('the new limit', async () => /^Error: too many/.test(await ask()));
    await program.reconfigure({ waiting: { maxLength: 1 } });
    await new SocketClient(t, `${program.socketUrl}/session`).message(1);
    const second = new SocketClient(t, `${program.socketUrl}/session`);
    assert.match(await second.message(1), /^Error: The waiting line is full/);
  });

  test('takes over the most clients', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    assert.ok((await metric(program, 'connections_limit')) > 10);
    await program.reconfigure({ limits: { clients: 10 } });
    assert.equal(await metric(program, 'connections_limit'), 10);
  });

  test('names the keys that need a restart, each time, and goes by the old ones until then', async (t) => {
    const sink = await WebhookSink.start();
    t.after(() => sink.close());
    const webhooks = [{ url: sink.url }];
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'], webhooks });
    const told = () => program.log.split('these keys take effect after a restart: port').length - 1;
    await program.reconfigure({ port: 3999 });
    await eventually('the first remark', () => told() === 1);
    await program.reconfigure({ port: 3999, downAfter: 1, ssl: true });
    await eventually('the second remark', () => told() === 2);
    await eventually('the notice', () => sink.hooks.length > 0);
    const { monitor } = JSON.parse(sink.hooks[0]?.body ?? '{}') as { monitor: string };
    // The configuration says any free port: the link has the one that was found.
    assert.match(monitor, new RegExp(`^https?://localhost:${program.port}/monitor$`));
  });

  test('many times in a row ends with the last one', async (t) => {
    const servers = await startSimulationServers(t, [10, 20, 30]);
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    for (let i = 0; i < 10; i += 1) {
      program.configure({ simulationServers: [servers[i % 3]?.address] });
      program.signal('SIGHUP');
    }
    await eventually('the last one', async () => (await program.get('/load')) === '10');
  });
});

describe('a new configuration that is refused', { concurrency: 2 }, () => {
  const bad: readonly (readonly [what: string, content: string, keys: readonly string[]])[] = [
    ['is not JSON', '{"port": ', ['session.json']],
    ['is empty', '', ['session.json']],
    ['has several problems', '{"simulationServers": "x", "ssl": "no"}', ['simulationServers', 'ssl']],
  ];
  for (const [what, content, keys] of bad) {
    test(`because it ${what}: all problems are logged, the old one stays active, and a good one is accepted after it`, async (t) => {
      const server = await startSimulationServer(t, 10);
      const program = await startProgram(t, { simulationServers: [server.address] });
      const socket = await new SocketClient(t, `${program.socketUrl}/`).open();
      program.configure(content);
      await eventually('the refusal', () => refusals(program) > 0);
      for (const key of keys) assert.match(program.log, new RegExp(`\\[ERROR {2}\\] {2}\\S*${key}: `));
      assert.equal(await program.get('/session'), `ws://${server.address}`);
      assert.equal(reloads(program), 0);
      await program.reconfigure({ handOutSsl: true });
      assert.equal(await program.get('/session'), `wss://${server.address}`);
      assert.equal(socket.socket.readyState, socket.socket.OPEN);
      assert.equal(program.stderr, '');
    });
  }

  test('because the file is gone: the old one stays, until there is a file again', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address] });
    rmSync(program.path);
    program.signal('SIGHUP');
    await eventually('the refusal', () => refusals(program) > 0);
    assert.match(program.log, /no such file/);
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    await program.reconfigure({ handOutSsl: true });
    assert.equal(await program.get('/session'), `wss://${server.address}`);
  });
});
