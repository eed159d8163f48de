import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { highestReading, parseGpuLine } from './gpu.ts';

test('a line has the use of the GPU and of its memory', () => {
  assert.deepEqual(parseGpuLine('0, 35, 2048, 8192'), { gpu: 35, gpuMemory: 25 });
  assert.deepEqual(parseGpuLine('12,7,0,24564\r'), { gpu: 7, gpuMemory: 0 });
});

test('a figure that a GPU does not support is 0', () => {
  assert.deepEqual(parseGpuLine('0, [N/A], 1024, 4096'), { gpu: 0, gpuMemory: 25 });
  assert.deepEqual(parseGpuLine('0, 5, [Not Supported], [Not Supported]'), { gpu: 5, gpuMemory: 0 });
});

test('any other text is not a reading', () => {
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

test('the highest figure of each kind counts, and lines that are not readings are ignored', () => {
  assert.deepEqual(highestReading('0, 90, 10, 100\n1, 5, 60, 100\nwarning\n'), { gpu: 90, gpuMemory: 60 });
  assert.equal(highestReading('No devices were found\n'), undefined);
  assert.equal(highestReading(''), undefined);
});
