import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { createSharedLookup } from './shared-lookup.ts';

/** A name service that answers when the test says so. */
function nameService() {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const lookup: LookupFunction = (hostname, _, done) => {
    asked.push(hostname);
    answers.push(() => done(null, `address of ${hostname}`, 4));
  };
  return { asked, lookup, answer: () => answers.shift()?.() };
}

test('a name is looked up once, whoever asks while it is', () => {
  const { asked, lookup, answer } = nameService();
  const shared = createSharedLookup(lookup);
  const found: unknown[] = [];
  for (let i = 0; i < 10; i += 1) shared('a', { family: 0 }, (error, address) => found.push([error, address]));
  assert.deepEqual([asked, found], [['a'], []]);
  answer();
  assert.deepEqual(found, Array(10).fill([null, 'address of a']));
  shared('a', { family: 0 }, (_, address) => found.push(address));
  assert.deepEqual(asked, ['a', 'a'], 'and asked again afterwards');
});

test('who wants another kind of answer asks for himself', () => {
  const { asked, lookup } = nameService();
  const shared = createSharedLookup(lookup);
  shared('a', { all: true }, () => undefined);
  shared('a', { all: false }, () => undefined);
  assert.equal(asked.length, 2);
});

test('three names at a time, the others in their order', () => {
  const { asked, lookup, answer } = nameService();
  const shared = createSharedLookup(lookup);
  const found: unknown[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) shared(name, {}, (_, address) => found.push(address));
  assert.deepEqual(asked, ['a', 'b', 'c']);
  answer();
  assert.deepEqual(asked, ['a', 'b', 'c', 'd']);
  for (let i = 0; i < 4; i += 1) answer();
  assert.deepEqual(
    found,
    ['a', 'b', 'c', 'd', 'e'].map((name) => `address of ${name}`),
  );
});

test('names are looked up in earnest', async () => {
  const found = await new Promise((resolve) =>
    createSharedLookup()('localhost', { all: true }, (error, addresses) => resolve([error, addresses])),
  );
  const [error, addresses] = found as [unknown, { address: string }[]];
  assert.equal(error, null);
  assert.ok(addresses.some(({ address }) => address === '127.0.0.1' || address === '::1'));
});
