import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { CSV_HEADER } from '../../core/simulation/monitor-csv.ts';
import { MonitorLog } from './monitor-log.ts';

const fail = (sentence: string) => {
  throw new Error(sentence);
};
const sample = {
  ...{ wallTime: 1, running: 0, idle: 0, cpu: 1, memory: 1, gpu: 0, gpuMemory: 0, swap: 0, disk: 1, sent: 0, received: 0 },
};

test('the file begins again with the header at each start, and the previous one remains', async (t) => {
  const path = join(await temporaryFolder(t), 'monitor.csv');
  writeFileSync(path, 'old\n');
  const log = new MonitorLog({ path, now: () => 0, complain: fail });
  log.write(sample);
  log.close();
  assert.deepEqual(readFileSync(path, 'utf8').split('\n').slice(0, 2), [
    CSV_HEADER,
    '1, 0, 0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.000000, 0.000000',
  ]);
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'old\n');
});

test('a file that grows is rotated, each with the header, and few of them remain', async (t) => {
  const folder = await temporaryFolder(t);
  const log = new MonitorLog({ path: join(folder, 'monitor.csv'), now: () => 0, complain: fail, maxBytes: 300 });
  for (let i = 0; i < 50; i += 1) log.write(sample);
  log.close();
  const names = readdirSync(folder).sort();
  assert.deepEqual(names, ['monitor.csv', 'monitor.csv.1', 'monitor.csv.2', 'monitor.csv.3']);
  for (const name of names) assert.ok(readFileSync(join(folder, name), 'utf8').startsWith(CSV_HEADER), name);
});
