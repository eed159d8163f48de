import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPeering } from './peering.ts';

test('what a leader wrote is read, and anything else is not', () => {
  const secret = 'b2a1c6b0-4a1a-4c59-8f6e-1d2f3a4b5c6d';
  assert.deepEqual(readPeering(JSON.stringify({ term: 7, secret, more: 1 })), { term: 7, secret });
  for (const text of [
    undefined,
    '',
    'null',
    '7',
    '{}',
    JSON.stringify({ term: '7', secret }),
    JSON.stringify({ term: 7, secret: 'abc' }),
    JSON.stringify({ term: 7, secret: `${secret}\r\nX: y` }),
    JSON.stringify({ term: 7, secret: 'x'.repeat(300) }),
  ])
    assert.equal(readPeering(text), undefined, text);
});
