import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import type { LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { SimulatorExit } from '../../core/simulation/session-life.ts';
import type { Checkout, StartOptions } from '../ports.ts';
import type { Client } from './session.ts';
import { Sessions } from './sessions.ts';

const plan: LaunchPlan = {
  ...{ argv: ['sim'], environment: {}, inner: 'tcp', loadedBy: 'word', network: 'none', folders: [], display: false, gpu: false },
};
const START = JSON.stringify({ start: { url: 'https://github.com/acme/arm/blob/main/worlds/arm.wbt' } });
const limits = { startMessage: 10, fetch: 120, prepare: 600, load: 120, time: 7200 };

class FakeClient implements Client {
  readonly address = '192.0.2.1';
  readonly limitKey = '192.0.2.1';
  readonly lines: string[] = [];
  closed: number | undefined;
  say(line: string): void {
    this.lines.push(line);
  }
  close(code: number): void {
    this.closed = code;
  }
}

/** A promise that the test settles. */
function gate<T>() {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (open = resolve));
  return { promise, open };
}

function fixture(t: TestContext, more: { readonly maxSessions?: number; readonly accepted?: number } = {}) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  /** What was created and what was undone, in order. */
  const events: string[] = [];
  const preparing = gate<undefined>();
  const exits: ((exit: SimulatorExit) => void)[] = [];
  let simulator: StartOptions | undefined;
  let id = 0;
  const checkout: Checkout = {
    ...{
      folder: '/checkout',
      commit: 'c',
      stale: false,
      facts: { world: 'worlds/arm.wbt', worldHeader: '' },
      links: new Set<string>(),
      recipes: [],
    },
    readFile: () => Promise.resolve(undefined),
    release: () => void events.push('release'),
  };
  const workspace = {
    ...{ folder: '/workspace', usage: () => Promise.resolve(0) },
    close: () => Promise.resolve(void events.push('close workspace')),
  };
  const sessions: Sessions = new Sessions({
    ...{ clock, log, emptyFolder: '/empty', leadsThroughLink: () => false, newId: () => `s${(id += 1)}` },
    ...{
      lifeLimits: () => limits,
      resourceLimits: () => ({ cpus: 1, memory: 1, pids: 1 }),
      maxSessions: () => more.maxSessions ?? 2,
    },
    ...{ address: () => ({ server: 'localhost', ssl: false, portRewrite: false }), load: () => 0, pending: () => 0 },
    ...{ rules: () => ({ allowed: ['github.com/acme'], blocked: [], shareIdleTime: 0 }), isolated: () => false },
    ...{ reading: () => ({ hosts: [], extension: '.wbt' }), limits: () => ({ perAddress: 0, accepted: more.accepted ?? 200 }) },
    preparation: { prepare: ({ checkout: { folder } }) => Promise.resolve({ kind: 'ready', folder }) },
    projects: { checkout: () => Promise.resolve({ kind: 'checkout', checkout }) },
    workspaces: {
      ...{ name: 'copy', list: () => Promise.resolve([]), write: () => Promise.resolve(true) },
      open: async () => {
        events.push('open workspace');
        await preparing.promise;
        return workspace;
      },
      remove: () => Promise.resolve(void events.push('remove workspace')),
      close: () => Promise.resolve(),
    },
    isolation: {
      facts: { name: 'fake', strength: 'process', limits: 'none', network: 'none', notes: [] },
      ...{ container: false, list: () => Promise.resolve([]) },
      start: (options) => {
        simulator = options;
        const exited = gate<SimulatorExit>();
        exits.push(exited.open);
        return Promise.resolve({
          kind: 'running',
          running: {
            ...{ plan, inner: { kind: 'tcp', host: '127.0.0.1', port: 1 }, command: ['sim'], pid: 1, exited: exited.promise },
            ...{ isListening: () => Promise.resolve(true), usage: () => Promise.resolve(undefined) },
            end: () => Promise.resolve(void events.push('end simulator')),
          },
        });
      },
      remove: () => Promise.resolve(void events.push('remove simulator')),
    },
    simulator: {
      ...{ name: 'fake', usesProject: true, plan: () => ({ kind: 'plan', plan }) },
      word: (line) => (line === '.' ? 'loaded' : undefined),
    },
    ports: {
      hold: () =>
        Promise.resolve({
          ...{ port: 2001, open: () => undefined, watchers: () => 0, bytes: () => 0, closeStreams: () => undefined },
          close: () => Promise.resolve(void events.push('close port')),
        }),
    },
  });
  t.after(() => sessions.stop());
  return {
    ...{ clock, log, events, sessions, preparing },
    say: (line: string) => simulator?.line(line),
    exit: (exit: SimulatorExit) => exits.at(-1)?.(exit),
    open() {
      const client = new FakeClient();
      return { client, handle: sessions.accept(client) };
    },
  };
}

/** Lets promises run. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a resource that is still being created when the client leaves is removed when it exists, in reverse order', async (t) => {
  const f = fixture(t);
  const { handle } = f.open();
  handle?.message(START);
  await settle();
  handle?.left();
  await settle();
  assert.deepEqual(f.events, ['open workspace']);
  assert.equal(f.sessions.all.length, 1, 'it is not forgotten yet');
  f.preparing.open(undefined);
  await settle();
  assert.deepEqual(f.events, ['open workspace', 'close workspace', 'release', 'close port']);
  assert.equal(f.sessions.all.length, 0);
});

test('a session streams, relays heartbeats, and ends with its simulator', async (t) => {
  const f = fixture(t);
  f.preparing.open(undefined);
  const { client, handle } = f.open();
  handle?.message(START);
  await settle();
  f.say('.');
  await settle();
  assert.equal(client.lines.at(-1), 'webots:ws://localhost:2001');
  f.say('.');
  assert.equal(client.lines.at(-1), '.');
  handle?.message(START);
  assert.match(client.lines.at(-1) ?? '', /^loading: Error: This connection has a simulation already/);
  f.exit({ status: 1, outOfMemory: false });
  await settle();
  assert.deepEqual([client.closed, client.lines.at(-1)], [1011, 'error: The simulator ended with status 1.']);
  assert.deepEqual(f.events.slice(-4), ['end simulator', 'close workspace', 'release', 'close port']);
  assert.deepEqual([...f.sessions.ended], [['crashed', 1]]);
});

test('a place is taken from the start message until nothing is left', async (t) => {
  const f = fixture(t, { maxSessions: 1 });
  const first = f.open();
  const second = f.open();
  first.handle?.message(START);
  second.handle?.message(START);
  await settle();
  assert.equal(second.client.closed, 1013);
  first.handle?.left();
  const third = f.open();
  third.handle?.message(START);
  await settle();
  assert.equal(third.client.closed, 1013, 'the first one is still ending');
  f.preparing.open(undefined);
  await settle();
  const fourth = f.open();
  fourth.handle?.message(START);
  await settle();
  assert.equal(fourth.client.closed, undefined);
});

test('connections without a start message are limited and end in time', async (t) => {
  const f = fixture(t, { accepted: 11 });
  const clients = Array.from({ length: 12 }, () => f.open());
  assert.deepEqual(
    clients.map(({ handle }) => handle !== undefined),
    [...Array<boolean>(10).fill(true), false, false],
  );
  await f.clock.advance(11);
  assert.equal(clients[0]?.client.closed, 1008);
  assert.equal(f.sessions.all.length, 0);
});

test('a drain keeps new sessions out until it is taken back', async (t) => {
  const f = fixture(t);
  f.sessions.drain();
  const refused = f.open();
  refused.handle?.message(START);
  assert.equal(refused.client.closed, 1013);
  f.sessions.resume();
  const taken = f.open();
  taken.handle?.message(START);
  assert.equal(taken.client.closed, undefined);
  f.preparing.open(undefined);
  await settle();
});
