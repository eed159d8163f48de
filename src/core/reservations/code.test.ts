import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizedCode, withoutCode } from './code.ts';

test('case and hyphens of a code do not matter, and what cannot be one is refused', () => {
  assert.equal(normalizedCode('robo-101'), 'ROBO101');
  for (const odd of ['', 'abc', 'a b c d', 'röbo1', 'A'.repeat(33), '----']) assert.equal(normalizedCode(odd), undefined, odd);
});

test('a code is taken off the path of a session request', () => {
  assert.deepEqual(withoutCode('/c/ROBO-101/session'), { path: '/session', code: 'ROBO-101' });
  assert.deepEqual(withoutCode('/session'), { path: '/session' });
  assert.deepEqual(withoutCode('/c/ROBO-101'), { path: '/c/ROBO-101' });
});
