import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GpuReadings, parseGpuLine } from './gpu.ts';

test('a line tells the use of the GPU and of its memory', () => {
  assert.deepEqual(parseGpuLine('0, 35, 2048, 8192'), { index: 0, gpu: 35, gpuMemory: 25 });
  assert.deepEqual(parseGpuLine('12,7,0,24564\r'), { index: 12, gpu: 7, gpuMemory: 0 });
});

test('what a GPU does not support is 0', () => {
  assert.deepEqual(parseGpuLine('0, [N/A], 1024, 4096'), { index: 0, gpu: 0, gpuMemory: 25 });
  assert.deepEqual(parseGpuLine('0, 5, [Not Supported], [Not Supported]'), { index: 0, gpu: 5, gpuMemory: 0 });
});

test('another text is no reading', () => {
  const texts = [
    '',
    '0',
    '0, 35, 2048',
    '0, 35, 2048, 8192, 1',
    'x, 1, 2, 3',
    '0, -1, 2, 3',
    '0, NaN, 2, 3',
    '0, 1e9, 2, 3',
    '0, [GPU is lost], 2, 3',
  ];
  for (const text of texts) assert.equal(parseGpuLine(text), undefined, text);
});

test('any line gives percent from 0 to 100, or nothing', () => {
  const column = fc.oneof(fc.string(), fc.nat().map(String), fc.double().map(String));
  fc.assert(
    fc.property(fc.array(column, { maxLength: 6 }), (columns) => {
      const reading = parseGpuLine(columns.join(', '));
      if (reading === undefined) return;
      for (const percent of [reading.gpu, reading.gpuMemory]) assert.ok(percent >= 0 && percent <= 100);
    }),
  );
});

test('with several GPUs the highest figure of each kind counts', () => {
  const readings = new GpuReadings();
  readings.add({ index: 0, gpu: 90, gpuMemory: 10 }, 1);
  readings.add({ index: 1, gpu: 5, gpuMemory: 60 }, 1);
  assert.deepEqual(readings.highest(1), { gpu: 90, gpuMemory: 60 });
  readings.add({ index: 0, gpu: 20, gpuMemory: 10 }, 2);
  assert.deepEqual(readings.highest(2), { gpu: 20, gpuMemory: 60 });
});

test('a reading that is not renewed is forgotten, each GPU by itself', () => {
  const readings = new GpuReadings();
  readings.add({ index: 0, gpu: 90, gpuMemory: 10 }, 1);
  readings.add({ index: 1, gpu: 5, gpuMemory: 60 }, 8);
  assert.deepEqual(readings.highest(12), { gpu: 5, gpuMemory: 60 });
  assert.equal(readings.highest(19), undefined);
});

test('no more GPUs are kept than a machine can have', () => {
  const readings = new GpuReadings();
  for (let index = 0; index < 999; index += 1) readings.add({ index, gpu: index === 998 ? 100 : 1, gpuMemory: 1 }, 1);
  assert.deepEqual(readings.highest(1), { gpu: 1, gpuMemory: 1 });
});
