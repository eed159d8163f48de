import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogLimiter } from './log-limiter.ts';

const kindOf = (key: string) => key.split(' ', 1)[0];
const rules = { window: 60, perKey: 3, perKind: 10 };

test('a few lines with the same key are written, the rest is counted', () => {
  const limiter = new LogLimiter<string>(rules);
  const written = Array.from({ length: 8 }, (_, second) => limiter.admits('info', 'bad-request', second)).filter(Boolean);
  assert.equal(written.length, 3);
  assert.equal(limiter.remaining(8), 52);
  assert.deepEqual(limiter.end(), [{ level: 'info', key: 'bad-request', count: 5 }]);
});

test('after the window the key may be logged again', () => {
  const limiter = new LogLimiter<string>(rules);
  for (let line = 0; line < 5; line += 1) limiter.admits('info', 'a', 0);
  limiter.end();
  assert.ok(limiter.admits('info', 'a', 61));
  assert.deepEqual(limiter.end(), []);
});

test('without suppressed lines there is no window', () => {
  assert.equal(new LogLimiter<string>(rules).remaining(5), Infinity);
});

test('a client that varies the key gets no more than the lines of a kind, and no more memory', () => {
  const limiter = new LogLimiter<string>(rules);
  let written = 0;
  for (let stranger = 0; stranger < 10_000; stranger += 1) if (limiter.admits('warn', `from ${stranger}`, 0)) written += 1;
  assert.equal(written, 10);
  assert.deepEqual(limiter.end(), [{ level: 'warn', key: 'from', count: 9990 }]);
});

test('a flood of one kind leaves the others their lines', () => {
  const limiter = new LogLimiter<string>(rules);
  for (let server = 0; server < 1000; server += 1) limiter.admits('info', `allocated ${server}`, 0);
  assert.ok(limiter.admits('warn', 'full 7', 0));
  assert.deepEqual(limiter.end(), [{ level: 'info', key: 'allocated', count: 990 }]);
});

test('every line is either written or counted, and the bounds hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 200 }), (keys) => {
      const limiter = new LogLimiter<string>(rules);
      const written = keys.filter((key) => limiter.admits('info', key, 0));
      const leftOut = limiter.end();
      assert.equal(written.length + leftOut.reduce((sum, { count }) => sum + count, 0), keys.length);
      for (const kind of new Set(keys.map(kindOf))) {
        assert.ok(written.filter((key) => kindOf(key) === kind).length <= rules.perKind);
        assert.ok(leftOut.filter(({ key }) => kindOf(key) === kind).length <= rules.perKind + 1);
      }
      for (const key of new Set(keys)) assert.ok(written.filter((other) => other === key).length <= rules.perKey);
    }),
  );
});
