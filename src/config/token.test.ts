import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { schema } from './schema.ts';
import { hashOf, makeToken, tokenAdvice, tokenBytes } from './token.ts';

test('a made token fits the configuration by its hash and cannot be read from it', () => {
  const { token, hash } = makeToken(randomBytes(tokenBytes));
  assert.equal(hash, `sha256:${createHash('sha256').update(token).digest('hex')}`);
  assert.equal(hash, hashOf(token));
  const result = schema.shape.admin.safeParse({ tokens: [{ name: 'ada', hash }] });
  assert.ok(result.success);
  assert.ok(!hash.includes(token.slice(4)));
});

test('a token has all the randomness it was given, and fits into a header and an address', () => {
  const zero = makeToken(new Uint8Array(tokenBytes));
  const other = makeToken(new Uint8Array(tokenBytes).fill(1, 31));
  assert.notEqual(zero.token, other.token);
  assert.match(makeToken(randomBytes(tokenBytes)).token, /^sst_[A-Za-z0-9_-]{43}$/);
  assert.throws(() => makeToken(new Uint8Array(8)), RangeError);
});

test('the advice can be pasted into the configuration', () => {
  const made = makeToken(randomBytes(tokenBytes));
  const advice = tokenAdvice('ada "the first"', made);
  const line = advice.split('\n').find((line) => line.includes('"admin"')) ?? '';
  const parsed = JSON.parse(`{${line}}`) as { admin: { tokens: unknown[] } };
  assert.deepEqual(parsed.admin.tokens, [{ name: 'ada "the first"', hash: made.hash }]);
  assert.match(tokenAdvice('prometheus', made, { role: 'reader' }), /"tokens": \[\{"name":"prometheus",.*,"role":"reader"\}\]/);
  assert.match(tokenAdvice('noether', made, { role: 'teacher' }), /enter the token at \/classes/);
});
