import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withAdvice } from './failures.ts';

test('an answer of Redis gets the advice that belongs to it, and only that', () => {
  for (const [message, advice] of [
    ['WRONGPASS invalid username-password pair or user is disabled.', /replicas\.user/],
    ['NOAUTH Authentication required.', /passwordFile/],
    ["NOPERM this user has no permissions to run the 'evalsha' command", /ACL SETUSER/],
    ["READONLY You can't write against a read only replica.", /replicas\.sentinels/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory/],
    ['LOADING Redis is loading the dataset in memory', /reading its files/],
    ['BUSY Redis is busy running a script.', /script/],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', /replicas\.prefix/],
    ['MOVED 1234 10.0.0.5:6379', /cluster/],
    ['connect ECONNREFUSED 127.0.0.1:6379', /is the store running/],
    ['write EPIPE', /protected mode/],
    ['self-signed certificate', /replicas\.authority/],
  ] as const)
    assert.match(withAdvice(message), advice);
  assert.equal(withAdvice('no answer within 1 s'), 'no answer within 1 s');
});

test('a message of any length is one of a few hundred characters', () => {
  assert.ok(withAdvice(`OOM ${'x'.repeat(10_000)}`).length < 500);
});
