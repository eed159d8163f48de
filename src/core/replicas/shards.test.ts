import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FORMAT } from './format.ts';
import type { SeenMember } from './member.ts';
import { pollersOf, shardsOf } from './shards.ts';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const replicas = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 8 });
const servers = names('host-', 300).map((name) => `${name}.example.org:2000`);

test('each server is polled by exactly one replica, whatever the order in which they are known', () => {
  fc.assert(
    fc.property(replicas, (ids) => {
      const [one, other] = [shardsOf([...ids].sort()), shardsOf([...ids].sort())];
      for (const server of servers) {
        assert.ok(ids.includes(one(server) ?? ''));
        assert.equal(one(server), other(server));
      }
    }),
    { numRuns: 50 },
  );
});

test('when a replica comes, only servers move that it gets, and the same ones move back when it goes', () => {
  fc.assert(
    fc.property(replicas, fc.string({ minLength: 21, maxLength: 30 }), (ids, newcomer) => {
      const [before, after] = [shardsOf(ids), shardsOf([...ids, newcomer].sort())];
      for (const server of servers) if (after(server) !== newcomer) assert.equal(after(server), before(server));
    }),
    { numRuns: 50 },
  );
});

test('the replicas have about equally many servers', () => {
  for (const count of [2, 3, 4, 8]) {
    const shards = shardsOf(names('replica-', count));
    const counts = new Map<string, number>();
    for (const server of names('10.0.0.', 8000)) {
      const owner = shards(server) ?? '';
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    assert.equal(counts.size, count);
    for (const polled of counts.values())
      assert.ok(Math.abs(polled * count - 8000) < 1000, `${polled} of 8000, ${count} replicas`);
  }
});

test('without replicas no server is polled', () => {
  assert.equal(shardsOf([])('host:2000'), undefined);
});

const seen = (id: string, own: Partial<SeenMember> = {}): SeenMember => ({
  ...{ id, name: id, version: '1', format: FORMAT, settings: { gateway: '1' }, age: 0.5, polls: 0 },
  ...{ stamp: { term: 1, number: 1 }, ...own },
});

test('replicas poll that sent a heartbeat lately, and whose polls would be the same as those of the leader', () => {
  const members = [
    seen('e'),
    seen('a'),
    seen('b', { age: 3 }),
    seen('c', { settings: { gateway: '2' } }),
    seen('d', { settings: { gateway: '1', polling: '2' } }),
    seen('a'),
  ];
  assert.deepEqual(pollersOf({ members, leader: 'a', inForce: { gateway: '1', polling: '1' } }), ['a', 'd', 'e']);
  assert.deepEqual(pollersOf({ members, leader: undefined, inForce: undefined }), []);
});

test('a replica of a version that does not share polls has no part, and with such a leader no other replica polls', () => {
  const { polls: _, ...older } = seen('b');
  const inForce = { gateway: '1' };
  assert.deepEqual(pollersOf({ members: [seen('a'), older], leader: 'a', inForce }), ['a']);
  assert.deepEqual(pollersOf({ members: [seen('a'), older], leader: 'b', inForce }), []);
});
