/** `setup` and `doctor` of the real program. The files that they write are tried with real web servers and systemd in `test/system`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { certificateHook } from '../../src/install/setup/certificate-hook.ts';
import { askForAnswers } from '../../src/install/setup/questions.ts';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { makeCertificate } from '../support/certificate.ts';
import { ClientSocketServer } from '../support/client-socket-server.ts';
import { eventually } from '../support/eventually.ts';
import { listenersOf } from '../support/listening.ts';
import { SmtpSink, sinkPassword, sinkUser } from '../support/smtp-sink.ts';
import { runProgram, startProgram, subfolder, temporary, type Ended } from '../support/start-program.ts';

function setUp(t: TestContext, folder: string, ...more: string[]): Promise<Ended> {
  const args = ['setup', '--yes', '--server', 'webots.example.org', ...pathsIn(folder), ...more];
  return runProgram(t, args, { cwd: folder });
}

function pathsIn(folder: string): string[] {
  const file = (name: string) => join(folder, name);
  return ['--config', file('session.json'), '--unit', file('session-server.service'), '--hook', file('hook')];
}

/** TLS is agreed on at this port, with this certificate for the name that was set up. */
function servesCertificate(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'webots.example.org' });
    const end = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.once('secureConnect', () => end(socket.authorized)).once('error', () => end(false));
  });
}

test('setup replicas writes configurations that are accepted, units, and sites that find the leader', async (t) => {
  const folder = temporary(t);
  const one = { server: 'webots.example.org', listen: '127.0.0.1', simulationServers: ['sim1.example.org:2000'], ssl: false };
  writeFileSync(join(folder, 'session.json'), JSON.stringify({ ...one, port: 1999, portRewrite: false }));
  const args = ['setup', 'replicas', 'session.json', '--store', 'redis://10.0.0.5:6379/0'];
  const both = ['--replica', 'a=10.0.0.11:1999', '--replica', 'b=10.0.0.12:2999'];
  const { status, stderr, stdout } = await runProgram(t, [...args, ...both], { cwd: folder });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /On the machine of b: copy its session\.json/);
  const textOf = (name: string) => readFileSync(join(folder, 'replicas', name), 'utf8');
  const { listen, port, replicas } = JSON.parse(textOf('b/session.json')) as ConfigurationFile;
  assert.deepEqual([listen, port], [undefined, 2999]);
  assert.deepEqual(replicas, {
    ...{ store: 'redis://10.0.0.5:6379/0', passwordFile: '/etc/session-server/store-password' },
    ...{ name: 'b', address: 'http://10.0.0.12:2999' },
  });
  assert.match(textOf('a/session-server.service'), /start \/etc\/session-server\/session\.json/);
  for (const name of ['nginx.conf', 'Caddyfile', 'haproxy-backend.cfg'])
    assert.match(textOf(name), /10\.0\.0\.11:1999[^]*10\.0\.0\.12:2999/, name);
  const refused = await runProgram(t, [...args, '--replica', 'a=10.0.0.11:1999'], { cwd: folder });
  assert.deepEqual([refused.status, /at least two/.test(refused.stderr)], [2, true]);
});

describe('setup', () => {
  test('writes a configuration that is accepted without a warning, a unit and a hook, and shows them before', async (t) => {
    const folder = temporary(t);
    const { status, stdout, stderr } = await setUp(t, folder, '--registration');
    assert.equal(status, 0, stderr);
    for (const name of ['session.json', 'session-server.service', 'hook']) {
      const text = readFileSync(join(folder, name), 'utf8');
      const shown = stdout.indexOf(text);
      assert.ok(shown >= 0 && shown < stdout.indexOf(`${join(folder, name)} was written`), name);
    }
    assert.equal(statSync(join(folder, 'session.json')).mode & 0o777, 0o640);
    assert.equal(statSync(join(folder, 'hook')).mode & 0o777, 0o755);
    const checked = await runProgram(t, ['check', '--strict', join(folder, 'session.json')]);
    assert.deepEqual([checked.status, checked.stderr], [0, '']);
    assert.match(stdout, /https:\/\/webots\.example\.org\/register\/[0-9a-f]{48}/);
    assert.match(readFileSync(join(folder, 'session-server.service'), 'utf8'), /AmbientCapabilities=CAP_NET_BIND_SERVICE/);
  });

  test('writes a configuration for the gateway with which others reach it, and a certificate that comes later', async (t) => {
    const folder = temporary(t);
    const { stdout } = await setUp(t, folder);
    assert.match(stdout, /Operators sign in at https:\/\/webots\.example\.org:8443\/monitor/);
    const written = JSON.parse(readFileSync(join(folder, 'session.json'), 'utf8')) as ConfigurationFile;
    const { stateDir = '', gateway } = written;
    const inside = (path: string) => path.replace(stateDir, join(folder, 'state'));
    const { cert = '', key = '' } = gateway?.tls ?? {};
    const program = await startProgram(
      t,
      {
        // Its port is free for the test or not.
        ...{ ...written, monitor: {}, port: 0, logDir: join(folder, 'log'), stateDir: inside(stateDir) },
        gateway: {
          ...{ ...gateway, port: 0, redirectFrom: 0, acmeDir: inside(gateway?.acmeDir ?? '') },
          tls: { cert: inside(cert), key: inside(key) },
        },
      },
      { folder },
    );

    const listeners = listenersOf(program.pid);
    assert.equal(listeners.length, 3);
    for (const { port, everywhere } of listeners) assert.equal(everywhere, port !== program.port, `port ${port}`);

    // As the authority asks before it signs, over all ports but that of TLS.
    const challenge = subfolder(inside(gateway?.acmeDir ?? ''), '.well-known', 'acme-challenge');
    writeFileSync(join(challenge, 'token'), 'proof');
    const others = listeners.map(({ port }) => port).filter((port) => port !== program.port);
    const answers = await Promise.all(
      others.map((port) => fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/token`).catch(() => undefined)),
    );
    const plain = answers.findIndex((answer) => answer !== undefined);
    assert.equal(await answers[plain]?.text(), 'proof');

    // What certbot does then.
    const lineage = subfolder(folder, 'lineage');
    const pair = makeCertificate({ names: ['webots.example.org'] });
    writeFileSync(join(lineage, 'fullchain.pem'), pair.cert);
    writeFileSync(join(lineage, 'privkey.pem'), pair.key);
    const hook = certificateHook(inside(stateDir));
    const ran = spawnSync('sh', ['-c', hook], { encoding: 'utf8', env: { ...process.env, RENEWED_LINEAGE: lineage } });
    assert.deepEqual([ran.status, ran.stderr], [0, '']);
    await eventually('the certificate', () => servesCertificate(others[1 - plain] ?? 0, pair.cert));
  });

  for (const kind of ['apache', 'nginx', 'caddy', 'none'])
    test(`with ${kind} writes a configuration without a warning, and asks for no capability`, async (t) => {
      const folder = temporary(t);
      const { status, stderr } = await setUp(t, folder, '--reverse-proxy', kind);
      assert.equal(status, 0, stderr);
      const checked = await runProgram(t, ['check', '--strict', join(folder, 'session.json')]);
      assert.deepEqual([checked.status, checked.stderr], [0, '']);
      assert.doesNotMatch(readFileSync(join(folder, 'session-server.service'), 'utf8'), /CAP_NET_BIND_SERVICE/);
      assert.equal(existsSync(join(folder, 'hook')), false);
    });

  for (const [kind, address] of [
    ['none', 'webots.example.org/2000'],
    ['gateway', 'webots.example.org:2000'],
  ] as const)
    test(`says of ${address} with ${kind} what the check of the configuration says`, async (t) => {
      const folder = temporary(t);
      const { status, stderr } = await setUp(t, folder, '--front', kind, '--simulation-server', address);
      assert.equal(status, 0, stderr);
      const checked = await runProgram(t, ['check', join(folder, 'session.json')]);
      assert.match(checked.stderr, /^warning: simulationServers\[0\]: .*\n$/);
      assert.ok(stderr.includes(checked.stderr), `setup did not report it: ${checked.stderr}`);
    });

  test('replaces nothing that is different without --force, and then keeps a copy', async (t) => {
    const folder = temporary(t);
    const path = join(folder, 'session.json');
    writeFileSync(path, 'mine');
    const refused = await setUp(t, folder);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /session\.json already exists and is different; nothing was written\. Use --force/);
    assert.equal(existsSync(join(folder, 'session-server.service')), false);
    for (const backup of ['session.json.backup', 'session.json.backup-2']) {
      assert.equal((await setUp(t, folder, '--force')).status, 0);
      assert.equal(readFileSync(join(folder, backup), 'utf8'), 'mine');
      writeFileSync(path, 'mine');
    }
  });

  test('writes what the service may read, whatever the umask', async (t) => {
    const folder = temporary(t);
    const inside = join(folder, 'etc');
    const modes = () =>
      ['etc', 'etc/session.json', 'etc/session-server.service', 'etc/hook'].map((name) =>
        (statSync(join(folder, name)).mode & 0o777).toString(8),
      );
    for (const round of ['was written', 'is up to date']) {
      const { status, stdout } = await runProgram(t, ['setup', '--yes', '--server', 'webots.example.org', ...pathsIn(inside)], {
        cwd: folder,
        before: 'umask 077',
      });
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`session\\.json ${round}`));
      assert.deepEqual(modes(), ['755', '640', '644', '755']);
      // As a version wrote it that left this to the umask.
      chmodSync(join(inside, 'session.json'), 0o600);
    }
  });

  test('can be repeated', async (t) => {
    const folder = temporary(t);
    await setUp(t, folder);
    const again = await setUp(t, folder);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /session\.json is up to date/);
  });

  test('can leave the fleet to servers that register themselves', async (t) => {
    const folder = temporary(t);
    await setUp(t, folder, '--simulation-server', '-', '--registration');
    const { status, stderr, stdout } = await runProgram(t, ['check', '--strict', join(folder, 'session.json')]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /0 simulation servers/);
  });

  test('shows and writes nothing with --dry-run', async (t) => {
    const folder = temporary(t);
    const { status, stdout } = await setUp(t, folder, '--dry-run');
    assert.equal(status, 0);
    assert.match(stdout, /"server": "webots\.example\.org"/);
    assert.equal(existsSync(join(folder, 'session.json')), false);
  });

  test('prints the same files as JSON with --dry-run --json, and nothing else', async (t) => {
    const folder = temporary(t);
    const { status, stdout } = await setUp(t, folder, '--dry-run', '--json');
    assert.equal(status, 0);
    const { files } = JSON.parse(stdout) as { files: { path: string; mode: string; text: string }[] };
    assert.deepEqual(
      files.map(({ path, mode }) => [path, mode]),
      [
        [join(folder, 'session.json'), '0640'],
        [join(folder, 'session-server.service'), '0644'],
        [join(folder, 'hook'), '0755'],
      ],
    );
    assert.equal((JSON.parse(files[0]?.text ?? '') as ConfigurationFile).server, 'webots.example.org');
    assert.deepEqual(readdirSync(folder), []);
  });

  test('says what is missing or wrong', async (t) => {
    const folder = temporary(t);
    const nameless = await runProgram(t, ['setup', '--yes', '--dry-run'], { cwd: folder });
    assert.deepEqual([nameless.status, /the domain name is missing/.test(nameless.stderr)], [2, true]);
    for (const [flags, words] of [
      [['--reverse-proxy', 'iis'], /unknown choice "iis"; use one of gateway, apache/],
      [['--simulation-server', 'http://a:2000'], /is not an address/],
      [['--route', '22=localhost'], /range of ports/],
      [['--route', 'x'], /is not a route/],
      [
        ['--simulation-server', 'webots.example.org/2000', '--simulation-server', 'webots.example.org/3000'],
        /--route 3000-3999=/,
      ],
      [['--simulation-server', 'webots.example.org/443'], /has a port below 1024/],
      [['--port', '443'], /443 belongs to the reverse proxy/],
      [['--port', '80', '--front', 'apache'], /80 belongs to the reverse proxy/],
      [['--administrator', 'foo'], /"foo" is not an e-mail address/],
      [['--administrator', 'a b@example.org'], /write e-mail addresses such as/],
      [['--administrator', 'a@example.org', '--mail-server', 'https://smtp'], /write a host name/],
      [['--server', '10.0.0.5'], /certificates are issued for names/],
      [['--server', '10.0.0.5', '--front', 'nginx'], /certificates are issued for names/],
    ] as const) {
      const { status, stderr } = await setUp(t, folder, '--dry-run', ...flags);
      assert.equal(status, 2);
      assert.match(stderr, words);
    }
  });

  for (const [key, name, status] of [
    ['\\003', 'Ctrl-C', 130],
    ['\\004', 'Ctrl-D', 1],
  ] as const)
    test(`writes nothing when the person leaves by ${name}, and says so`, (t) => {
      const folder = temporary(t);
      const program = `"${process.execPath}" "${join(packageRoot, 'bin', 'session-server.mjs')}" setup --config "${folder}/a" --unit "${folder}/b" --hook "${folder}/c"`;
      // The key comes after the first question is shown.
      const keys = `until grep -q Domain screen; do sleep 0.05; done; printf '${key}'`;
      const terminal = spawnSync('sh', ['-c', `touch screen; (${keys}) | script -qefc '${program}' screen`], {
        ...{ cwd: folder, encoding: 'utf8', timeout: 10_000 },
      });
      assert.equal(terminal.status, status, terminal.stderr);
      assert.match(terminal.stdout, /nothing was written\s*$/);
      assert.doesNotMatch(terminal.stdout, /AbortError| at /);
      assert.deepEqual(readdirSync(folder), ['screen']);
    });

  for (const [port, range] of [
    [1500, '1024-1999'],
    [65_500, '65000-65535'],
  ] as const)
    test(`proposes for port ${port} a range of ports that it takes itself`, async (t) => {
      const folder = temporary(t);
      const { status, stderr } = await setUp(t, folder, '--simulation-server', `webots.example.org/${port}`);
      assert.equal(status, 0, stderr);
      const { gateway } = JSON.parse(readFileSync(join(folder, 'session.json'), 'utf8')) as ConfigurationFile;
      assert.deepEqual(gateway?.routes, { [range]: 'localhost' });
    });

  test('knows its own name in any letters, and needs none without TLS', async () => {
    const simulationServer = ['w.example.org/2000', 'W.example.org/3000'];
    const flags = { server: 'W.Example.org.', simulationServer, administrator: '', registration: false };
    const undecided = await askForAnswers(flags, undefined);
    assert.match(undecided.kind === 'refused' ? undecided.reason : '', /several simulation servers/);
    const route = ['2000-3999=localhost'];
    const decided = await askForAnswers({ ...flags, route }, undefined);
    assert.equal(decided.kind === 'answers' && decided.answers.server, 'w.example.org');
    const closed = await askForAnswers({ server: '10.0.0.5', reverseProxy: 'none' }, undefined);
    assert.equal(closed.kind === 'answers' && closed.answers.server, '10.0.0.5');
  });

  test('asks a person again after an impossible answer', async () => {
    const replies = [
      ...['', 'a b', 'webots.example.org', 'iis', 'gateway', 'http://a', 'webots.example.org/2000', 'host:1', '10.0.0.2'],
      ...[
        'webots.example.org:8443',
        'https://webots.example.org:8443',
        'foo',
        'admin@example.org',
        'https://smtp',
        'localhost',
        'no',
      ],
    ];
    const questions: string[] = [];
    const result = await askForAnswers({}, (question) => {
      questions.push(question);
      return Promise.resolve(replies[questions.length - 1] ?? assert.fail(question));
    });
    assert.equal(questions.length, replies.length);
    const again = questions.filter((question) => question.includes('\n')).map((question) => question.split('\n')[0]);
    assert.equal(again.length, 8);
    assert.match(again[4] ?? '', /^route 2000-2999: write a host name/);
    assert.deepEqual(result.kind === 'answers' && result.answers.routes, { '2000-2999': '10.0.0.2' });
  });

  test('asks a person for what is not given', async () => {
    const questions: string[] = [];
    const replies = [
      'webots.example.org',
      'gateway',
      'webots.example.org/2000 webots.example.org/3000',
      'localhost',
      '10.0.0.3',
      '-',
      'admin@example.org',
      'smtp.example.org',
      'no',
    ];
    const result = await askForAnswers({}, (question) => {
      questions.push(question);
      return Promise.resolve(replies[questions.length - 1] ?? '');
    });
    assert.equal(questions.length, replies.length);
    assert.deepEqual(result, {
      kind: 'answers',
      answers: {
        server: 'webots.example.org',
        reverseProxy: 'gateway',
        simulationServers: ['webots.example.org/2000', 'webots.example.org/3000'],
        routes: { '2000-2999': 'localhost', '3000-3999': '10.0.0.3' },
        port: 1999,
        administrator: 'admin@example.org',
        mailServer: 'smtp.example.org',
        mailSender: 'session-server@webots.example.org',
      },
    });
  });
});

describe('the site of a web server', () => {
  async function site(t: TestContext, name: string, configuration: Readonly<Record<string, unknown>>, ...more: string[]) {
    const folder = temporary(t);
    writeFileSync(join(folder, 'session.json'), JSON.stringify(configuration));
    return runProgram(t, ['setup', name, join(folder, 'session.json'), '--dry-run', ...more]);
  }

  const fleet = { server: 'w.example.org', simulationServers: ['w.example.org/2000', 'w.example.org/3000'] };

  for (const name of ['apache', 'nginx', 'caddy']) {
    test(`of ${name} forwards the ports of each machine to it, and no others`, async (t) => {
      const { status, stdout, stderr } = await site(
        t,
        name,
        fleet,
        '--route',
        '2000-2999=10.0.0.2',
        '--route',
        '3000-3499=10.0.0.3',
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, /2\[0-9\]\{3\}[\s\S]*10\.0\.0\.2/);
      assert.match(stdout, /3\[0-4\]\[0-9\]\{2\}[\s\S]*10\.0\.0\.3/);
      assert.doesNotMatch(stdout, /\\d\*|\[0-9\]\+\)\/\(/);
    });

    test(`of ${name} takes the routes of the gateway when there are some`, async (t) => {
      const { status, stdout } = await site(t, name, { ...fleet, gateway: { routes: { '2000-3999': '10.0.0.9' } } });
      assert.equal(status, 0);
      assert.match(stdout, /10\.0\.0\.9/);
    });
  }

  test('comes with the commands for a certificate that the web server takes over at each renewal', async (t) => {
    const only = { server: 'w.example.org', simulationServers: ['w.example.org/2000'] };
    const certbot = /-d w\.example\.org --key-type ecdsa --deploy-hook 'systemctl reload nginx'/;
    assert.match((await site(t, 'nginx', only)).stdout, certbot);
    const named = { gateway: { tls: { cert: '/etc/own/cert.pem', key: '/etc/own/key.pem' } } };
    assert.doesNotMatch((await site(t, 'nginx', { ...only, ...named })).stdout, /certbot certonly --webroot -w \S+ -d/);
    assert.doesNotMatch((await site(t, 'nginx', { ...only, ssl: false })).stdout, /certbot certonly --webroot -w \S+ -d/);
  });

  test('is never that of a configuration that is not installed', async (t) => {
    const folder = temporary(t);
    const local = subfolder(folder, 'config', 'session');
    writeFileSync(join(local, 'local.json'), JSON.stringify(fleet));
    for (const args of [
      ['setup', 'nginx', '--dry-run', '--route', '2000-3999=10.0.0.2'],
      ['doctor', '--json', '--timeout', '0.1'],
    ]) {
      const { stdout } = await runProgram(t, args, { cwd: folder });
      assert.doesNotMatch(stdout, /localhost:2000|server_name localhost|w\.example\.org/);
    }
  });

  test('says from which configuration it comes', async (t) => {
    const { stdout } = await site(t, 'caddy', { server: 'w.example.org', simulationServers: ['w.example.org/2000'] });
    assert.match(stdout, /^From \/\S+\/session\.json:$/m);
  });

  test('is refused when it is not known which machine has which ports', async (t) => {
    const { status, stderr } = await site(t, 'apache', fleet);
    assert.equal(status, 2);
    assert.match(stderr, /--route 2000-2999=localhost/);
  });

  test('is refused when the session server would not be found behind it', async (t) => {
    const only = { server: 'w.example.org', simulationServers: ['w.example.org/2000'] };
    for (const [keys, reason] of [
      [{ listen: '10.1.2.3' }, /"listen" is 10\.1\.2\.3, .* set "listen" to "127\.0\.0\.1"/],
      // On many machines it is ::1 alone.
      [{ listen: 'localhost' }, /"listen" is localhost, .* set "listen" to "127\.0\.0\.1"/],
      [{ port: 0 }, /"port" is 0/],
    ] as const) {
      const { status, stderr } = await site(t, 'caddy', { ...only, ...keys });
      assert.equal(status, 2);
      assert.match(stderr, reason);
    }
  });

  test('is refused when a server of the fleet is in no range', async (t) => {
    const { status, stderr } = await site(t, 'nginx', fleet, '--route', '2000-2999=localhost');
    assert.equal(status, 2);
    assert.match(stderr, /w\.example\.org\/3000 is in no range/);
  });
});

interface Report {
  readonly status: number;
  readonly findings: readonly {
    readonly check: string;
    readonly subject: string;
    readonly level: string;
    readonly text: string;
    readonly fix?: string;
  }[];
}

describe('doctor', () => {
  async function examine(t: TestContext, ...args: string[]): Promise<Report & { readonly exit: number | null }> {
    // It asks one thing after the other, and a busy machine makes each of them slow.
    const { status, stdout, stderr } = await runProgram(t, ['doctor', '--json', '--timeout', '3', ...args]);
    assert.ok(stdout.startsWith('{'), stderr);
    return { ...(JSON.parse(stdout) as Report), exit: status };
  }

  function levels({ findings }: Report): Record<string, string> {
    return Object.fromEntries(findings.map(({ check, level }) => [check, level]));
  }

  test('finds nothing wrong with what is well, mail server included', async (t) => {
    const sink = await SmtpSink.start();
    t.after(() => sink.close());
    const server = await ClientSocketServer.start(t);
    const mail = { administrator: 'a@example.org', mailServer: '127.0.0.1', mailServerPort: sink.port, mailSender: sinkUser };
    const program = await startProgram(t, { simulationServers: [server.address], ...mail, limits: { clients: 10 } });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    const report = await examine(t, program.url, '--config', program.path);
    assert.deepEqual(levels(report), {
      ...{ configuration: 'ok', name: 'ok', port: 'ok', site: 'ok', clock: 'ok', websocket: 'ok', sessions: 'ok' },
      ...{ 'mixed-content': 'ok', load: 'ok', 'client-socket': 'ok', descriptors: 'ok', mail: 'ok' },
    });
    assert.deepEqual([report.exit, report.status], [0, 0]);
    assert.equal(sink.mails.length, 0, 'no mail was sent');
  });

  test('names each fault with its fix, and exits with 2', async (t) => {
    const server = await ClientSocketServer.start(t);
    const dead = await ClientSocketServer.start(t);
    const { address } = dead;
    await dead.stop();
    server.opens = false;
    const sink = await SmtpSink.start({ names: ['localhost'] });
    t.after(() => sink.close());
    const mail = { administrator: 'a@example.org', mailServer: 'localhost', mailServerPort: sink.port, mailSender: sinkUser };
    const program = await startProgram(t, {
      simulationServers: [server.address, address],
      ...mail,
      mailSenderPassword: sinkPassword,
    });
    const report = await examine(t, program.url, '--config', program.path);
    assert.equal(report.exit, 2);
    const faults = report.findings.filter(({ level }) => level === 'fault');
    assert.deepEqual(
      faults.map(({ check, subject }) => `${check} ${subject.split(' ')[0] ?? ''}`).sort(),
      [`client-socket ${address}`, `client-socket ${server.address}`, `load ${address}`, `mail localhost:${sink.port}`].sort(),
    );
    for (const { fix } of report.findings.filter(({ level }) => level !== 'ok')) assert.ok(fix);
    assert.ok(
      faults.some(({ fix }) => fix?.endsWith(`test-notification ${program.path}`)),
      'a test by the same file',
    );
  });

  test('looks at servers that joined by themselves, and at the limits of the session server instead of its own', async (t) => {
    const server = await ClientSocketServer.start(t);
    const registration = { token: 'correct-horse-battery-staple', allowLoopback: true };
    const program = await startProgram(t, { registration, limits: { clients: 500 } }, { before: 'ulimit -n 200' });
    const form = new URLSearchParams({ url: `http://${server.address}`, shareIdleTime: '0', allowedRepositories: '' });
    await fetch(`${program.url}/register/${registration.token}`, { method: 'POST', body: form });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    const { findings } = await examine(t, program.url, '--config', program.path);
    const of = (wanted: string) => findings.filter(({ check }) => check === wanted);
    assert.deepEqual(
      of('load').map(({ subject, level }) => [subject, level]),
      [[`${server.address} directly`, 'ok']],
    );
    const [descriptors] = of('descriptors');
    assert.equal(descriptors?.level, 'warning');
    assert.match(descriptors.text, /^the limit of the session server \(200\) is enough for \d+ clients/);
    assert.match(descriptors.fix ?? '', /LimitNOFILE=\d+/);
  });

  test('says so when the session server does not answer', async (t) => {
    const folder = temporary(t);
    const dead = await ClientSocketServer.start(t);
    const { address, port } = dead;
    await dead.stop();
    writeFileSync(join(folder, 'session.json'), JSON.stringify({ simulationServers: [address], port, ssl: false }));
    const { findings } = await examine(t, `http://${address}`, '--config', join(folder, 'session.json'));
    assert.equal(findings.find(({ check }) => check === 'running')?.level, 'warning');
    assert.match(findings.find(({ check }) => check === 'descriptors')?.text ?? '', /of this shell/);
  });

  test('never advises starting a session server that is hidden by its certificate', async (t) => {
    const folder = temporary(t);
    const pair = makeCertificate({ names: ['localhost'] });
    const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(tls.cert, pair.cert);
    writeFileSync(tls.key, pair.key);
    const gateway = { enabled: true, port: 0, tls };
    const program = await startProgram(t, { simulationServers: ['127.0.0.1:1'], gateway }, { folder });
    const listener = listenersOf(program.pid).find(({ port }) => port !== program.port);
    const { findings } = await examine(t, `https://localhost:${listener?.port ?? 0}`, '--config', program.path);
    const running = findings.find(({ check }) => check === 'running');
    assert.match(running?.text ?? '', /certificate/);
    assert.equal(running?.fix, 'fix the certificate first; then run doctor again');
  });

  test('says that nothing listens, that a name is unknown, and that an address is not valid', async (t) => {
    const dead = await ClientSocketServer.start(t);
    const { address } = dead;
    await dead.stop();
    assert.equal(levels(await examine(t, `http://${address}`))['port'], 'fault');
    assert.equal(levels(await examine(t, 'https://nowhere.invalid'))['name'], 'fault');
    const nonsense = await runProgram(t, ['doctor', 'nonsense']);
    assert.equal(nonsense.status, 2);
    assert.match(nonsense.stderr, /https:\/\/webots\.example\.org/);
  });

  test('says once what is worth a look in the configuration, and once what to do about it', async (t) => {
    const path = join(temporary(t), 'session.json');
    writeFileSync(path, JSON.stringify({ simulationServers: ['127.0.0.1:1'], portRewrite: false, portRwrite: true }));
    const flags = ['--config', path, '--timeout', '0.2'];
    const { stdout, stderr } = await runProgram(t, ['doctor', 'http://127.0.0.1:1', ...flags]);
    assert.equal(stderr, '');
    const [found, fix] = stdout.split('\n');
    assert.equal(found, `WARNING  configuration  ${path}: portRwrite: unknown key, ignored — expected a documented key`);
    assert.equal(fix, '         → did you mean "portRewrite"?');
  });

  test('reports to people in lines what it reports to scripts in JSON', async (t) => {
    const server = await ClientSocketServer.start(t);
    const program = await startProgram(t, { simulationServers: [server.address] });
    await eventually('the load', async () => (await program.get('/load')) === '10');
    const { status, stdout } = await runProgram(t, ['doctor', program.url, '--config', program.path]);
    assert.equal(status, 1);
    assert.match(stdout, /^ok {7}load {2}127\.0\.0\.1:\d+ directly: reports 10%/m);
    assert.match(stdout, /^WARNING {2}mail .*\n {9}→ set "administrator"/m);
    assert.match(stdout, /\d+ checks: 0 faults, \d warnings?\./);
    const { stdout: short } = await runProgram(t, ['doctor', 'https://nowhere.invalid']);
    assert.match(short, /^1 check: 1 fault, 0 warnings\.$/m);
  });
});
