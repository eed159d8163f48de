import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cpuPercent, cpuTimesFromCpus, cpuTimesFromProcStat } from './cpu.ts';

test('/proc/stat: idle and waiting for the disk are idle, stolen time is busy, guests count once', () => {
  const text = 'cpu  100 10 50 800 40 5 15 20 60 6\ncpu0 50 5 25 400 20 2 8 10 30 3\nintr 1\n';
  assert.deepEqual(cpuTimesFromProcStat(text), { busy: 200, total: 1040 });
});

test('/proc/stat of an old kernel with four columns is understood', () => {
  assert.deepEqual(cpuTimesFromProcStat('cpu 1 2 3 4\n'), { busy: 6, total: 10 });
});

test('any other text is not a reading', () => {
  for (const text of ['', 'cpu', 'cpu 1 2\n', 'cpu0 1 2 3 4\n', 'cpu a b c d\n'])
    assert.equal(cpuTimesFromProcStat(text), undefined);
});

test('os.cpus() is summed up over all processors, and an empty list is not a reading', () => {
  const times = { user: 10, nice: 1, sys: 5, idle: 80, irq: 4 };
  assert.deepEqual(cpuTimesFromCpus([{ times }, { times }]), { busy: 40, total: 200 });
  assert.equal(cpuTimesFromCpus([]), undefined);
});

test('percent is the busy part of the time between two readings', () => {
  assert.equal(cpuPercent({ busy: 100, total: 1000 }, { busy: 150, total: 1200 }), 25);
  assert.equal(cpuPercent({ busy: 100, total: 1000 }, { busy: 100, total: 1000 }), undefined);
});

test('percent is never below 0 or above 100, whatever the counters do', () => {
  const times = fc.record({ busy: fc.nat(), total: fc.nat() });
  fc.assert(
    fc.property(times, times, (before, after) => {
      const percent = cpuPercent(before, after);
      assert.ok(percent === undefined || (percent >= 0 && percent <= 100));
    }),
  );
});
