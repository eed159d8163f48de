import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFromMeminfo, memoryFromTotals, percentOf } from './memory.ts';

const meminfo = (lines: Record<string, number>): string =>
  Object.entries(lines)
    .map(([name, kibibytes]) => `${name}:       ${kibibytes} kB\n`)
    .join('');

test('available memory is not in use, and swap space in use is what is not free', () => {
  const text = meminfo({ MemTotal: 1000, MemFree: 100, MemAvailable: 750, Buffers: 1, Cached: 2, SwapTotal: 400, SwapFree: 300 });
  assert.deepEqual(memoryFromMeminfo(text), {
    memory: { used: 250 * 1024, total: 1000 * 1024 },
    swap: { used: 100 * 1024, total: 400 * 1024 },
  });
});

test('an old kernel that does not say what is available is estimated by its caches', () => {
  const reading = memoryFromMeminfo(
    meminfo({ MemTotal: 1000, MemFree: 100, Buffers: 50, Cached: 350, SwapTotal: 0, SwapFree: 0 }),
  );
  assert.equal(percentOf(reading!.memory), 50);
});

test('without swap space its use is 0 percent', () => {
  assert.equal(percentOf(memoryFromMeminfo(meminfo({ MemTotal: 10, MemFree: 5 }))!.swap), 0);
});

test('any other text is not a reading', () => {
  for (const text of ['', 'MemTotal: x kB\n', meminfo({ MemTotal: 1 })]) assert.equal(memoryFromMeminfo(text), undefined);
});

test('other systems report memory alone', () => {
  const { memory, swap } = memoryFromTotals(200, 50);
  assert.deepEqual([percentOf(memory), percentOf(swap)], [75, 0]);
  assert.equal(percentOf(memoryFromTotals(200, 300).memory), 0);
});
