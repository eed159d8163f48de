import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { createThrottledValue } from './throttled-value.ts';

function start(bytes: number) {
  const clock = new FakeClock();
  let drawn = 0;
  const value = createThrottledValue(clock, () => ({ value: (drawn += 1), bytes }));
  return { clock, value, drawn: () => drawn };
}

test('a client that asks now and then gets a fresh value each time', async () => {
  const { clock, value } = start(500_000);
  for (let asked = 1; asked <= 100; asked += 1) {
    assert.equal(value(), asked);
    await clock.advance(1);
  }
});

test('a flood shares a value that is computed a few times a second, however many ask', async () => {
  const { clock, value, drawn } = start(1_000_000);
  for (let second = 0; second < 10; second += 1) {
    for (let asked = 0; asked < 1000; asked += 1) {
      value();
      await clock.advance(0.001);
    }
  }
  assert.ok(drawn() >= 20 && drawn() <= 30, `drawn ${drawn()} times in ten seconds`);
});
