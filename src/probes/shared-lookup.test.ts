import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { createSharedLookup } from './shared-lookup.ts';

/** A name service that answers when the test says so, on a clock that it moves. */
function nameService(t: TestContext, addresses: Readonly<Record<string, string>> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked: string[] = [];
  const open = new Map<string, (error?: string) => void>();
  const lookup: LookupFunction = (hostname, _, done) => {
    asked.push(hostname);
    open.set(hostname, (error) => {
      open.delete(hostname);
      if (error === undefined) done(null, `address of ${hostname}`, 4);
      else done(Object.assign(new Error(error), { code: error }), '');
    });
  };
  const shared = createSharedLookup({
    lookup,
    patience: 1,
    resolve: (hostname) => {
      const address = addresses[hostname];
      return address === undefined ? Promise.reject(new Error('unknown')) : Promise.resolve([{ address, family: 4 }]);
    },
  });
  const heard: string[] = [];
  const ask = (hostname: string, options = {}) =>
    shared.lookup(hostname, options, (error, address) =>
      heard.push(`${hostname}: ${error?.code ?? (typeof address === 'string' ? address : JSON.stringify(address))}`),
    );
  return {
    ...{ asked, heard, ask, isPending: shared.isPending },
    answer: (hostname: string, error?: string) => open.get(hostname)?.(error),
    pass: async (seconds: number) => {
      t.mock.timers.tick(seconds * 1000);
      await turn();
    },
  };
}

test('a name is looked up once, however many ask at the same time', (t) => {
  const { asked, heard, ask, answer } = nameService(t);
  for (let i = 0; i < 10; i += 1) ask('a');
  assert.deepEqual([asked, heard], [['a'], []]);
  answer('a');
  assert.deepEqual(heard, Array(10).fill('a: address of a'));
  ask('a');
  assert.deepEqual(asked, ['a', 'a'], 'and asked again afterwards');
});

test('a caller that wants another kind of answer starts a separate lookup', (t) => {
  const { asked, ask } = nameService(t);
  ask('a', { all: true });
  ask('a', { all: false });
  assert.equal(asked.length, 2);
});

test('two names at a time, the others in their order', (t) => {
  const { asked, heard, ask, answer } = nameService(t);
  for (const name of ['a', 'b', 'c', 'd']) ask(name);
  assert.deepEqual(asked, ['a', 'b']);
  answer('b');
  assert.deepEqual(asked, ['a', 'b', 'c']);
  for (const name of ['a', 'c', 'd']) answer(name);
  assert.deepEqual(
    heard,
    ['b', 'a', 'c', 'd'].map((name) => `${name}: address of ${name}`),
  );
});

test('slow names share one thread, and the other one serves the rest', async (t) => {
  const { asked, heard, ask, answer, pass } = nameService(t);
  ask('dead1');
  ask('dead2');
  await pass(1);
  answer('dead1', 'EAI_AGAIN');
  answer('dead2', 'EAI_AGAIN');
  asked.length = heard.length = 0;
  ask('dead1');
  ask('dead2');
  ask('well');
  assert.deepEqual(asked, ['dead1', 'well']);
  answer('well');
  assert.deepEqual(heard, ['well: address of well']);
  ask('well');
  assert.deepEqual(asked, ['dead1', 'well', 'well'], 'dead2 waits for its turn among the slow');
  answer('dead1', 'ENOTFOUND');
  assert.deepEqual(asked, ['dead1', 'well', 'well', 'dead2']);
});

test('a name that is quick again no longer counts as slow', async (t) => {
  const { asked, ask, answer, pass } = nameService(t);
  for (const name of ['a', 'b']) ask(name);
  await pass(1);
  for (const name of ['a', 'b']) answer(name);
  ask('a');
  answer('a');
  asked.length = 0;
  ask('a');
  ask('b');
  assert.deepEqual(asked, ['a', 'b']);
});

test('a caller that waits longer than a moment gets the address that the name had last', async (t) => {
  const { asked, heard, ask, answer, isPending, pass } = nameService(t);
  ask('a');
  answer('a');
  heard.length = 0;
  ask('a');
  await pass(0.9);
  assert.deepEqual([heard, isPending('a')], [[], true]);
  await pass(0.1);
  assert.deepEqual([heard, isPending('a')], [['a: address of a'], false]);
  ask('a');
  assert.deepEqual(asked, ['a', 'a'], 'the question before is still open, and serves this one too');
  answer('a');
  assert.deepEqual(heard, ['a: address of a', 'a: address of a'], 'no caller is answered twice');
});

test('a name service that cannot answer removes no known address, one that no longer knows the name does', (t) => {
  const { heard, ask, answer } = nameService(t);
  for (const error of [undefined, 'EAI_AGAIN', 'ENOTFOUND', 'EAI_AGAIN']) {
    ask('a');
    answer('a', error);
  }
  assert.deepEqual(heard, ['a: address of a', 'a: address of a', 'a: ENOTFOUND', 'a: EAI_AGAIN']);
});

test('a name that gets no thread and was never resolved is looked up by DNS alone', async (t) => {
  const { heard, ask, isPending, pass } = nameService(t, { well: '192.0.2.7' });
  for (const name of ['dead1', 'dead2', 'well', 'unknown']) ask(name);
  await pass(1);
  assert.deepEqual(heard, ['well: 192.0.2.7']);
  assert.deepEqual(['dead1', 'well', 'unknown'].map(isPending), [true, false, true]);
});

test('an answer of DNS has the form that the caller asked for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lookup } = createSharedLookup({
    lookup: () => undefined,
    resolve: () =>
      Promise.resolve([
        { address: '192.0.2.7', family: 4 },
        { address: '2001:db8::7', family: 6 },
      ]),
  });
  const heard: unknown[] = [];
  for (const name of ['dead1', 'dead2']) lookup(name, {}, () => undefined);
  lookup('a', { all: true }, (_, addresses) => heard.push(addresses));
  lookup('a', { family: 6 }, (_, ...found) => heard.push(found));
  lookup('a', { family: 'IPv4' }, (_, ...found) => heard.push(found));
  t.mock.timers.tick(1000);
  await turn();
  assert.deepEqual(heard, [
    [
      { address: '192.0.2.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ],
    ['2001:db8::7', 6],
    ['192.0.2.7', 4],
  ]);
});

test('names are really looked up', async () => {
  const found = await new Promise((resolve) =>
    createSharedLookup().lookup('localhost', { all: true }, (error, addresses) => resolve([error, addresses])),
  );
  const [error, addresses] = found as [unknown, { address: string }[]];
  assert.equal(error, null);
  assert.ok(addresses.some(({ address }) => address === '127.0.0.1' || address === '::1'));
});
