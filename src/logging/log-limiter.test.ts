import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogLimiter } from './log-limiter.ts';

const rules = { window: 60, perKey: 3, inAll: 10 };

test('a few lines with the same key are written, the rest is counted', () => {
  const limiter = new LogLimiter<string>(rules);
  const written = Array.from({ length: 8 }, (_, second) => limiter.admits('info', 'bad-request', second)).filter(Boolean);
  assert.equal(written.length, 3);
  assert.equal(limiter.remaining(8), 52);
  assert.deepEqual(limiter.end(), [{ level: 'info', key: 'bad-request', count: 5 }]);
});

test('after the window the key may speak again', () => {
  const limiter = new LogLimiter<string>(rules);
  for (let line = 0; line < 5; line += 1) limiter.admits('info', 'a', 0);
  limiter.end();
  assert.ok(limiter.admits('info', 'a', 61));
  assert.deepEqual(limiter.end(), []);
});

test('nothing said means no window', () => {
  assert.equal(new LogLimiter<string>(rules).remaining(5), Infinity);
});

test('somebody who varies the key gets no more than the lines of all together, and no more memory', () => {
  const limiter = new LogLimiter<string>(rules);
  let written = 0;
  for (let stranger = 0; stranger < 10_000; stranger += 1) if (limiter.admits('warn', `from ${stranger}`, 0)) written += 1;
  assert.equal(written, 10);
  assert.deepEqual(limiter.end(), [{ level: 'warn', key: undefined, count: 9990 }]);
});

test('every line is either written or counted, and the bounds hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 200 }), (keys) => {
      const limiter = new LogLimiter<string>(rules);
      const written = keys.filter((key) => limiter.admits('info', key, 0));
      const leftOut = limiter.end();
      assert.equal(written.length + leftOut.reduce((sum, { count }) => sum + count, 0), keys.length);
      assert.ok(written.length <= rules.inAll);
      assert.ok(leftOut.length <= rules.inAll + 1);
      for (const key of new Set(keys)) assert.ok(written.filter((other) => other === key).length <= rules.perKey);
    }),
  );
});
