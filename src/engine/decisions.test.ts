import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decision } from '../core/views/decision.ts';
import { Decisions } from './decisions.ts';

function decision(id: string, changes: Partial<Decision> = {}): Decision {
  return { id, at: 1_000_000, kind: 'allocated', code: 'allocated', reason: '', waited: 0, others: [], omitted: 0, ...changes };
}

const refusal = (id: string) => decision(id, { kind: 'refused', code: 'no-room', reason: 'Everything is full.' });

test('a refusal is still listed after a thousand sessions were handed out', () => {
  const decisions = new Decisions();
  decisions.record(refusal('asked after'), 0);
  for (let count = 0; count < 1000; count++) decisions.record(decision(`d${count}`, { server: 'a:2000' }), count);
  const last = decisions.last();
  assert.equal(last.length, 201);
  assert.equal(last[0]?.id, 'd999');
  assert.equal(last.at(-1)?.id, 'asked after');
});

test('refusals that are only counted are in the count of the last hour', () => {
  const decisions = new Decisions();
  decisions.record(refusal('r'), 0);
  for (let count = 0; count < 9; count++) decisions.count('refused', 'too-many-requests', 10);
  assert.equal(decisions.refusedLastHour(20), 10);
  assert.equal(decisions.last().length, 1);
});

test('decisions and the counts of the last hour survive a restart', () => {
  const before = new Decisions();
  const answer = { id: 'b:1', address: 'b/1', chosen: false, eligible: false, code: 'down', reason: 'It is down.' };
  before.record({ ...refusal('r'), project: 'https://github.com/a/b', others: [answer] }, 100);
  for (const id of ['x', 'y', 'z']) before.record(decision(id, { server: 'a:2000', address: 'a/2000' }), 4000);
  const saved: unknown = JSON.parse(JSON.stringify(before.save(4000, 1_000_000)));

  const after = new Decisions(() => assert.fail('what was restored was reported before'));
  assert.deepEqual(after.restore(saved, 7, 1_000_060), { kind: 'restored' });
  assert.deepEqual(JSON.parse(JSON.stringify(after.last())), JSON.parse(JSON.stringify(before.last())));
  assert.equal(after.handedOutLastHour(7), 3);
  assert.equal(after.refusedLastHour(7), 0, 'more than an hour ago');
  assert.deepEqual(after.ofServer('a:2000', 7), { total: 3, lastHour: 3 });
});

test('a file of the future, of another version, or with nonsense does no harm', () => {
  const saved = new Decisions().save(0, 1_000_000);
  const future = new Decisions();
  future.restore({ ...saved, savedAt: 2_000_000, handedOut: [[0, 5]] }, 0, 1_000_000);
  assert.equal(future.handedOutLastHour(0), 5);
  for (const value of [null, 1, [], {}, 'x', { ...saved, version: 2 }, { ...saved, format: 'x' }, { ...saved, savedAt: 'x' }])
    assert.equal(new Decisions().restore(value, 0, 1_000_000).kind, 'foreign');
  const odd = [1, null, { id: 'x' }, { ...refusal('y'), kind: 'x' }, { ...refusal('y'), reason: 'x'.repeat(1_000_000) }];
  const decisions = new Decisions();
  const servers = [{ id: 'a', total: -1, lastHour: [] }, 5, { id: 'b', total: 2, lastHour: 'x' }];
  const kind = decisions.restore(
    { ...saved, decisions: [...odd, refusal('good')], servers, refused: [[-1, 5], 7] },
    0,
    1_000_000,
  );
  assert.deepEqual(kind, { kind: 'restored' });
  assert.deepEqual(
    decisions.last().map(({ id }) => id),
    ['good'],
  );
  assert.equal(decisions.refusedLastHour(0), 0);
  assert.deepEqual([decisions.ofServer('a', 0).total, decisions.ofServer('b', 0).total], [0, 2]);
});
