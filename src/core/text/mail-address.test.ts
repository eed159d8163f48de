import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskedAddress } from './mail-address.ts';

test('a masked address keeps its first letter and its host', () => {
  assert.equal(maskedAddress('ada@example.org'), 'a…@example.org');
  assert.equal(maskedAddress('"a@b"@example.org'), '"…@example.org');
  assert.equal(maskedAddress('root'), 'r…');
  assert.equal(maskedAddress(''), '…');
});
