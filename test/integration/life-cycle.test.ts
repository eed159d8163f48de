/** Start, and above all stop: what is in flight is answered, sockets are closed with a code, and a simulation server that hangs delays nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';
import { startChild, startProgram, temporary, type Child, type Program, type Scope } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

/** Seconds. docs/design/protocol.md, "HTTP" asks for 2; a busy machine has more. */
const STOP = 10;
/** Seconds in which the first probes are spread. */
const FIRST_PROBES = 0.5;

describe('start', () => {
  test('answers while a simulation server hangs; what has not answered is unknown, not idle', async (t) => {
    const hung = await startSimulationServer(t, () => undefined);
    const { get, firstAnswers, socketUrl } = await starting(t, [hung.address]);
    const answers = Promise.all(['/', '/session', '/load'].map(get));
    await firstAnswers();
    assert.deepEqual(await answers, ['0', 'Error: no simulation server available at the moment.', '-1']);
    assert.equal(hung.requests, 1, 'the first probe still hangs');
    const client = new SocketClient(t, `${socketUrl}/`);
    assert.equal(await client.message(1), '0');
  });

  test('hands out those that answered, and the mean is theirs, while another hangs', async (t) => {
    const hung = await startSimulationServer(t, () => undefined);
    const servers = await Promise.all([startSimulationServer(t, 40), startSimulationServer(t, 60)]);
    const { get, firstAnswers } = await starting(t, [hung.address, ...servers.map(({ address }) => address)]);
    await eventually(
      'the load of both',
      async () => (await get('/metrics')).split('session_server_server_load_percent{').length > 2,
    );
    const answer = get('/session');
    await firstAnswers();
    assert.equal(await answer, `ws://${servers[0].address}`);
    assert.equal(await get('/load'), '50');
    assert.equal(await get('/'), '1');
  });

  test('holds the first answers until every server was probed, no longer', async (t) => {
    const server = await startSimulationServer(t, 10);
    const { get } = await starting(t, [server.address]);
    // The very first request, sent before the first probe had ended, has its answer, and no time has passed.
    assert.equal(await get('/session'), `ws://${server.address}`);
  });

  test('says it is not ready until then, and alive at once', async (t) => {
    const hung = await startSimulationServer(t, () => undefined);
    const { url, firstAnswers } = await starting(t, [hung.address]);
    assert.equal((await fetch(`${url}/livez`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    await firstAnswers();
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
  });

  test('prints in four lines what runs where and what to open next', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    const lines = (await eventually('four lines', () => /^(?:.*\n){4}$/.exec(program.stdout)?.[0])).trimEnd().split('\n');
    assert.equal(lines.length, 4);
    assert.match(lines[3] ?? '', new RegExp(`http://localhost:${program.port}/monitor`));
  });

  test('a signal that comes while it starts takes effect, and so does a change of the file', async (t) => {
    const folder = temporary(t);
    const preload = join(folder, 'slow.cjs');
    // A name service that takes its time.
    writeFileSync(
      preload,
      `const { Server } = require('node:net');
       const { listen } = Server.prototype;
       Server.prototype.listen = function (...args) {
         setTimeout(() => listen.apply(this, args), 300);
         process.stderr.write('listening soon\\n');
         return this;
       };`,
    );
    const path = join(folder, 'session.json');
    const write = (port: number) => {
      const configuration = { simulationServers: [`127.0.0.1:${port}`], ssl: false, portRewrite: false };
      writeFileSync(path, JSON.stringify({ ...configuration, port: 0, logDir: join(folder, 'log') }));
    };
    write(9);
    const meanwhile = {
      SIGTERM: (child) => child.signal('SIGTERM'),
      SIGHUP: (child) => child.signal('SIGHUP'),
      change: () => write(10),
    } satisfies Record<string, (child: Child) => void>;
    for (const [what, happens] of Object.entries(meanwhile)) {
      rmSync(join(folder, 'log'), { recursive: true, force: true });
      const child = startChild(t, [path], { node: ['--require', preload] });
      await eventually('the moment before it listens', () => child.stderr.includes('listening soon'));
      happens(child);
      if (what !== 'SIGTERM') {
        const log = join(folder, 'log', 'session', 'output.log');
        await eventually(`the reload after ${what}`, () => readFileSync(log, 'utf8').includes('configuration read again'));
        child.signal('SIGTERM');
      }
      const { status, took } = await inTime('the end', child.ended);
      assert.equal(status, 0, what);
      assert.ok(took < STOP, `${took} s`);
    }
  });

  test('a signal that comes before the configuration was read takes effect: SIGTERM and SIGINT with status 0, SIGHUP as a reload', async (t) => {
    const folder = temporary(t);
    const path = join(folder, 'session.json');
    const log = join(folder, 'log', 'session', 'output.log');
    const configuration = {
      port: 0,
      ssl: false,
      portRewrite: false,
      simulationServers: ['127.0.0.1:9'],
      logDir: join(folder, 'log'),
    };
    writeFileSync(path, JSON.stringify(configuration));
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const child = startChild(t, [path], { node: ['--require', signalledAtFirstRead(folder, signal)] });
      if (signal === 'SIGHUP') {
        await eventually('the reload', () => existsSync(log) && readFileSync(log, 'utf8').includes('configuration read again'));
        child.signal('SIGTERM');
      }
      const { status, stderr } = await inTime('the end', child.ended);
      assert.deepEqual([status, stderr], [0, ''], signal);
    }
  });

  test('a signal ends a command that only looks, as it ends any program', async (t) => {
    const folder = temporary(t);
    const path = join(folder, 'session.json');
    writeFileSync(path, '{"simulationServers": ["127.0.0.1:9"]}');
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const child = startChild(t, ['check', path], { node: ['--require', signalledAtFirstRead(folder, signal)] });
      assert.equal((await inTime('the end', child.ended)).signal, signal);
    }
  });
});

/** Path of a module that sends the process a signal when it begins to read its configuration. */
function signalledAtFirstRead(folder: string, signal: NodeJS.Signals): string {
  const preload = join(folder, `${signal}.cjs`);
  writeFileSync(
    preload,
    `const fs = require('node:fs/promises');
     const { open } = fs;
     fs.open = async (path, ...rest) => {
       if (String(path).endsWith('session.json')) {
         fs.open = open;
         process.kill(process.pid, '${signal}');
         // Node notices it in one of its next turns.
         for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
       }
       return open(path, ...rest);
     };
     require('node:module').syncBuiltinESMExports();`,
  );
  return preload;
}

describe('stop', () => {
  const startIdle = (t: Scope) => startProgram(t, { simulationServers: ['127.0.0.1:9'] });
  /** The name of the program that ends first. */
  const firstToEnd = (programs: Readonly<Record<string, Program>>) =>
    Promise.race(Object.entries(programs).map(([name, { ended }]) => ended.then(() => name)));

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends it with status 0 while simulation servers hang and connections are open`, async (t) => {
      const hung = await startSimulationServer(t, () => undefined);
      // Promises an answer and never ends it.
      const endless = await startSimulationServer(t, (_, response) => void response.writeHead(200).write('1'));
      const program = await startProgram(t, { simulationServers: [hung.address, endless.address] });
      await eventually('both to be asked', () => hung.requests > 0 && endless.requests > 0);
      // Idle, half a request, and nothing at all.
      const idle = new RawConnection(t, program.port).send(requestText('GET /livez'));
      await idle.response();
      new RawConnection(t, program.port).send('GET / HT');
      const silent = new RawConnection(t, program.port);
      await new Promise((resolve) => silent.socket.once('connect', resolve));
      program.signal(signal);
      const { status, took, stderr } = await program.ended;
      assert.equal(status, 0);
      assert.ok(took < STOP, `${took} s`);
      assert.equal(stderr, '');
      assert.match(program.log, new RegExp(`${signal}: stopping`));
      assert.match(program.log, /stopped/);
    });
  }

  test('without clients is over before one with a client that does not agree to the close', async (t) => {
    const [free, held] = [await startIdle(t), await startIdle(t)];
    await deaf(t, held.port);
    for (const program of [held, free]) program.signal('SIGTERM');
    assert.equal(await firstToEnd({ free, held }), 'free');
    assert.equal((await free.ended).status, 0);
  });

  test('closes the sockets of all paths with code 1001', async (t) => {
    const [program, held] = [await startIdle(t), await startIdle(t)];
    await deaf(t, held.port);
    const clients = ['/', '/session', '/session'].map((path) => new SocketClient(t, program.socketUrl + path));
    await Promise.all(clients.map((client) => client.message(1)));
    for (const each of [held, program]) each.signal('SIGTERM');
    const first = firstToEnd({ program, held });
    for (const client of clients) {
      assert.equal((await client.ends()).code, 1001);
      assert.equal(client.messages.length, 1, 'nothing is sent but the end');
    }
    assert.equal(await first, 'program', 'all its clients agreed at once');
    assert.equal((await program.ended).status, 0);
  });

  test('answers what is in flight: first answers that are awaited', async (t) => {
    const hung = await startSimulationServer(t, () => undefined);
    const program = await startProgram(t, { simulationServers: [hung.address] });
    const session = program.get('/session');
    const socket = await new SocketClient(t, `${program.socketUrl}/`).open();
    program.signal('SIGTERM');
    assert.match(await session, /^Error: /);
    assert.equal((await socket.ends()).code, 1001);
    const { status, took } = await program.ended;
    assert.deepEqual([status, took < STOP], [0, true]);
  });

  test('answers what is in flight: requests that are held', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'], waiting: { hold: 50 } });
    const held = [program.get('/session'), program.get('/session')];
    await eventually('both to wait', async () => /waiting_tickets 2$/m.test(await program.get('/metrics')));
    program.signal('SIGTERM');
    for (const answer of held) assert.match(await answer, /^Error: no simulation server available at the moment\./);
    const { status, took } = await program.ended;
    assert.deepEqual([status, took < STOP], [0, true]);
  });

  test('takes no new connection once it has begun', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    await deaf(t, program.port);
    program.signal('SIGTERM');
    await eventually('the port to be closed', async () => {
      return fetch(program.url).then(
        () => false,
        () => true,
      );
    });
    assert.equal((await program.ended).status, 0);
  });

  test('is over although a client does not agree to the close', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    await deaf(t, program.port);
    const { status, took } = await program.stop();
    assert.deepEqual([status, took < STOP], [0, true]);
  });

  test('is over, with everything written down, although the name service does not answer', async (t) => {
    const folder = temporary(t);
    const preload = join(folder, 'name-service.cjs');
    // A look-up holds one of Node's four threads, as one that gets no answer does: here by a pipe without a writer.
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(
      preload,
      `const dns = require('node:dns');
       const { lookup } = dns;
       dns.lookup = (name, ...rest) =>
         name.startsWith('hung') ? require('node:fs').open(${JSON.stringify(join(folder, 'pipe'))}, 'r', () => undefined) : lookup(name, ...rest);`,
    );
    const server = await startSimulationServer(t, 10);
    const hung = Array.from({ length: 6 }, (_, i) => `hung${i}.example:80`);
    const configuration = { simulationServers: [...hung, server.address], pollInterval: 0.5 };
    const program = await startProgram(t, configuration, { folder, node: ['--require', preload] });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    await eventually('the others to be down', () => program.log.match(/is down/g)?.length === 6);
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    const { status, signal, took } = await program.stop();
    assert.ok(took < STOP, `${took} s`);
    assert.deepEqual([status, signal], [null, 'SIGTERM'], 'an orderly exit would wait for the thread');
    assert.match(program.log, /stopped/);
    const learned = JSON.parse(readFileSync(join(folder, 'state', 'learned.json'), 'utf8')) as { bookings: unknown[] };
    assert.equal(learned.bookings.length, 1);
  });

  test('a second signal ends it at once', async (t) => {
    const [twice, once] = [await startIdle(t), await startIdle(t)];
    for (const program of [once, twice]) {
      await deaf(t, program.port);
      program.signal('SIGTERM');
    }
    await eventually('the stop to have begun', () => twice.log.includes('SIGTERM: stopping'));
    twice.signal('SIGINT');
    assert.equal(await firstToEnd({ twice, once }), 'twice');
  });
});

test('a bug ends the process with status 1 and a line in the log', async (t) => {
  const folder = temporary(t);
  const preload = join(folder, 'bug.cjs');
  writeFileSync(preload, `process.on('SIGUSR2', () => { throw new Error('a bug for the test'); });`);
  const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] }, { folder, node: ['--require', preload] });
  program.signal('SIGUSR2');
  const { status, stderr } = await inTime('the end', program.ended);
  assert.equal(status, 1);
  assert.match(stderr, /a bug for the test/);
  assert.match(program.log, /\[ERROR {2}\] {2}.*a bug for the test/);
});

/** A socket that never answers, not even a close. */
async function deaf(t: Scope, port: number): Promise<void> {
  const connection = new RawConnection(t, port).send(
    requestText(
      'GET /',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  );
  assert.equal((await connection.response()).status, 101);
  connection.socket.pause();
}

/**
 * Inside the test's process, with a clock that stands still after the time in which the first probes begin, until `firstAnswers` lets the rest of the second
 * pass in which the first answers wait for them.
 */
async function starting(t: Scope, simulationServers: readonly string[]) {
  const clock = new FakeClock();
  const { url, socketUrl } = await startAppInside(t, { simulationServers: [...simulationServers], portRewrite: false }, clock);
  await clock.advance(FIRST_PROBES);
  return {
    ...{ url, socketUrl },
    get: async (path: string) => (await fetch(url + path)).text(),
    firstAnswers: () => clock.advance(1 - FIRST_PROBES),
  };
}
