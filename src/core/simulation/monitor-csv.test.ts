import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvLine, CSV_HEADER, networkBytes } from './monitor-csv.ts';

test('a line has a value for each column of the original', () => {
  const line = csvLine({
    ...{ wallTime: 1700000000.9, running: 2, idle: 1, cpu: 12.34, memory: 50, gpu: 7, gpuMemory: 3, swap: 0, disk: 40.06 },
    ...{ sent: 0.5, received: 0.25 },
  });
  assert.equal(line, '1700000000, 2, 1, 12.3, 50.0, 7.0, 3.0, 3.0, 0.0, 40.1, 0.500000, 0.250000');
  assert.equal(line.split(', ').length, CSV_HEADER.split(', ').length);
});

test('traffic is summed up over all interfaces', () => {
  const text = `Inter-|   Receive |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0
  eth0:1000 1 0 0 0 0 0 0 2000 2 0 0 0 0 0 0
`;
  assert.deepEqual(networkBytes(text), { received: 1100, sent: 2200 });
  assert.deepEqual(networkBytes(''), { received: 0, sent: 0 });
});
