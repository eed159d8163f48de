import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentOf } from './memory.ts';
import { thisMachine } from './machine.ts';

test('the figures of this machine are plausible', () => {
  const machine = thisMachine();
  const { busy, total } = machine.cpuTimes();
  assert.ok(busy > 0 && busy <= total);
  const { memory, swap } = machine.memory();
  assert.ok(percentOf(memory) > 0 && percentOf(memory) <= 100);
  assert.ok(percentOf(swap) >= 0 && percentOf(swap) <= 100);
});
