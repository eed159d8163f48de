import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { GitRepository, startGitServer, WORLD } from '../../../test/support/git-repository.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { systemClock } from '../../system/system-clock.ts';
import { readProjectAddress } from '../../core/simulation/project-address.ts';
import type { Clock } from '../../ports.ts';
import { runProgram } from '../launcher/run.ts';
import type { Checkout } from '../ports.ts';
import { createGitProjects, type GitProjects } from './git.ts';

const never = new AbortController().signal;
const GIB = 1024 ** 3;
const files = {
  'README.md': 'outside of the folder',
  'robots/worlds/arm.wbt': WORLD,
  'robots/controllers/arm/arm.py': 'print("arm")\n',
  'robots/webots.yml': 'type: demo\n',
};

interface Fixture {
  readonly projects: GitProjects;
  readonly folder: string;
  readonly repository: GitRepository;
  readonly log: MemoryLog;
  free: number;
  checkout(url: string, signal?: AbortSignal): Promise<Checkout>;
  refusal(url: string): Promise<{ readonly reason: string; readonly code: number; readonly text?: string }>;
}

interface FixtureOptions {
  readonly mirror?: string;
  readonly clock?: Clock;
  readonly cache?: Partial<{
    projectBytes: number;
    bytes: number;
    fetchTimeout: number;
    refreshAfter: number;
    leaveFree: number;
  }>;
}

async function fixture(t: TestContext, root: string, options: FixtureOptions = {}): Promise<Fixture> {
  const folder = await temporaryFolder(t);
  const log = new MemoryLog();
  const cache = {
    ...{ dir: join(folder, 'cache'), bytes: 10 * GIB, leaveFree: 0, projectBytes: 500_000_000, refreshAfter: 10, staleFor: 1000 },
    ...{ fetches: 4, fetchTimeout: 30, ...options.cache },
  };
  const state = { free: 100 * GIB };
  const mirrors = { 'https://github.com/': options.mirror ?? `file://${root}/` };
  const projects = createGitProjects({
    ...{ settings: () => ({ cache, projects: { mirrors, hosts: [] } }), launcher: { run: runProgram }, log },
    clock: options.clock ?? systemClock,
    disk: { free: () => Promise.resolve(state.free) },
  });
  const ask = (url: string, signal = new AbortController().signal) => {
    const address = readProjectAddress(url, { hosts: [], extension: '.wbt' });
    assert.ok(address.kind === 'project', JSON.stringify(address));
    return projects.checkout(address.project, signal);
  };
  return {
    ...{ projects, folder, log, repository: new GitRepository(root, 'acme/arm') },
    get free() {
      return state.free;
    },
    set free(bytes) {
      state.free = bytes;
    },
    async checkout(url, signal) {
      const result = await ask(url, signal);
      assert.ok(result.kind === 'checkout', JSON.stringify(result));
      return result.checkout;
    },
    async refusal(url) {
      const result = await ask(url);
      assert.ok(result.kind === 'refused', 'it is refused');
      return result.ending;
    },
  };
}

const URL_OF_WORLD = 'https://github.com/acme/arm/blob/main/robots/worlds/arm.wbt';

test('a checkout holds the folder of the world at the commit of its branch, and nothing of Git', async (t) => {
  const f = await fixture(t, await temporaryFolder(t));
  const commit = f.repository.commit(files);
  const checkout = await f.checkout(URL_OF_WORLD);
  assert.equal(checkout.commit, commit);
  assert.deepEqual(readdirSync(checkout.folder).sort(), ['controllers', 'webots.yml', 'worlds']);
  assert.equal(readFileSync(join(checkout.folder, 'worlds/arm.wbt'), 'utf8'), WORLD);
  assert.deepEqual(checkout.facts, { world: 'worlds/arm.wbt', worldHeader: '#VRML_SIM R2025a utf8' });
  assert.equal(checkout.webotsYaml, 'type: demo\n');
  assert.equal(String(Buffer.from((await checkout.readFile('controllers/arm/arm.py', 100)) ?? [])), 'print("arm")\n');
});

test('thirty sessions of one new project make one fetch, and later ones none', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const f = await fixture(t, root, { mirror: server.url, cache: { refreshAfter: 1000 } });
  f.repository.commit(files);
  const checkouts = await Promise.all(Array.from({ length: 30 }, () => f.checkout(URL_OF_WORLD)));
  assert.equal(new Set(checkouts.map(({ folder }) => folder)).size, 1);
  assert.equal(f.projects.counts.fetches, 1);
  const requests = server.requests.length;
  await f.checkout(URL_OF_WORLD);
  assert.equal(server.requests.length, requests, 'nothing was asked again');
});

test('a branch that moved is noticed when it is asked for again, and the old checkout stays', async (t) => {
  const clock = new FakeClock();
  const f = await fixture(t, await temporaryFolder(t), { clock });
  f.repository.commit(files);
  const before = await f.checkout(URL_OF_WORLD);
  const commit = f.repository.commit({ 'robots/worlds/arm.wbt': `${WORLD}# new\n` });
  assert.equal((await f.checkout(URL_OF_WORLD)).commit, before.commit);
  await clock.advance(11);
  const after = await f.checkout(URL_OF_WORLD);
  assert.equal(after.commit, commit);
  assert.match(readFileSync(join(after.folder, 'worlds/arm.wbt'), 'utf8'), /# new/);
  assert.equal(readFileSync(join(before.folder, 'worlds/arm.wbt'), 'utf8'), WORLD);
});

test('branches with slashes, tags and commits are found', async (t) => {
  const f = await fixture(t, await temporaryFolder(t));
  const main = f.repository.commit(files);
  f.repository.tag('v1');
  const branch = f.repository.commit({ 'robots/new.txt': 'x' }, {}, 'feature/arm');
  for (const [version, commit] of [
    ['v1', main],
    [main, main],
    ['feature/arm', branch],
  ] as const)
    assert.equal((await f.checkout(`https://github.com/acme/arm/blob/${version}/robots/worlds/arm.wbt`)).commit, commit, version);
});

test('a commit is used only if it is in the history of a branch or tag, whatever the host hands out', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const f = await fixture(t, root, { mirror: server.url });
  const old = f.repository.commit(files);
  f.repository.commit({ 'robots/new.txt': 'x' });
  // As a change that any user may propose, or a commit of a fork.
  const proposed = f.repository.commit({ 'robots/evil.txt': 'x' }, {}, 'proposed');
  f.repository.git('push', '--quiet', `${f.repository.path}.git`, `${proposed}:refs/pull/1/head`, ':refs/heads/proposed');
  const urlOf = (commit: string) => `https://github.com/acme/arm/blob/${commit}/robots/worlds/arm.wbt`;
  assert.equal((await f.refusal(urlOf(proposed))).code, 1008);
  assert.equal((await f.refusal(urlOf('1'.repeat(40)))).code, 1008);
  assert.ok(!existsSync(join(f.folder, 'cache/checkouts')), 'its files were not fetched');
  assert.equal((await f.checkout(urlOf(old))).commit, old);
  const requests = server.requests.length;
  assert.equal((await f.checkout(urlOf(old))).commit, old);
  assert.equal(server.requests.length, requests, 'it is known from then on');
});

test('files are those of the commit, whatever its attributes want Git to make of them', async (t) => {
  const f = await fixture(t, await temporaryFolder(t));
  f.repository.commit(files);
  f.repository.commit({
    'robots/.gitattributes': '*.txt text eol=crlf ident\n*.big text working-tree-encoding=UTF-16LE\n',
    'robots/a.txt': '$Id$\n',
  });
  f.repository.commit({ 'robots/a.big': Buffer.from('text\n', 'utf16le') });
  const checkout = await f.checkout(URL_OF_WORLD);
  assert.equal(readFileSync(join(checkout.folder, 'a.txt'), 'utf8'), '$Id$\n');
  assert.equal(readFileSync(join(checkout.folder, 'a.big'), 'utf8'), 'text\n', 'as it is in the commit');
});

test('a missing world, branch or repository is refused permanently', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const f = await fixture(t, root, { mirror: server.url });
  f.repository.commit(files);
  assert.deepEqual(await f.refusal('https://github.com/acme/arm/blob/main/robots/worlds/leg.wbt'), {
    ...{ reason: 'project', code: 1008, text: 'leg.wbt does not exist.' },
  });
  assert.ok(!existsSync(join(f.folder, 'cache/checkouts')), 'its files were not fetched');
  for (const url of [
    'https://github.com/acme/arm/blob/main/legs/worlds/arm.wbt',
    'https://github.com/acme/arm/blob/other/robots/worlds/arm.wbt',
    'https://github.com/acme/none/blob/main/worlds/arm.wbt',
  ])
    assert.equal((await f.refusal(url)).code, 1008, url);
});

test('a host that fails is a reason to try another machine, unless an earlier version is here', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const f = await fixture(t, root, { mirror: server.url, cache: { refreshAfter: 0 } });
  f.repository.commit(files);
  for (const trouble of ['status-500', 'cut'] as const) {
    server.trouble = trouble;
    assert.deepEqual(await f.refusal(URL_OF_WORLD), {
      ...{ reason: 'fetch', code: 1013, text: 'The project cannot be fetched at the moment.' },
    });
  }
  server.trouble = undefined;
  const before = await f.checkout(URL_OF_WORLD);
  assert.equal(before.stale, false);
  server.trouble = 'status-500';
  const after = await f.checkout(URL_OF_WORLD);
  assert.deepEqual([after.commit, after.stale], [before.commit, true]);
});

test('a host that is silent delays a session by five seconds when an earlier version is here', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const clock = new FakeClock();
  const f = await fixture(t, root, { mirror: server.url, clock, cache: { refreshAfter: 0, fetchTimeout: 5 } });
  f.repository.commit(files);
  await f.checkout(URL_OF_WORLD);
  server.trouble = 'silent';
  const requests = server.requests.length;
  const waiting = f.checkout(URL_OF_WORLD);
  while (server.requests.length === requests) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(5);
  assert.equal((await waiting).stale, true);
});

test('a project that is too large is stopped while it is fetched', async (t) => {
  const root = await temporaryFolder(t);
  const f = await fixture(t, root, { cache: { projectBytes: 200_000 } });
  const noise = Buffer.alloc(4_000_000);
  for (let i = 0; i < noise.length; i += 4) noise.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
  f.repository.commit({ ...files, 'robots/big.bin': noise });
  assert.deepEqual(await f.refusal(URL_OF_WORLD), {
    ...{ reason: 'project', code: 1008, text: 'The project is too large for this simulation server.' },
  });
  assert.deepEqual(readdirSync(join(f.folder, 'cache/checkouts')), [], 'nothing of it stays');
  const packs = readdirSync(join(f.folder, 'cache/repositories'), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    packs.filter((path) => path.includes('/tmp_')),
    [],
    'nor of what was received',
  );
});

test('a project of many empty files is refused before any of them is written', async (t) => {
  const f = await fixture(t, await temporaryFolder(t), { cache: { projectBytes: 200_000 } });
  const empty = Array.from({ length: 60 }, (_, index) => [`robots/${index}`, ''] as const);
  f.repository.commit({ ...files, ...Object.fromEntries(empty) });
  assert.equal((await f.refusal(URL_OF_WORLD)).text, 'The project is too large for this simulation server.');
});

test('links in a project are links in the checkout, recognized by their paths and never followed', async (t) => {
  const f = await fixture(t, await temporaryFolder(t));
  f.repository.commit(files, { 'robots/worlds/secret.wbt': '/etc/passwd', 'robots/controllers/out': '../../..' });
  const checkout = await f.checkout(URL_OF_WORLD);
  assert.deepEqual([...checkout.links].sort(), ['controllers/out', 'worlds/secret.wbt']);
  assert.ok(lstatSync(join(checkout.folder, 'worlds/secret.wbt')).isSymbolicLink(), 'it is a link');
  assert.equal(await checkout.readFile('worlds/secret.wbt', 1000), undefined);
  assert.equal((await f.refusal('https://github.com/acme/arm/blob/main/robots/worlds/secret.wbt')).code, 1008);
});

test('a damaged repository is fetched again', async (t) => {
  const f = await fixture(t, await temporaryFolder(t), { cache: { refreshAfter: 0 } });
  f.repository.commit(files);
  const { folder } = await f.checkout(URL_OF_WORLD);
  rmSync(folder, { recursive: true });
  f.repository.commit({ 'robots/more.txt': 'x' });
  const [repository = ''] = readdirSync(join(f.folder, 'cache/repositories'));
  const objects = join(f.folder, 'cache/repositories', repository, 'objects/pack');
  rmSync(objects, { recursive: true });
  mkdirSync(objects);
  const after = await f.checkout(URL_OF_WORLD);
  assert.ok(existsSync(join(after.folder, 'worlds/arm.wbt')), 'the world is there');
});

test('a project that was fetched before a restart is used after it', async (t) => {
  const root = await temporaryFolder(t);
  const first = await fixture(t, root);
  first.repository.commit(files);
  const { folder } = await first.checkout(URL_OF_WORLD);
  const second = createGitProjects({
    settings: () => ({
      cache: {
        ...{ dir: join(first.folder, 'cache'), bytes: GIB, leaveFree: 0, projectBytes: GIB, refreshAfter: 10, staleFor: 10 },
        ...{ fetches: 4, fetchTimeout: 30 },
      },
      projects: { mirrors: { 'https://github.com/': `file://${root}/` }, hosts: [] },
    }),
    ...{ launcher: { run: runProgram }, clock: systemClock, disk: { free: () => Promise.resolve(GIB) }, log: new MemoryLog() },
  });
  const address = readProjectAddress(URL_OF_WORLD, { hosts: [], extension: '.wbt' });
  assert.ok(address.kind === 'project', 'it is a project');
  const result = await second.checkout(address.project, never);
  assert.ok(result.kind === 'checkout' && result.checkout.folder === folder, 'the same folder');
  assert.equal(second.counts.fetches, 0);
});

test('eviction removes what was used least recently, and never what a session uses', async (t) => {
  const f = await fixture(t, await temporaryFolder(t), { cache: { bytes: 0 } });
  f.repository.commit(files);
  const checkout = await f.checkout(URL_OF_WORLD);
  assert.equal(await f.projects.evict(), 0);
  checkout.release();
  checkout.release();
  assert.equal(await f.projects.evict(), 2);
  assert.ok(!existsSync(checkout.folder), 'the checkout is gone');
  assert.ok(existsSync((await f.checkout(URL_OF_WORLD)).folder), 'and comes again when it is wanted');
});

test('a full disk refuses what is not here yet', async (t) => {
  const f = await fixture(t, await temporaryFolder(t), { cache: { leaveFree: GIB } });
  f.repository.commit(files);
  f.free = 0;
  assert.equal((await f.refusal(URL_OF_WORLD)).reason, 'disk');
});

test('a session that leaves does not wait, and Git ends when no session waits', async (t) => {
  const root = await temporaryFolder(t);
  const server = await startGitServer(t, root);
  const f = await fixture(t, root, { mirror: server.url });
  f.repository.commit(files);
  server.trouble = 'silent';
  const leaving = new AbortController();
  const waiting = f.checkout(URL_OF_WORLD, leaving.signal);
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  leaving.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
});
