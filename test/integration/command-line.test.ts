/**
 * docs/design/protocol.md, "Configuration file" from the outside: arguments, exit statuses, what is on stderr, and
 * the log file. What each problem of a file says is tested with its reader.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { runProgram, startChild, startProgram, subfolder, temporary, type Scope } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

/** As the original writes them. */
const LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[(?:DEBUG  |INFO   |WARNING|ERROR  )\] {2}\S/;
const BIN = join(import.meta.dirname, '..', '..', 'bin', 'session-server.mjs');
const STACK = /\n\s+at |node:internal|file:\/\//;
const VERSION = (JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as { version: string })
  .version;

function fileWith(scope: Scope, content: unknown): string {
  const path = join(temporary(scope), 'session.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const lines = (text: string) => text.trimEnd().split('\n');

describe('arguments', () => {
  test('several files are refused with exit status 2 and one line', async (t) => {
    const { status, stdout, stderr } = await runProgram(t, ['a.json', 'b.json']);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.equal(lines(stderr).length, 1);
    assert.match(stderr, /^error: too many arguments for 'start'\. Expected 1 argument but got 2\.$/m);
  });

  test('none means config/session/local.json of the working directory', async (t) => {
    const folder = temporary(t);
    writeFileSync(join(subfolder(folder, 'config', 'session'), 'local.json'), '{"port": 0}');
    const { status, stderr } = await runProgram(t, [], { cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, /^error: simulationServers: missing/);
  });

  test('none, without such a file, means the one that ships with the package', async (t) => {
    const { status, stdout, stderr } = await runProgram(t, ['check'], { cwd: temporary(t) });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /config\/session\/local\.json: 1 simulation server,/);
  });

  test('a relative path begins at the working directory, and so does logDir', async (t) => {
    const folder = temporary(t);
    const program = await startProgram(t, { logDir: 'own/log', stateDir: 'own/state' }, { folder, cwd: folder });
    await program.stop();
    assert.match(readFileSync(join(folder, 'own/log/session/output.log'), 'utf8'), /running on port/);
  });

  test('variables in logDir are expanded', async (t) => {
    const folder = temporary(t);
    const program = await startProgram(t, { logDir: '$WHERE/log' }, { folder, env: { WHERE: join(folder, 'there') } });
    await program.stop();
    assert.match(readFileSync(join(folder, 'there/log/session/output.log'), 'utf8'), /running on port/);
  });

  test('--version says the version of the package', async (t) => {
    const { status, stdout } = await runProgram(t, ['--version']);
    assert.deepEqual([status, stdout], [0, `${VERSION}\n`]);
  });

  test('--help names every command', async (t) => {
    const { status, stdout } = await runProgram(t, ['--help']);
    assert.equal(status, 0);
    for (const command of [
      'start',
      'check',
      'schema',
      'test-notification',
      'forget-costs',
      'agent',
      'token',
      'setup',
      'doctor',
      'completion',
    ])
      assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
  });

  test('from a folder that was removed: one line that says so', (t) => {
    const cwd = subfolder(temporary(t), 'removed');
    const { status, stderr } = spawnSync('/bin/sh', ['-c', `rmdir '${cwd}' && '${process.execPath}' '${BIN}' check /x.json`], {
      cwd,
    });
    assert.equal(status, 1);
    assert.equal(String(stderr), 'error: the current folder was removed — change to another one with "cd" and try again\n');
  });

  test('before it was built: one line that says how to', (t) => {
    const copy = join(subfolder(temporary(t), 'bin'), 'session-server.mjs');
    copyFileSync(BIN, copy);
    const { status, stderr } = spawnSync(process.execPath, [copy]);
    assert.equal(status, 1);
    assert.match(String(stderr), /^error: the program is not built yet — run "npm ci && npm run build" in \/\S+\n$/);
  });

  test('an option that does not exist is refused without a stack trace', async (t) => {
    const { status, stderr } = await runProgram(t, ['--prot', '80']);
    assert.equal(status, 2);
    assert.match(stderr, /unknown option '--prot'/);
    assert.doesNotMatch(stderr, STACK);
  });

  for (const [args, says] of [
    [['chekc', 'x.json'], /^error: unknown command "chekc"\. Did you mean "check"\?$/],
    [['frobnicate'], /^error: unknown command "frobnicate"\. session-server --help lists the commands\.$/],
    [['check', 'a.json', 'b.json'], /^error: too many arguments/],
    [['start', '--agent', 'a.json', 'b.json'], /^error: too many arguments: a\.json, b\.json; name one configuration file$/],
    [['doctor', '--timeout', '0'], /^error: .*number of seconds above 0/],
    [['doctor', 'ftp://x'], /^error: "ftp:\/\/x" is not the address of a site/],
    [['setup', 'nginx', '--json'], /^error: --json needs --dry-run/],
  ] as const)
    test(`a wrong command line has exit status 2: ${args.join(' ')}`, async (t) => {
      const { status, stdout, stderr } = await runProgram(t, [...args], { cwd: temporary(t) });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr.trimEnd(), says);
      assert.doesNotMatch(stderr, STACK);
    });

  test('a configuration file that has the name of a word is started, not taken for a command', async (t) => {
    const folder = temporary(t);
    writeFileSync(join(folder, 'chekc'), '{}');
    const { status, stderr } = await runProgram(t, ['chekc'], { cwd: folder });
    assert.equal(status, 2);
    assert.match(stderr, /^error: simulationServers: missing/);
  });

  test('schema prints a JSON Schema, token a token and its hash', async (t) => {
    const schema = await runProgram(t, ['schema']);
    assert.equal(schema.status, 0);
    assert.ok('simulationServers' in (JSON.parse(schema.stdout) as { properties: object }).properties);
    const token = await runProgram(t, ['token', 'Ada']);
    assert.equal(token.status, 0);
    assert.match(token.stdout, /"name":"Ada"/);
    assert.match(token.stdout, /sha256:[0-9a-f]{64}/);
    const asJson = await runProgram(t, ['token', 'Ada', '--json', '--read-only']);
    const made = JSON.parse(asJson.stdout) as { name: string; token: string; hash: string; readOnly: boolean };
    assert.deepEqual([made.name, made.hash, made.readOnly], ['Ada', hashOf(made.token), true]);
  });
});

describe('a configuration that is refused', { concurrency: 2 }, () => {
  const bad: readonly (readonly [what: string, content: unknown, says: RegExp])[] = [
    ['not JSON', '{"port": 1999,,}', /line 1/],
    ['without simulationServers', {}, /^error: simulationServers: missing/],
    [
      'with white space in an address',
      { simulationServers: ['host/2000', ' host2/2000'] },
      /^error: simulationServers\[1\]: .*white space/,
    ],
  ];
  for (const [what, content, says] of bad) {
    test(`${what}: exit status 2, one line that says where and what, nothing started`, async (t) => {
      const path = fileWith(t, content);
      const { status, stdout, stderr } = await runProgram(t, [path]);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, STACK);
      assert.equal(lines(stderr).length, 1, stderr);
    });
  }

  test('check and start say the same', async (t) => {
    const path = fileWith(t, { simulationServers: ['host/webots'], port: -1 });
    const [plain, ...others] = await Promise.all([[path], ['start', path], ['check', path]].map((args) => runProgram(t, args)));
    assert.ok(plain);
    for (const { status, stderr } of others) assert.deepEqual([status, stderr], [2, plain.stderr]);
  });

  test('check --json says the same to a program', async (t) => {
    const path = fileWith(t, { simulationServers: ['host/webots'], port: '1999', ssl: 0, polInterval: 3 });
    const { status, stdout, stderr } = await runProgram(t, ['check', '--json', path]);
    assert.deepEqual([status, stderr], [2, '']);
    const result = JSON.parse(stdout) as Record<string, unknown> & { errors: Record<string, string>[] };
    assert.deepEqual([result['accepted'], result['path']], [false, path]);
    assert.deepEqual(result.errors.map(({ key, value, fix }) => [key, value, fix]).slice(0, 2), [
      ['ssl', '0', 'write false without quotes'],
      ['port', '"1999"', 'write 1999 without quotes'],
    ]);
    assert.match(JSON.stringify(result['warnings']), /did you mean \\"pollInterval\\"\?/);
  });

  test('a file that is missing, and a folder, are named', async (t) => {
    const folder = temporary(t);
    for (const path of [join(folder, 'none.json'), folder]) {
      const { status, stderr } = await runProgram(t, [path]);
      assert.equal(status, 2);
      assert.ok(stderr.startsWith(`error: ${path}: `), stderr);
      assert.equal(lines(stderr).length, 1);
    }
  });

  test('all problems are reported at once, each in its line, with the warnings', async (t) => {
    const path = fileWith(t, {
      simulationServers: ['http://a', 'b:0', 'c:2000'],
      port: 70_000,
      ssl: 1,
      debug: 'x',
      fullyQualifiedDomainName: 'a.b',
    });
    const { status, stderr } = await runProgram(t, [path]);
    assert.equal(status, 2);
    const keys = lines(stderr).map((line) => /^(error|warning): ([^:]+):/.exec(line)?.slice(1, 3).join(' '));
    for (const key of ['simulationServers[0]', 'simulationServers[1]', 'port', 'ssl', 'debug'])
      assert.ok(keys.includes(`error ${key}`), stderr);
    assert.ok(keys.includes('warning fullyQualifiedDomainName'), stderr);
    assert.equal(lines(stderr).length, 6);
  });

  test('text of the file cannot forge a line', async (t) => {
    const { stderr } = await runProgram(t, [fileWith(t, { simulationServers: ['a\nerror: forged', '\u001b[2Jb'] })]);
    assert.equal(lines(stderr).length, 2);
    assert.doesNotMatch(stderr, /\u001b/);
  });
});

describe('a configuration with warnings', () => {
  const odd = {
    port: 0,
    simulationServers: ['a.example/2000', 'A.example/2000'],
    simulationServer: [],
    mailServer: 'smtp.example.org',
  };

  test('has a certificate whose chain not all programs accept: check and the start say what to use', async (t) => {
    const issuer = makeCertificate({ names: ['Issuer'] });
    const pair = makeCertificate({ names: ['localhost'], issuer: { name: 'Issuer', key: issuer.key } });
    const folder = temporary(t);
    const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(tls.cert, pair.cert);
    writeFileSync(tls.key, pair.key);
    const gateway = { enabled: true, port: 0, listen: '127.0.0.1', tls, routes: { '2000-2999': 'localhost' } };
    const configuration = { server: 'localhost', simulationServers: ['127.0.0.1:2000'], gateway };
    const expected = /gateway\.tls: the certificate is alone, without that of CN=Issuer.* use fullchain\.pem/;
    const { status, stderr } = await runProgram(t, ['check', fileWith(t, configuration)]);
    assert.equal(status, 0);
    assert.match(stderr, expected);
    const program = await startProgram(t, configuration);
    await eventually('the warning in the log', () => expected.test(program.log));
  });

  test('is accepted, counted, and refused by check --strict', async (t) => {
    const path = fileWith(t, odd);
    const check = await runProgram(t, ['check', path]);
    assert.equal(check.status, 0);
    assert.match(check.stdout, /1 simulation server, \d warnings, no errors/);
    assert.match(check.stderr, /^warning: simulationServer: .*did you mean "?simulationServers/m);
    for (const args of [
      ['check', '--strict', path],
      ['check', path, '--strict'],
    ])
      assert.equal((await runProgram(t, args)).status, 2);
  });

  test('is rejected by check --strict --json, with the facts that its keys do not show', async (t) => {
    const path = fileWith(t, { ...odd, logDir: 'own/log' });
    const { status, stdout } = await runProgram(t, ['check', '--strict', '--json', path], { cwd: '/tmp' });
    assert.equal(status, 2);
    const { accepted, errors, warnings, ...facts } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([accepted, errors, (warnings as unknown[]).length > 0], [false, [], true]);
    assert.deepEqual(facts, {
      ...{ path, simulationServers: 1, log: '/tmp/own/log/session/output.log', state: '/tmp/own/state', email: 'none' },
      links: 'wss for clients, https for polling',
    });
  });

  test('runs, and the warnings are in the log', async (t) => {
    const program = await startProgram(t, { ...odd, portRewrite: true });
    await eventually('the warnings in the log', () => /\[WARNING\] {2}simulationServer: /.test(program.log));
    assert.match(program.log, /\[WARNING\] {2}administrator: missing .*e-mail is disabled/);
    assert.equal(await program.get('/load'), '-1');
  });
});

describe('the port', () => {
  test('that is already in use: one line with port and key, exit status 1, and nothing is left running', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '::', resolve));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const server = await startSimulationServer(t, 10);
    const path = fileWith(t, { port, simulationServers: [server.address], ssl: false, portRewrite: false, logDir: temporary(t) });
    const { status, stdout, stderr } = await runProgram(t, [path]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.equal(lines(stderr).length, 1, stderr);
    assert.match(stderr, new RegExp(`^error: port: ${port} .*another program`));
    assert.equal(server.connections, 0, 'the port is found taken before anything is probed');
  });

  test('of the agent may be left out before the configuration file', async (t) => {
    const { stderr } = await runProgram(t, ['start', '--agent', join(temporary(t), 'missing.json')]);
    assert.match(stderr, /^error: .*missing\.json/);
  });

  test('of the agent that is already in use is named as well', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '::', resolve));
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const path = fileWith(t, { port: 0, simulationServers: ['127.0.0.1:9'], portRewrite: false, logDir: temporary(t) });
    for (const args of [
      ['start', '--agent', String(port), path],
      ['agent', '--port', String(port)],
    ]) {
      const { status, stderr } = await runProgram(t, args);
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`^error: --(agent|port): ${port} .*another program`, 'm'));
      assert.doesNotMatch(stderr, STACK);
    }
  });
});

describe('an address to listen on', () => {
  test('is the only one, and the one to open next', async (t) => {
    const program = await startProgram(t, { listen: '127.0.0.2', simulationServers: ['127.0.0.1:9'] });
    const url = await eventually('the address', () => /http:\S+(?=\/monitor)/.exec(program.stdout)?.[0]);
    assert.equal(url, `http://127.0.0.2:${program.port}`);
    assert.equal(await (await fetch(url)).text(), '0');
    await assert.rejects(fetch(`http://127.0.0.1:${program.port}/`));
    await assert.rejects(fetch(`http://[::1]:${program.port}/`));
  });

  test('that this machine does not have: one line, exit status 1', async (t) => {
    const { status, stderr } = await runProgram(t, [
      fileWith(t, { port: 0, listen: '192.0.2.1', simulationServers: ['127.0.0.1:9'], portRewrite: false, logDir: temporary(t) }),
    ]);
    assert.equal(status, 1);
    assert.equal(lines(stderr).length, 1, stderr);
    assert.match(stderr, /listen/);
    assert.doesNotMatch(stderr, STACK);
  });

  test('that the gateway would have and this machine does not have is reported with its own key', async (t) => {
    const { status, stderr } = await runProgram(t, [
      fileWith(t, {
        ...{ port: 0, simulationServers: ['127.0.0.1:9'], portRewrite: false, logDir: temporary(t) },
        gateway: { enabled: true, port: 0, listen: '192.0.2.1', routes: { '2000-2999': 'localhost' } },
      }),
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /^error: gateway\.listen: 192\.0\.2\.1 — this machine does not have the address/m);
  });

  test('that is an unknown name: one line, exit status 1', async (t) => {
    const { status, stderr } = await runProgram(t, [
      fileWith(t, {
        port: 0,
        listen: 'nowhere.invalid',
        simulationServers: ['127.0.0.1:9'],
        portRewrite: false,
        logDir: temporary(t),
      }),
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /^error: .*listen/m);
    assert.doesNotMatch(stderr, STACK);
  });

  test('is IPv4 alone on a machine without IPv6', async (t) => {
    const folder = temporary(t);
    const preload = join(folder, 'without-ipv6.cjs');
    // What a kernel without IPv6 answers.
    writeFileSync(
      preload,
      `const { Server } = require('node:net');
       const { listen } = Server.prototype;
       Server.prototype.listen = function (options, ...rest) {
         if (options.host !== '::') return listen.call(this, options, ...rest);
         process.nextTick(() => this.emit('error', Object.assign(new Error('listen EAFNOSUPPORT'), { code: 'EAFNOSUPPORT', syscall: 'listen' })));
         return this;
       };`,
    );
    const program = await startProgram(t, {}, { folder, node: ['--require', preload] });
    assert.equal(await program.get('/'), '0');
  });
});

describe('the log', { concurrency: 2 }, () => {
  test('is in logDir/session/output.log, in lines as the original writes them', async (t) => {
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
    await eventually('a line about the server', () => program.log.includes('127.0.0.1:9'));
    for (const line of lines(program.log)) assert.match(line, LINE);
    assert.match(lines(program.log)[0] ?? '', new RegExp(`\\[INFO   \\] {2}Session server running on port ${program.port}\\b`));
    assert.doesNotMatch(program.stdout, /\[INFO/);
  });

  test('is appended to by the next run', async (t) => {
    const folder = temporary(t);
    for (const run of [1, 2]) {
      const program = await startProgram(t, {}, { folder });
      await program.stop();
      assert.equal(program.log.match(/running on port/g)?.length, run);
    }
  });

  test('is on stdout with debug, in more detail, and there is no file', async (t) => {
    const program = await startProgram(t, { debug: true });
    await eventually('a line', () => /^\d{4}-.*\[INFO {3}\] {2}Session server running on port \d+/m.test(program.stdout));
    assert.equal(program.log, '');
  });

  test('is one JSON object a line when asked for', async (t) => {
    const program = await startProgram(t, { logFormat: 'json', simulationServers: ['127.0.0.1:9'] });
    await eventually('a line about the server', () => program.log.includes('127.0.0.1:9'));
    for (const line of lines(program.log)) {
      const { level, time, message } = JSON.parse(line) as Record<string, unknown>;
      assert.match(String(level), /^(debug|info|warn|error)$/);
      assert.ok(!Number.isNaN(Date.parse(String(time))));
      assert.equal(typeof message, 'string');
    }
  });

  test('on stdout as JSON has nothing between its lines that is none', async (t) => {
    const path = fileWith(t, {
      ...{ port: 0, debug: true, logFormat: 'json', portRewrite: false, logDir: temporary(t), stateDir: temporary(t) },
      simulationServers: ['127.0.0.1:9'],
    });
    const child = startChild(t, [path]);
    await eventually('what runs where, on stderr', () => /^Open http:.*\/monitor/m.test(child.stderr));
    await eventually('the server in the log', () => child.stdout.includes('127.0.0.1:9'));
    child.signal('SIGTERM');
    for (const line of lines((await child.ended).stdout))
      assert.equal(typeof (JSON.parse(line) as { message: unknown }).message, 'string');
  });

  test('takes no line from a simulation server, whatever it answers', async (t) => {
    const forged = '1\n2026-11-22 15:18:24,789 [ERROR  ]  forged\r\n\u001b[31m\u2028forged too';
    const server = await startSimulationServer(t, (_, response) => response.end(forged));
    const program = await startProgram(t, { simulationServers: [server.address], pollInterval: 0.5 });
    await eventually('what it answered', () => program.log.includes('not a number'));
    for (const line of lines(program.log)) {
      assert.match(line, LINE);
      assert.doesNotMatch(line, /\] {2}forged|[\r\u001b\u2028]/);
    }
  });

  test('says what a misbehaving server did once, not at every poll', async (t) => {
    const server = await startSimulationServer(t, (_, response) => response.end('<html>'));
    const program = await startProgram(t, { simulationServers: [server.address], pollInterval: 0.5, downAfter: 1 });
    await eventually('five polls', () => server.requests >= 5);
    assert.equal(program.log.match(/gave no usable load: its answer/g)?.length, 1);
  });

  test('is not filled by a flood of requests', async (t) => {
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address], allocation: { learning: false } });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 30 }, (_, i) => program.get(i % 2 === 0 ? '/session' : `/session?url=${'x'.repeat(i)}`)),
      );
    }
    assert.ok(lines(program.log).length < 60, `${lines(program.log).length} lines`);
  });

  test('holds no password, whatever goes wrong', async (t) => {
    const program = await startProgram(t, {
      simulationServers: ['127.0.0.1:9'],
      administrator: 'admin@example.org',
      mailServer: '127.0.0.1',
      mailServerPort: 9,
      mailSender: 'robot@example.org',
      mailSenderPassword: 'correct horse battery',
      webhooks: [{ url: 'http://user:hunter22@127.0.0.1:9/hook?token=abcdefgh', secret: 'staple-staple' }],
      pollInterval: 0.2,
      downAfter: 1,
    });
    await eventually('notices that fail', () => /notif|mail|webhook/i.test(program.log));
    await program.stop();
    assert.doesNotMatch(program.log + program.stdout + program.stderr, /horse|hunter22|abcdefgh|staple/);
  });
});

describe('a log that cannot be written', { concurrency: 2 }, () => {
  test('because something else has the name of its folder: reported once on stderr, and the service continues', async (t) => {
    const folder = temporary(t);
    writeFileSync(join(folder, 'log'), 'a file');
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address] }, { folder });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    assert.equal(lines(program.stderr).length, 1, program.stderr);
    assert.match(program.stderr, /output\.log cannot be written.*The service continues/);
    assert.equal((await program.stop()).status, 0);
  });

  test('because the disk is full: reported once on stderr, and the service continues', async (t) => {
    const folder = temporary(t);
    symlinkSync('/dev/full', join(subfolder(folder, 'log', 'session'), 'output.log'));
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address] }, { folder });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    assert.equal(program.stderr.match(/cannot be written/g)?.length, 1, program.stderr);
    assert.equal((await program.stop()).status, 0);
  });

  test('because its folder was removed: it is created again', async (t) => {
    const folder = temporary(t);
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] }, { folder });
    await eventually('a line', () => program.log.includes('running on port'));
    rmSync(join(folder, 'log'), { recursive: true });
    program.signal('SIGHUP');
    await eventually('a line in the new file', () => {
      program.signal('SIGHUP');
      return program.log.includes('configuration read again');
    });
    assert.equal(await program.get('/'), '0');
  });

  test('and a state folder that cannot be written cost a line and nothing else', async (t) => {
    const folder = temporary(t);
    writeFileSync(join(folder, 'state'), 'a file');
    const server = await startSimulationServer(t, 10);
    const program = await startProgram(t, { simulationServers: [server.address] }, { folder });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    assert.equal((await program.stop()).status, 0);
    assert.match(program.log, /could not be written/);
    for (const line of lines(program.log)) assert.match(line, LINE);
  });
});
