import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksFrom, type Candidate } from './election.ts';
import { FORMAT } from './format.ts';
import type { SeenMember } from './member.ts';

const seen = (id: string, number = 5, age = 0.5): SeenMember => ({
  ...{ id, name: id, version: '1', format: FORMAT, settings: { limits: '1' }, age },
  stamp: { term: 1, number },
});
const candidate: Candidate = {
  ...{ id: 'b', stamp: { term: 1, number: 5 }, members: [seen('a'), seen('b'), seen('c')], store: { term: 1, number: 5 } },
  ...{ freeAt: 100, forgotAt: undefined, unreachableAt: undefined, beganAt: 0, format: FORMAT },
  ...{ settings: { limits: '1' }, inForce: undefined },
};

test('when the lease ends, the replicas ask in turn: those that know most first, then by id', () => {
  assert.equal(asksFrom({ ...candidate, id: 'a' }), 100);
  assert.equal(asksFrom(candidate), 100.1);
  assert.equal(asksFrom({ ...candidate, stamp: { term: 1, number: 6 } }), 100);
  assert.equal(asksFrom({ ...candidate, members: [seen('a', 5, 3), seen('b'), seen('c', 6)] }), 100.1);
});

test('a store that forgot is left to the replica that led, for two seconds', () => {
  assert.equal(asksFrom({ ...candidate, id: 'a', forgotAt: 101 }), 103);
});

test('a store that was out of reach is left to the replica that may have gone on alone, for four seconds', () => {
  assert.equal(asksFrom({ ...candidate, id: 'a', unreachableAt: 102 }), 106);
});

test('an empty store waits until all replicas have beaten', () => {
  const empty = { ...candidate, id: 'a', stamp: { term: 0, number: 0 }, store: { term: 0, number: 0 }, beganAt: 99.5 };
  assert.equal(asksFrom({ ...empty, members: [seen('a', 0)] }), 101.5);
});

test('a replica with other settings than the leader before comes after the others, but leads when no other can', () => {
  const other = { ...candidate, settings: { limits: '2' }, inForce: { limits: '1' } };
  assert.equal(asksFrom({ ...other, id: 'a' }), 100.2);
  assert.equal(asksFrom({ ...other, members: [seen('a', 5, 9), seen('c', 4)] }), 100);
  assert.equal(asksFrom({ ...candidate, inForce: { limits: '1' }, members: [{ ...seen('a'), settings: {} }] }), 100);
});

test('a replica that does not know the present format does not hold the others up', () => {
  assert.equal(asksFrom({ ...candidate, members: [{ ...seen('a'), format: FORMAT - 1 }] }), 100);
});
