import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { Log } from '../ports.ts';
import { startNvidiaSmi, type NvidiaSmi } from './nvidia-smi.ts';

/** Remembers the pauses that were made, so that a test can wait for one to begin. */
class PauseClock extends FakeClock {
  readonly pauses: number[] = [];

  override sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    this.pauses.push(seconds);
    return super.sleep(seconds, signal);
  }
}

let folder = '';
let clock = new PauseClock();
let said: string[] = [];
let gpu: NvidiaSmi | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-'));
  clock = new PauseClock();
  said = [];
  gpu = undefined;
});
afterEach(async () => {
  await gpu?.close();
  rmSync(folder, { recursive: true });
});

const log: Log = {
  debug: (message) => void said.push(message),
  info: (message) => void said.push(message),
  warn: (message, fields) => void said.push(`${message}: ${String(fields?.complaint)}`),
  error: (message) => void said.push(message),
  limited: () => undefined,
};

/** Starts the reader with a program that does what `body`, a shell script, says. Each start leaves a line in the file `starts`. */
function start(body: string): NvidiaSmi {
  const command = join(folder, 'nvidia-smi');
  writeFileSync(command, `#!/bin/sh\necho "$*" >> "$(dirname "$0")/starts"\n${body}\n`);
  chmodSync(command, 0o755);
  gpu = startNvidiaSmi({ clock, log, command });
  return gpu;
}

const starts = (): string[] =>
  existsSync(join(folder, 'starts')) ? readFileSync(join(folder, 'starts'), 'utf8').split('\n').slice(0, -1) : [];

/** Waits for what another process does; the fake clock stands still meanwhile. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test('the program is called with fixed arguments every five seconds, and its output is read', async () => {
  const smi = start('printf "0, 35, 2048, 8192\\n1, 50, 1024, 8192\\n"');
  await until(() => clock.pauses.length === 1);
  assert.deepEqual(starts(), ['--query-gpu=index,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits']);
  assert.deepEqual(smi.read(), { gpu: 50, gpuMemory: 25 });
  await clock.advance(4.9);
  assert.equal(starts().length, 1);
  await clock.advance(0.1);
  await until(() => clock.pauses.length === 2);
  assert.equal(starts().length, 2);
  assert.deepEqual(said, ['The load includes the GPU']);
});

test('where the program is missing, that is logged once, and it is tried again after ten minutes', async () => {
  const command = join(folder, 'nvidia-smi');
  gpu = startNvidiaSmi({ clock, log, command });
  await until(() => clock.pauses.length === 1);
  assert.deepEqual([said, clock.pauses], [['No NVIDIA GPU found; load covers CPU and memory only'], [600]]);
  writeFileSync(command, '#!/bin/sh\necho "0, 1, 2, 4"\n');
  chmodSync(command, 0o755);
  await clock.advance(600);
  await until(() => gpu?.read() !== undefined);
  assert.deepEqual(gpu.read(), { gpu: 1, gpuMemory: 50 });
  assert.equal(said.length, 2);
});

test('a program that fails is tried again later and later, and reported once with its reason', async () => {
  start('echo "could not communicate with the driver" >&2; exit 9');
  for (let attempt = 1; attempt <= 9; attempt += 1) {
    await until(() => clock.pauses.length === attempt);
    assert.equal(starts().length, attempt);
    await clock.advance(clock.pauses.at(-1)!);
  }
  assert.deepEqual(clock.pauses.slice(0, 9), [5, 10, 20, 40, 80, 160, 320, 600, 600]);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /cannot be measured; load covers CPU and memory only: [\s\S]*could not communicate with the driver/);
});

test('a program without a reading is a failure, and the last reading is forgotten', async () => {
  const smi = start('[ -e "$0.lost" ] && echo "GPU is lost" || echo "0, 35, 2048, 8192"');
  await until(() => clock.pauses.length === 1);
  assert.deepEqual(smi.read(), { gpu: 35, gpuMemory: 25 });
  writeFileSync(join(folder, 'nvidia-smi.lost'), '');
  await clock.advance(5);
  await until(() => clock.pauses.length === 2);
  assert.equal(smi.read(), undefined);
  assert.match(said[1]!, /it printed "GPU is lost"/);
});

test('a program that prints without end is stopped', async () => {
  start('echo $$ > "$0.pid"; exec yes "0, 35, 2048, 8192"');
  await until(() => clock.pauses.length === 1);
  assert.match(said[0]!, /maxBuffer/);
  const pid = Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8'));
  await until(() => !alive(pid));
});

test('closing stops the program at once, and is not a failure', async () => {
  const reader = start('echo $$ > "$0.pid"; exec sleep 1000');
  await until(() => existsSync(join(folder, 'nvidia-smi.pid')) && readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8') !== '');
  const pid = Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8'));
  await reader.close();
  await until(() => !alive(pid));
  assert.deepEqual(said, []);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
