import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentKey, isNewer, journalText, Mirror, readJournalText } from './shared-state.ts';

const texts = (mirror: Mirror) => Object.fromEntries(mirror.entries());

test('a mirror takes over the next commit of its term, and asks for a list after any other', () => {
  const mirror = new Mirror();
  mirror.replace({ term: 2, number: 7, texts: new Map([['a', '1']]) });
  assert.deepEqual(mirror.apply({ term: 2, number: 8, changes: [['a', null], ['b', '2'], [documentKey('learned')]] }), [
    'documents/learned',
  ]);
  assert.deepEqual(texts(mirror), { b: '2' });
  assert.equal(mirror.apply({ term: 2, number: 10, changes: [] }), undefined);
  assert.equal(mirror.apply({ term: 3, number: 9, changes: [] }), undefined);
  assert.equal(mirror.apply({ term: 2, number: 9 }), undefined);
  assert.deepEqual(mirror.stamp, { term: 2, number: 8 });
});

test('a mirror keeps what it knows when the store forgot it', () => {
  const mirror = new Mirror();
  mirror.replace({ term: 2, number: 7, texts: new Map([['a', '1']]) });
  assert.equal(mirror.replace({ term: 0, number: 0, texts: new Map() }), false);
  assert.equal(mirror.replace({ term: 2, number: 6, texts: new Map() }), false);
  assert.deepEqual(texts(mirror), { a: '1' });
  assert.equal(mirror.replace({ term: 3, number: 1, texts: new Map() }), true);
  assert.equal(mirror.size, 0);
});

test('a mirror remembers of what was committed only which commit it was', () => {
  const mirror = new Mirror();
  const commit = { term: 3, number: 8, leader: 'a', changes: [['a', 'x'.repeat(5000)] as const], replaces: false };
  mirror.committed(commit);
  assert.deepEqual(mirror.stamp, { term: 3, number: 8 });
});

test('a commit of a later term is newer, whatever its number', () => {
  assert.ok(isNewer({ term: 2, number: 1 }, { term: 1, number: 9 }));
  assert.ok(isNewer({ term: 1, number: 9 }, { term: 1, number: 8 }));
  assert.ok(!isNewer({ term: 1, number: 9 }, { term: 1, number: 9 }));
});

test('what others wrote into the journal is not read', () => {
  const stamp = { term: 1, number: 2 };
  const text = journalText([
    ['a', '1'],
    ['b', null],
  ]);
  assert.deepEqual(readJournalText(text, stamp), {
    ...stamp,
    changes: [
      ['a', '1'],
      ['b', null],
    ],
  });
  const tooLong = JSON.stringify([['a', 'x'.repeat(9 * 1024 * 1024)]]);
  for (const foreign of ['', '{', '{}', '[1]', '[["a",1]]', '[[""]]', '[["a","b","c"]]', `[["${'k'.repeat(301)}"]]`, tooLong])
    assert.equal(readJournalText(foreign, stamp), undefined, foreign.slice(0, 20));
});
