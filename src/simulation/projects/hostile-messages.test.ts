/** Start messages as an attacker writes them: none of them runs a program, reaches a file outside, or becomes an option of Git. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GitRepository, WORLD } from '../../../test/support/git-repository.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { readClientMessage } from '../../core/simulation/client-lines.ts';
import { readProjectAddress, type RunnableProject } from '../../core/simulation/project-address.ts';
import { systemClock } from '../../system/system-clock.ts';
import { runProgram } from '../launcher/run.ts';
import type { RunResult } from '../ports.ts';
import { createGitProjects } from './git.ts';

const MESSAGES = 2000;
/** Runs of Git that are real; of the others only the arguments are read. */
const FETCHED = 12;
const SEED = 14;

/** `C` stands for the path of the canary, `S` for that of a secret file. */
const PAYLOADS = [
  ...[
    '$(touch C)',
    '`touch C`',
    '${IFS}touch${IFS}C',
    '";touch C;"',
    "';touch C;'",
    '|touch C',
    '&&touch C',
    '\ntouch C\n',
    '>C',
    '<(touch C)',
  ],
  ...[
    '--upload-pack=touch C',
    '--exec=touch C',
    '-ctouch C',
    '-u touch C',
    '--output=C',
    '--config=core.sshCommand=touch C',
    '--git-dir=/',
    '-',
  ],
  ...[
    '--',
    '--end-of-options',
    'ext::sh -c touch% C',
    'ext::touch C',
    'file:///',
    'fd::7',
    'ssh://-oProxyCommand=touch C/x',
    '-oProxyCommand=touch C',
  ],
  ...[
    '..',
    '.',
    '../..',
    '..%2f..',
    '%2e%2e',
    '%252e%252e',
    '....//',
    '/S',
    'S',
    'file://S',
    '.git',
    '.git/hooks/post-checkout',
    '.GIT',
    'git~1',
    'HEAD',
  ],
  ...[
    'main@{1}',
    'main^{/x}',
    ':/x',
    ':0:worlds',
    'main:../S',
    '@',
    'refs/heads/main',
    '*',
    '?',
    '[a]',
    '~root',
    '\\..\\S',
    'C:\\S',
    'CON',
  ],
  ...[
    '\u0000',
    'a\u0000b',
    '\r\nHost: x',
    '\u202e',
    '\u2025',
    '\uff0e\uff0e\uff0f',
    '\u2215',
    '\u00ad',
    '\ud800',
    'e\u0301',
    '\u0130',
    'K',
    '\u{1f916}',
  ],
  ...[
    '%00',
    '%0a',
    '%',
    '%zz',
    '#',
    '?x',
    '&',
    '=',
    'user:secret@github.com',
    '@evil.example',
    '127.0.0.1',
    '[::1]',
    '0x7f.1',
    'github.com.evil.example',
  ],
  ...[
    'x'.repeat(300),
    'x'.repeat(5000),
    ' ',
    '\t',
    '',
    'a b',
    '__proto__',
    'constructor',
    '{project}',
    '{port}',
    '%s%n',
    'main',
    'arm',
    'acme',
  ],
];

/** Half a character cannot be encoded. */
const encoded = (text: string) => encodeURIComponent(text.replaceAll('\ud800', ''));

const WRAPPERS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => encoded(text),
  (text) => encoded(encoded(text)),
  (text) => `"${text}"`,
  (text) => `-${text}`,
  (text) => `a${text}`,
  (text) => `${text}/x`,
  (text) => text.toUpperCase(),
];

/** Places of a start message. */
const PLACES: readonly ((text: string) => unknown)[] = [
  (text) => ({ start: { url: text } }),
  (text) => ({ start: { url: `https://${text}/acme/arm/blob/main/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `${text}https://github.com/acme/arm/blob/main/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/${text}/arm/blob/main/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/${text}/blob/main/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/${text}/main/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/blob/${text}/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/blob/main/${text}/worlds/arm.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/blob/main/worlds/${text}` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/blob/main/worlds/${text}.wbt` } }),
  (text) => ({ start: { url: `https://github.com/acme/arm/blob/main/worlds/arm.wbt${text}` } }),
  (text) => ({ start: { url: 'https://github.com/acme/arm/blob/main/worlds/arm.wbt', mode: text } }),
  (text) => ({ start: { url: [text], mode: { toString: text } } }),
  (text) => ({ [text]: { url: text }, start: text }),
  (text) => ({ 'reset controller': text }),
  (text) => ({ 'reset controller': `arm/${text}` }),
];

function* messages(canary: string, secret: string): Generator<string> {
  const random = seededRandom(SEED);
  const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  // Each payload in each place once, then at random.
  let next = 0;
  for (let count = 0; count < MESSAGES; count += 1) {
    const plain = next < PAYLOADS.length * PLACES.length;
    const [payload, place] = plain
      ? [PAYLOADS[next % PAYLOADS.length]!, PLACES[Math.floor(next / PAYLOADS.length)]!]
      : [pick(PAYLOADS) + pick(PAYLOADS), pick(PLACES)];
    next += 1;
    const wrap = plain ? WRAPPERS[0]! : pick(WRAPPERS);
    yield JSON.stringify(place(wrap(payload.replaceAll('C', canary).replaceAll('S', secret))));
  }
}

const nothing: RunResult = { status: 0, stdout: new Uint8Array(), stderr: '' };

test(`${MESSAGES} start messages with commands, paths and options in every place stay data`, async (t) => {
  const folder = await temporaryFolder(t);
  const [canary, secret] = [join(folder, 'canary'), join(folder, 'secret')];
  writeFileSync(secret, 'precious');
  const repository = new GitRepository(join(folder, 'mirror'), 'acme/arm');
  repository.commit({ 'worlds/arm.wbt': WORLD });
  const commands: (readonly string[])[] = [];
  let isReal = false;
  const projects = createGitProjects({
    settings: () => ({
      cache: {
        ...{ dir: join(folder, 'cache'), bytes: 1e10, leaveFree: 0, projectBytes: 1e9, refreshAfter: 10, staleFor: 0 },
        ...{ fetches: 4, fetchTimeout: 30 },
      },
      projects: { mirrors: { 'https://github.com/': `file://${join(folder, 'mirror')}/` }, hosts: [] },
    }),
    launcher: {
      run: (argv, options) => {
        commands.push(argv);
        return isReal ? runProgram(argv, options) : Promise.resolve(nothing);
      },
    },
    ...{ clock: systemClock, log: new MemoryLog(), disk: { free: () => Promise.resolve(1e12) } },
  });
  const accepted = new Map<string, RunnableProject>();
  for (const message of messages(canary, secret)) {
    const read = readClientMessage(message);
    if (read.kind === 'reset-controller') assert.match(read.file, /^[\w+-][\w.+-]*\/[\w+-][\w.+-]*$/, message);
    if (read.kind !== 'start') continue;
    const address = readProjectAddress(read.url, { hosts: [], extension: '.wbt' });
    if (address.kind === 'project') accepted.set(address.project.url, address.project);
  }
  assert.ok(accepted.size > 20, `only ${accepted.size} reached Git`);
  for (const project of accepted.values()) {
    isReal = commands.length < FETCHED;
    const result = await projects.checkout(project, new AbortController().signal);
    if (result.kind === 'checkout') assert.ok(!result.checkout.folder.includes('..'), project.url);
  }
  for (const argv of commands) assertHarmless(argv, folder);
  assert.ok(!existsSync(canary), 'the canary');
  assert.equal(readFileSync(secret, 'utf8'), 'precious');
});

/** What comes from a message is after `--end-of-options`, and is neither an option, nor another way to fetch, nor a path with dots. */
function assertHarmless(argv: readonly string[], folder: string): void {
  assert.equal(argv[0], 'git');
  const end = argv.indexOf('--end-of-options');
  for (const argument of end < 0 ? [] : argv.slice(end + 1)) {
    assert.doesNotMatch(argument, /[\p{C}\p{Z}]/u, argument);
    assert.doesNotMatch(argument, /^-|::|\.\.|[\s$`"'\\;|&<>]/, argument);
    if (argument.includes('://')) assert.ok(argument.startsWith(`file://${folder}/mirror/`), argument);
  }
  const before = argv.slice(1, end < 0 ? undefined : end).join('\n');
  assert.doesNotMatch(before.replaceAll(join(folder, 'cache'), ''), /canary|secret|touch/);
}

test('what a repository holds is data: hooks, filters, submodules, LFS pointers and links run nothing and reach no file outside', async (t) => {
  const folder = await temporaryFolder(t);
  const [canary, secret] = [join(folder, 'canary'), join(folder, 'secret')];
  writeFileSync(secret, 'precious');
  const mirror = join(folder, 'mirror');
  const repository = new GitRepository(mirror, 'acme/arm');
  const evil = `touch ${canary}`;
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:' + 'a'.repeat(64) + '\nsize 99999999999\n';
  repository.commit(
    {
      'worlds/arm.wbt': WORLD,
      '.gitattributes': '* filter=evil diff=evil merge=evil\n*.bin filter=lfs\n*.txt ident\n',
      '.gitconfig': `[filter "evil"]\n\tsmudge = ${evil}\n[core]\n\tfsmonitor = ${evil}\n\tsshCommand = ${evil}\n`,
      '.lfsconfig': `[lfs]\n\turl = ext::sh -c ${evil}\n`,
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ../../../secret\n\tupdate = none\n`,
      'hooks/post-checkout': `#!/bin/sh\n${evil}\n`,
      'big.bin': pointer,
      'a.txt': '$Id$',
      '-rf': 'x',
      [`worlds/$(touch canary).wbt`]: WORLD,
    },
    { 'worlds/secret.wbt': secret, 'webots.yml': secret, Dockerfile: secret, controllers: '/etc', loop: '.' },
  );
  const projects = createGitProjects({
    settings: () => ({
      cache: {
        ...{ dir: join(folder, 'cache'), bytes: 1e10, leaveFree: 0, projectBytes: 1e9, refreshAfter: 10, staleFor: 0 },
        ...{ fetches: 4, fetchTimeout: 30 },
      },
      projects: { mirrors: { 'https://github.com/': `file://${mirror}/` }, hosts: [] },
    }),
    launcher: { run: runProgram },
    ...{ clock: systemClock, log: new MemoryLog(), disk: { free: () => Promise.resolve(1e12) } },
  });
  const open = async (world: string) => {
    const address = readProjectAddress(`https://github.com/acme/arm/blob/main/worlds/${world}`, { hosts: [], extension: '.wbt' });
    assert.ok(address.kind === 'project', world);
    return projects.checkout(address.project, new AbortController().signal);
  };
  const result = await open('arm.wbt');
  assert.ok(result.kind === 'checkout', JSON.stringify(result));
  const { checkout } = result;
  assert.deepEqual([checkout.webotsYaml, checkout.recipes], [undefined, []], 'links are not read');
  assert.equal(await checkout.readFile('controllers/passwd', 100_000), undefined);
  assert.equal(await checkout.readFile('worlds/secret.wbt', 100_000), undefined);
  assert.deepEqual([...checkout.links].sort(), ['Dockerfile', 'controllers', 'loop', 'webots.yml', 'worlds/secret.wbt']);
  assert.equal(readFileSync(join(checkout.folder, 'big.bin'), 'utf8'), pointer, 'a pointer stays one');
  assert.ok(lstatSync(join(checkout.folder, 'controllers')).isSymbolicLink());
  assert.ok(!readdirSync(checkout.folder).includes('.git'));
  const linked = await open('secret.wbt');
  assert.ok(linked.kind === 'refused' && linked.ending.code === 1008, 'a world that is a link');
  assert.ok(!existsSync(canary), 'the canary');
});
