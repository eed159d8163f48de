import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listed, MAX_LISTED } from './decision-list.ts';

type Entry = { readonly kind: 'allocated' | 'refused'; readonly id: number };

test('a class that is handed out does not wash the refusals before it away', () => {
  const refused: Entry = { kind: 'refused', id: 0 };
  const class_ = Array.from({ length: 500 }, (_, index): Entry => ({ kind: 'allocated', id: index + 1 }));
  const list = listed([...class_, refused]);
  assert.equal(list.length, MAX_LISTED + 1);
  assert.equal(list.at(-1), refused);
});

test('refusals are listed up to their own limit, among the last decisions too', () => {
  const flood = Array.from({ length: 500 }, (_, id): Entry => ({ kind: 'refused', id }));
  assert.deepEqual(listed(flood), flood.slice(0, MAX_LISTED));
});

test('listing step by step is listing all at once', () => {
  const kinds = fc.array(fc.constantFrom('allocated' as const, 'refused' as const), { maxLength: 700 });
  fc.assert(
    fc.property(kinds, kinds, (newer, older) => {
      const all = [...newer, ...older].map((kind, id): Entry => ({ kind, id }));
      const stepwise = listed([...all.slice(0, newer.length), ...listed(all.slice(newer.length))]);
      assert.deepEqual(stepwise, listed(all));
    }),
  );
});
