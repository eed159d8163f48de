import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastHour } from './last-hour.ts';

test('an event counts for an hour and no longer', () => {
  const hour = new LastHour();
  hour.add(30);
  hour.add(1800, 2);
  assert.equal(hour.total(1800), 3);
  assert.equal(hour.total(3600), 2);
  assert.equal(hour.total(5400), 0);
  hour.add(90_000);
  assert.equal(hour.total(90_000), 1);
});

test('saved counts continue after a restart, by their age, on a clock that starts again from zero', () => {
  const before = new LastHour();
  before.add(10_000);
  before.add(11_800, 4);
  const saved = before.save(11_820);
  const after = new LastHour();
  after.add(5);
  after.restore(saved, 600, 5);
  assert.equal(after.total(5), 6);
  assert.equal(after.total(20 * 60), 5, 'the oldest is an hour old by now');
  assert.equal(after.total(50 * 60), 1);
  const late = new LastHour();
  late.restore(saved, 3600, 5);
  assert.equal(late.total(5), 0);
});
