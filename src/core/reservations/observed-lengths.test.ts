import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObservedLengths } from './observed-lengths.ts';

test('the mean begins with what is configured, and moves to what is seen', () => {
  const lengths = new ObservedLengths();
  assert.equal(lengths.mean(1500, 0), 1500);
  for (let i = 0; i < 180; i++) {
    lengths.began(`${i}`, 10 * i);
    lengths.ended(`${i}`, 10 * i + 500);
    lengths.ended(`${i}`, 10 * i + 9000);
  }
  assert.equal(lengths.mean(1500, 5000), (180 * 500 + 20 * 1500) / 200);
  const restored = new ObservedLengths();
  restored.restore(lengths.save());
  assert.equal(restored.mean(1500, 0), lengths.mean(1500, 5000));
});

test('sessions that still run make it longer, so that a day of long ones does not look short at first', () => {
  const lengths = new ObservedLengths();
  for (let i = 0; i < 40; i++) lengths.began(`long ${i}`, 0);
  for (let i = 0; i < 20; i++) {
    lengths.began(`short ${i}`, 0);
    lengths.ended(`short ${i}`, 60);
  }
  assert.equal(lengths.mean(1500, 3600), (20 * 60 + 40 * 3600 + 20 * 1500) / 40);
});
