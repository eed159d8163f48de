import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResumeTokens } from './resume-tokens.ts';

test('the next leader recognizes a token by its digest, and the digest itself opens nothing', () => {
  const first = new ResumeTokens(() => 'never');
  const stored = first.stored('secret');
  assert.match(stored, /^[0-9a-f]{64}$/);
  assert.equal(first.known('secret'), 'secret');
  const next = new ResumeTokens(() => 'issued');
  next.restore(stored);
  assert.equal(next.known('secret'), stored);
  assert.equal(next.known(stored), undefined);
  assert.equal(next.stored(stored), stored, 'it stays the same for the leader after the next');
  assert.equal(next.issue(stored), 'issued');
  assert.equal(next.known('issued'), stored);
  assert.equal(next.issue('own'), 'own');
});

test('of the tokens that a place was issued one after the other, the newest is known', () => {
  let count = 0;
  const tokens = new ResumeTokens(() => `issued ${(count += 1)}`);
  const stored = tokens.stored('secret');
  tokens.restore(stored);
  const [before, now] = [tokens.issue(stored), tokens.issue(stored)];
  assert.equal(tokens.known(now), stored);
  assert.notEqual(tokens.known(before), stored);
});
