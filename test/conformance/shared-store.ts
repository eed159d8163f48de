/** What every shared store must do. Each test has a store of its own, and calls it as two replicas would. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { FORMAT } from '../../src/core/replicas/format.ts';
import { documentKey, NO_STAMP, type Change } from '../../src/core/replicas/shared-state.ts';
import type { Heartbeat, SharedStore } from '../../src/ports.ts';

export interface StoreUnderTest {
  readonly store: SharedStore;
  /** Lets time pass. */
  readonly pass: (seconds: number) => Promise<void>;
  /** The store loses everything. */
  readonly forget: () => Promise<void>;
}

/** Seconds. */
const LEASE = 0.2;

function beatOf(id: string, wants: boolean, term = 0): Heartbeat {
  const member = JSON.stringify({ id, name: id, version: 'tested', format: FORMAT, settings: {}, stamp: NO_STAMP });
  return { id, member, wants, lease: LEASE, term };
}

export function describeSharedStore(name: string, setUp: (t: TestContext) => Promise<StoreUnderTest>): void {
  const commit = (store: SharedStore, leader: string, term: number, number: number, ...changes: readonly Change[]) =>
    store.commit({ leader, term, number, changes, replaces: number === 1 });

  describe(`the shared store ${name}`, () => {
    test('gives the lease to one replica, and to another one when it has ended', async (t) => {
      const { store, pass } = await setUp(t);
      assert.equal((await store.beat(beatOf('a', false))).role, 'follows');
      const first = await store.beat(beatOf('a', true));
      assert.deepEqual([first.role, first.term, first.before, first.leader], ['elected', 1, 0, 'a']);
      const other = await store.beat(beatOf('b', true));
      assert.deepEqual([other.role, other.leader], ['follows', 'a']);
      assert.ok(other.leaseLeft > 0 && other.leaseLeft < LEASE + 0.001);
      assert.equal((await store.beat(beatOf('a', true))).role, 'leads');
      await pass(LEASE);
      const next = await store.beat(beatOf('b', true));
      assert.deepEqual([next.role, next.term, next.before], ['elected', 2, 1]);
      assert.equal((await store.beat(beatOf('a', true))).role, 'follows');
    });

    test('a leader whose lease ended leads on in the same term if no other one was elected', async (t) => {
      const { store, pass } = await setUp(t);
      await store.beat(beatOf('a', true));
      await pass(LEASE);
      assert.equal(await commit(store, 'a', 1, 1, ['k', '1']), 'done');
      const again = await store.beat(beatOf('a', true, 1));
      assert.deepEqual([again.role, again.term], ['leads', 1]);
    });

    test('a leader that resigned without reaching the store is not made the leader by a heartbeat', async (t) => {
      const { store, pass } = await setUp(t);
      await store.beat(beatOf('a', true));
      assert.equal((await store.beat(beatOf('a', false, 1))).role, 'follows');
      await pass(LEASE);
      assert.equal((await store.beat(beatOf('b', true, 1))).role, 'elected');
    });

    test('a replica that leaves gives back the lease, and stops being a member', async (t) => {
      const { store } = await setUp(t);
      await store.beat(beatOf('a', true));
      await store.beat(beatOf('b', false));
      await store.leave('a');
      const next = await store.beat(beatOf('b', true));
      assert.equal(next.role, 'elected');
      assert.deepEqual(
        next.members.map(({ text }) => (JSON.parse(text) as { id: string }).id),
        ['b'],
      );
      await store.leave('a');
      assert.equal((await store.beat(beatOf('c', true))).role, 'follows');
    });

    test('takes commits of the leader alone, in order, each once', async (t) => {
      const { store, pass } = await setUp(t);
      assert.equal(await commit(store, 'a', 1, 1), 'behind');
      await store.beat(beatOf('a', true));
      assert.equal(await commit(store, 'a', 1, 1, ['k', '1'], ['gone', '1']), 'done');
      assert.equal(await commit(store, 'a', 1, 1, ['k', 'again']), 'done');
      assert.equal(await commit(store, 'a', 1, 3, ['k', '3']), 'behind');
      assert.equal(await commit(store, 'b', 1, 2, ['k', '2']), 'fenced');
      assert.equal(await commit(store, 'a', 1, 2, ['k', '2'], ['gone', null]), 'done');
      assert.deepEqual([...(await store.list()).texts], [['k', '2']]);
      await pass(LEASE);
      await store.beat(beatOf('b', true));
      assert.equal(await commit(store, 'a', 1, 3, ['k', 'late']), 'fenced');
      const { term, number, texts } = await store.list();
      assert.deepEqual([term, number, texts.get('k')], [1, 2, '2']);
      assert.deepEqual((await store.beat(beatOf('b', true))).stamp, { term: 1, number: 2 });
    });

    test('a commit that replaces everything leaves nothing of before', async (t) => {
      const { store, pass } = await setUp(t);
      await store.beat(beatOf('a', true));
      await commit(store, 'a', 1, 1, ['old', '1'], ['k', '1']);
      await pass(LEASE);
      await store.beat(beatOf('b', true));
      assert.equal(await store.commit({ leader: 'b', term: 2, number: 7, changes: [['k', '2']], replaces: true }), 'done');
      assert.deepEqual([...(await store.list()).texts], [['k', '2']]);
      assert.deepEqual(await store.journal({ term: 1, number: 1 }), [{ term: 2, number: 7 }]);
    });

    test('the journal has every commit after another one, and only names documents', async (t) => {
      const { store } = await setUp(t);
      await store.beat(beatOf('a', true));
      await commit(store, 'a', 1, 1, ['k', '1']);
      await commit(store, 'a', 1, 2, ['k', '"\u2028é'], [documentKey('learned'), '{"large":1}']);
      await commit(store, 'a', 1, 3, ['k', null], [documentKey('learned'), null]);
      const entries = await store.journal({ term: 1, number: 1 });
      assert.deepEqual(entries, [
        { term: 1, number: 2, changes: [['k', '"\u2028é'], [documentKey('learned')]] },
        {
          term: 1,
          number: 3,
          changes: [
            ['k', null],
            [documentKey('learned'), null],
          ],
        },
      ]);
      assert.deepEqual(await store.journal({ term: 1, number: 3 }), []);
    });

    test('reads the texts of some keys', async (t) => {
      const { store } = await setUp(t);
      await store.beat(beatOf('a', true));
      await commit(store, 'a', 1, 1, ['k', '1'], ['l', '2']);
      assert.deepEqual([...(await store.read(['l', 'missing']))], [['l', '2']]);
    });

    test('has reports in order with their ages, after a cursor, and keeps the last ones alone', async (t) => {
      const { store, pass } = await setUp(t);
      assert.deepEqual((await store.reports()).entries, []);
      await store.report('one');
      await pass(0.3);
      await store.report('two');
      const first = await store.reports();
      assert.deepEqual(
        first.entries.map(({ text }) => text),
        ['one', 'two'],
      );
      const [one, two] = first.entries.map(({ age }) => age);
      assert.ok(one !== undefined && two !== undefined && one - two >= 0.29 && two >= 0);
      assert.equal(first.hasMore, false);
      assert.deepEqual((await store.reports(first.cursor)).entries, []);
      // Entries of the usual size: a store may trim a little less than it could.
      for (let i = 0; i < 600; i += 1) await store.report(`${i} ${'x'.repeat(4000)}`);
      const kept: string[] = [];
      for (let read = await store.reports(first.cursor); ; read = await store.reports(read.cursor)) {
        kept.push(...read.entries.map(({ text }) => text));
        if (!read.hasMore) break;
        assert.ok(read.entries.length > 0);
      }
      assert.ok(kept.length >= 256 && kept.length < 400, `${kept.length} entries`);
      assert.match(kept.at(-1) ?? '', /^599 /);
      assert.match(kept[0] ?? '', new RegExp(`^${600 - kept.length} `));
    });

    test('takes thousands of changes in one commit', async (t) => {
      const { store } = await setUp(t);
      await store.beat(beatOf('a', true));
      const changes = Array.from({ length: 20_000 }, (_, index) => [`tickets/${index}`, 'x'.repeat(200)] as const);
      assert.equal(await store.commit({ leader: 'a', term: 1, number: 1, changes, replaces: true }), 'done');
      const removed = changes.map(([key]) => [key, null] as const);
      assert.equal(await store.commit({ leader: 'a', term: 1, number: 2, changes: removed, replaces: false }), 'done');
      assert.equal((await store.list()).texts.size, 0);
    });

    test('a store that forgot elects the same leader again, in a term that no commit had', async (t) => {
      const { store, forget } = await setUp(t);
      await store.beat(beatOf('a', true));
      await commit(store, 'a', 1, 1, ['k', '1']);
      await forget();
      assert.equal(await commit(store, 'a', 1, 2, ['k', '2']), 'behind');
      const again = await store.beat(beatOf('a', true, 1));
      assert.deepEqual([again.role, again.term, again.before, again.stamp], ['elected', 2, 0, NO_STAMP]);
      assert.equal(await store.commit({ leader: 'a', term: 2, number: 3, changes: [['k', '2']], replaces: true }), 'done');
    });
  });
}
