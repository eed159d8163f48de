import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reservedOf, ReservedServers } from './reserved-servers.ts';
import type { Candidates } from '../fleet/candidates.ts';

const of = (...tiers: string[][]): Candidates => ({ tiers });

test('the candidates without the reserved servers remain, and each tier keeps its index', () => {
  const reserved = new ReservedServers();
  const wanted = of(['a', 'b'], ['c'], ['d']);
  assert.equal(reserved.leftOf(wanted), wanted);
  reserved.reserve(of(['a'], ['c']));
  assert.deepEqual(reserved.leftOf(wanted), of(['b'], [], ['d']));
  reserved.reserve(of(['d', 'x']));
  assert.deepEqual(reserved.leftOf(wanted), of(['b'], [], []));
  reserved.reserve(of(['b']));
  assert.deepEqual(reserved.leftOf(wanted), of());
  assert.deepEqual(reserved.leftOf(of()), of());
});

test('candidates of which none is reserved stay the same object', () => {
  const reserved = new ReservedServers();
  const wanted = of(['a'], ['b']);
  reserved.reserve(of(['c']));
  reserved.reserve(of());
  assert.equal(reserved.leftOf(wanted), wanted);
});

test('the same servers reserved for the same tickets leave the same object in every walk', () => {
  const [first, second, wanted] = [of(['a', 'b']), of(['b', 'c']), of(['a', 'b', 'c', 'd'])];
  const walk = () => {
    const reserved = new ReservedServers();
    reserved.reserve(first);
    reserved.reserve(second);
    reserved.reserve(first);
    return reserved.leftOf(wanted);
  };
  assert.deepEqual(walk(), of(['d']));
  assert.equal(walk(), walk());
});

test('reserved are the candidates that are not left', () => {
  const wanted = of(['a', 'b'], ['c']);
  assert.deepEqual(reservedOf(wanted, wanted), new Set());
  assert.deepEqual(reservedOf(wanted, of(['b'], [])), new Set(['a', 'c']));
  assert.deepEqual(reservedOf(wanted, of()), new Set(['a', 'b', 'c']));
});
