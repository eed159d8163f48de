import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptOf, KeptServers } from './kept-servers.ts';
import type { Candidates } from './candidates.ts';

const of = (...tiers: string[][]): Candidates => ({ tiers });

test('what is left is the candidates without the servers that are kept, each tier at its place', () => {
  const kept = new KeptServers();
  const wanted = of(['a', 'b'], ['c'], ['d']);
  assert.equal(kept.leftOf(wanted), wanted);
  kept.keep(of(['a'], ['c']));
  assert.deepEqual(kept.leftOf(wanted), of(['b'], [], ['d']));
  kept.keep(of(['d', 'x']));
  assert.deepEqual(kept.leftOf(wanted), of(['b'], [], []));
  kept.keep(of(['b']));
  assert.deepEqual(kept.leftOf(wanted), of());
  assert.deepEqual(kept.leftOf(of()), of());
});

test('candidates of which nothing is kept stay the same object', () => {
  const kept = new KeptServers();
  const wanted = of(['a'], ['b']);
  kept.keep(of(['c']));
  kept.keep(of());
  assert.equal(kept.leftOf(wanted), wanted);
});

test('the same servers kept for the same tickets leave the same object in every walk', () => {
  const [first, second, wanted] = [of(['a', 'b']), of(['b', 'c']), of(['a', 'b', 'c', 'd'])];
  const walk = () => {
    const kept = new KeptServers();
    kept.keep(first);
    kept.keep(second);
    kept.keep(first);
    return kept.leftOf(wanted);
  };
  assert.deepEqual(walk(), of(['d']));
  assert.equal(walk(), walk());
});

test('kept is what of the candidates is not left', () => {
  const wanted = of(['a', 'b'], ['c']);
  assert.deepEqual(keptOf(wanted, wanted), new Set());
  assert.deepEqual(keptOf(wanted, of(['b'], [])), new Set(['a', 'c']));
  assert.deepEqual(keptOf(wanted, of()), new Set(['a', 'b', 'c']));
});
