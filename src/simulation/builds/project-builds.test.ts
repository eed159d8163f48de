import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import type { Recipe } from '../../core/simulation/build-recipe.ts';
import type { LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { SimulatorExit } from '../../core/simulation/session-life.ts';
import type { RunnableProject } from '../../core/simulation/project-address.ts';
import type { BuildOptions, Checkout, StartOptions } from '../ports.ts';
import { runProgram } from '../launcher/run.ts';
import { createCopies } from '../workspaces/copy.ts';
import { ProjectBuilds } from './project-builds.ts';

const simulatorPlan: LaunchPlan = {
  ...{ argv: ['sim'], environment: { WEBOTS_HOME: '/w' }, inner: 'tcp', loadedBy: 'word', network: 'none', folders: [] },
  ...{ display: true, gpu: true, image: 'webots:R2025a' },
};

interface Make {
  readonly plan: LaunchPlan;
  readonly folder: string;
  end(status: number): void;
}

async function fixture(t: TestContext, { container = false, recipes = ['Makefile'] as readonly Recipe[], allowed = true } = {}) {
  const folder = await temporaryFolder(t);
  const checkoutFolder = join(folder, 'checkouts/a-b');
  mkdirSync(checkoutFolder, { recursive: true });
  writeFileSync(join(checkoutFolder, 'arm.c'), 'source');
  const [clock, log] = [new FakeClock(), new MemoryLog()];
  const makes: Make[] = [];
  const images: BuildOptions[] = [];
  const removed: string[] = [];
  const said: string[] = [];
  let imageFails: string | undefined;
  /** By name, whether it can be removed. */
  const present = new Map<string, boolean>();
  let id = 0;
  const start = (options: StartOptions) => {
    const result = options.plan({ project: options.workspace.folder, port: 1, socket: '/s', container });
    assert.ok(result.kind === 'plan');
    options.line('cc arm.c');
    let end: Make['end'] = () => undefined;
    const exited = new Promise<SimulatorExit>((resolve) => {
      end = (status) => {
        resolve({ status, outOfMemory: false });
      };
    });
    makes.push({ plan: result.plan, folder: options.workspace.folder, end });
    return Promise.resolve({
      kind: 'running' as const,
      running: {
        ...{ plan: result.plan, inner: { kind: 'unix', path: '/s' } as const, command: [], pid: 1, exited },
        ...{ isListening: () => Promise.resolve(false), usage: () => Promise.resolve(undefined), end: () => Promise.resolve() },
      },
    });
  };
  const builds = new ProjectBuilds({
    ...{ clock, log, allowed: () => allowed, newId: () => `b${(id += 1)}`, makeProgram: process.execPath },
    isKept: (build) => existsSync(join(folder, 'checkouts', build)),
    settings: () => ({ container: { build: 'allowed' }, limits: { disk: 1_000_000, prepareTimeout: 60 } }) as never,
    simulator: { name: 'sim', usesProject: true, plan: () => ({ kind: 'plan', plan: simulatorPlan }), word: () => undefined },
    workspaces: createCopies({ folder: join(folder, 'run'), launcher: { run: runProgram } }),
    isolation: {
      ...{ container, start, list: () => Promise.resolve([]), remove: (one: string) => Promise.resolve(void removed.push(one)) },
      facts: { name: 'fake', strength: 'process', limits: 'none', network: 'none', notes: [] },
      images: {
        build(options: BuildOptions) {
          images.push(options);
          mkdirSync(options.target);
          for (const number of [1, 2, 1, 2]) options.step({ number, of: 2 });
          if (imageFails === undefined) present.set(options.name, true);
          return Promise.resolve(imageFails);
        },
        has: (name) => Promise.resolve(present.has(name)),
        list: () => Promise.resolve([...present.keys()]),
        remove: (name) => Promise.resolve(present.get(name) === true && present.delete(name)),
      },
    },
  });
  const checkout = { folder: checkoutFolder, recipes, facts: { world: 'worlds/arm.wbt', worldHeader: '' } } as Partial<Checkout>;
  const project: RunnableProject = {
    ...{ url: 'u', key: 'github.com/acme/arm', repository: 'r', remote: 'r', readings: [], world: 'arm.wbt' },
  };
  const prepare = (signal = new AbortController().signal) =>
    builds.prepare({
      ...{ project, checkout: checkout as Checkout, mode: undefined, signal },
      say: (sentence: string) => said.push(sentence),
    });
  const next = async () => {
    await eventually('the start of make', () => makes.length > 0);
    return makes.shift()!;
  };
  return {
    checkoutFolder,
    clock,
    log,
    images,
    present,
    removed,
    said,
    builds,
    prepare,
    next,
    makes,
    failImage: () => (imageFails = 'no space'),
  };
}

test('a Makefile is run once for all sessions of a commit, as a session would be, and they get what it made', async (t) => {
  const { checkoutFolder, builds, prepare, next, removed, said, makes } = await fixture(t);
  const sessions = Promise.all([prepare(), prepare(), prepare()]);
  const make = await next();
  assert.deepEqual(make.plan.argv, [process.execPath, '-C', make.folder]);
  assert.deepEqual([make.plan.display, make.plan.environment['WEBOTS_HOME'], [...builds.living]], [false, '/w', ['b1']]);
  writeFileSync(join(make.folder, 'arm'), 'program');
  make.end(0);
  const prepared = await sessions;
  assert.equal(new Set(prepared.map((one) => JSON.stringify(one))).size, 1, 'all get the same');
  const [first] = prepared;
  assert.ok(first.kind === 'ready' && first.image === undefined && first.folder !== checkoutFolder);
  assert.deepEqual(
    ['arm', 'arm.c'].map((name) => readFileSync(join(first.folder, name), 'utf8')),
    ['program', 'source'],
  );
  assert.ok(!existsSync(join(checkoutFolder, 'arm')), 'the checkout is as it was');
  assert.deepEqual(await prepare(), first, 'a later session builds nothing');
  assert.deepEqual([makes.length, removed, [...builds.living], said.length], [0, ['b1'], [], 3]);
});

test('a build that fails refuses its sessions, is logged with its last lines, and is not tried again for a minute', async (t) => {
  const { clock, log, prepare, next, makes } = await fixture(t);
  const failing = prepare();
  (await next()).end(2);
  const refused = await failing;
  assert.ok(refused.kind === 'refused' && refused.ending.reason === 'prepare');
  assert.match(JSON.stringify(log.lines), /cc arm\.c.*status 2/);
  assert.deepEqual(await prepare(), refused);
  assert.equal(makes.length, 0, 'not run again');
  await clock.advance(61);
  const again = prepare();
  (await next()).end(0);
  assert.equal((await again).kind, 'ready');
});

test('a build that no session waits for is given up, which does not count as a failure', async (t) => {
  const { prepare, next, clock, builds } = await fixture(t);
  const leaving = new AbortController();
  const left = assert.rejects(prepare(leaving.signal));
  await next();
  leaving.abort();
  await left;
  await clock.advance(0);
  await eventually('its end', () => builds.living.size === 0);
  const again = prepare();
  (await next()).end(0);
  assert.equal((await again).kind, 'ready');
});

test('a Dockerfile makes the image of allowed projects, with the image of the simulator as an argument', async (t) => {
  const { images, prepare, makes, said } = await fixture(t, { container: true, recipes: ['Dockerfile', 'Makefile'] });
  const first = await prepare();
  assert.ok(first.kind === 'ready');
  assert.deepEqual([first.image, images[0]?.base, images[0]?.make, makes.length], [images[0]?.name, 'webots:R2025a', true, 0]);
  assert.match(first.image ?? '', /^localhost\/session-server-sim-built:[a-z0-9.-]+$/);
  assert.deepEqual(said, ['Building the project', 'Building, step 1 of 2', 'Building, step 2 of 2']);
  assert.deepEqual(await prepare(), first);
  assert.equal(images.length, 1, 'once');
});

test('an image that an operator removed is built again, and one whose files left the cache is removed', async (t) => {
  const { images, present, prepare, builds } = await fixture(t, { container: true, recipes: ['Dockerfile'] });
  const first = await prepare();
  assert.ok(first.kind === 'ready');
  present.clear();
  assert.deepEqual(await prepare(), first);
  assert.equal(images.length, 2);
  present.set('localhost/another:tag', true);
  assert.equal(await builds.removeUnusedImages(), 0, 'it has its files');
  rmSync(first.folder, { recursive: true });
  present.set(first.image ?? '', false);
  assert.equal(await builds.removeUnusedImages(), 0, 'it is in use');
  present.set(first.image ?? '', true);
  assert.equal(await builds.removeUnusedImages(), 1);
  assert.deepEqual([...present.keys()], ['localhost/another:tag'], 'not what others built');
});

test('the Dockerfile of a foreign project is not used, and one that fails refuses', async (t) => {
  const foreign = await fixture(t, { container: true, recipes: ['Dockerfile'], allowed: false });
  assert.deepEqual(await foreign.prepare(), { kind: 'ready', folder: foreign.checkoutFolder });
  const failing = await fixture(t, { container: true, recipes: ['Dockerfile'] });
  failing.failImage();
  assert.equal((await failing.prepare()).kind, 'refused');
});
