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

test('one program is started with fixed arguments, and its lines are read as they come', async () => {
  const smi = start('mkfifo "$0.in"; exec cat <> "$0.in"');
  await until(() => starts().length === 1 && existsSync(join(folder, 'nvidia-smi.in')));
  assert.deepEqual(starts(), [
    '--query-gpu=index,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits --loop-ms=1000',
  ]);
  writeFileSync(join(folder, 'nvidia-smi.in'), '0, 35, 2048, 8192\n1, 5');
  await until(() => smi.read() !== undefined);
  assert.deepEqual(smi.read(), { gpu: 35, gpuMemory: 25 });
  writeFileSync(join(folder, 'nvidia-smi.in'), '0, 1024, 4096\n');
  await until(() => smi.read()?.gpu === 50);
  await clock.advance(9);
  assert.deepEqual(smi.read(), { gpu: 50, gpuMemory: 25 });
  assert.equal(starts().length, 1);
  assert.deepEqual(said, ['The GPU is part of the load']);
});

test('where there is none, that is said once and looked for again only after ten minutes', async () => {
  const command = join(folder, 'nvidia-smi');
  gpu = startNvidiaSmi({ clock, log, command });
  await until(() => said.length > 0);
  assert.match(said[0]!, /^There is no NVIDIA GPU/);
  writeFileSync(command, '#!/bin/sh\necho "0, 1, 2, 4"\n');
  chmodSync(command, 0o755);
  await clock.advance(590);
  assert.equal(gpu.read(), undefined);
  await clock.advance(10);
  await until(() => gpu?.read() !== undefined);
  assert.deepEqual(gpu.read(), { gpu: 1, gpuMemory: 50 });
  assert.equal(said.length, 2);
});

test('one that fails is tried again later and later, and told once with what it said', async () => {
  start('echo "NVIDIA-SMI has failed because it could not communicate with the driver"; exit 9');
  await until(() => said.length > 0);
  assert.match(said[0]!, /cannot be measured and is left out of the load: said "NVIDIA-SMI has failed/);
  for (let attempt = 1; attempt <= 9; attempt += 1) {
    await until(() => clock.pauses.length === attempt);
    assert.equal(starts().length, attempt);
    await clock.advance(clock.pauses.at(-1)!);
  }
  assert.deepEqual(clock.pauses.slice(0, 9), [5, 10, 20, 40, 80, 160, 320, 600, 600]);
  assert.equal(said.length, 1);
});

test('one that prints a reading and ends is started again every five seconds', async () => {
  const smi = start('echo "0, 35, 2048, 8192"');
  await until(() => clock.pauses.length === 1);
  assert.deepEqual(smi.read(), { gpu: 35, gpuMemory: 25 });
  await clock.advance(4.9);
  assert.equal(starts().length, 1);
  await clock.advance(0.1);
  await until(() => clock.pauses.length === 2);
  assert.equal(starts().length, 2);
  assert.deepEqual(said, ['The GPU is part of the load']);
});

test('one that goes silent is ended, and what it said before is not believed for ever', async () => {
  const smi = start('echo $$ > "$0.pid"; echo "0, 35, 2048, 8192"; exec sleep 1000');
  await until(() => smi.read() !== undefined);
  const pid = Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8'));
  await clock.advance(10.5);
  assert.equal(smi.read(), undefined);
  assert.ok(alive(pid));
  await clock.advance(5);
  smi.read();
  await until(() => !alive(pid));
  await until(() => said.length === 2);
  assert.match(said[1]!, /said nothing for 15 s/);
});

test('one that prints without end is ended', async () => {
  start('echo $$ > "$0.pid"; exec yes "0, 35, 2048, 8192"');
  await until(() => said.length === 2);
  assert.match(said[1]!, /prints far more than was asked for/);
  const pid = Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8'));
  await until(() => !alive(pid));
});

test('one that prints a line without end is ended', async () => {
  start('head -c 5000 /dev/zero; exec sleep 1000');
  await until(() => said.length === 1);
  assert.match(said[0]!, /prints far more than was asked for/);
});

test('closing ends the program at once', async () => {
  const reader = start('echo $$ > "$0.pid"; echo "0, 35, 2048, 8192"; exec sleep 1000');
  await until(() => reader.read() !== undefined);
  const pid = Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8'));
  await reader.close();
  await until(() => !alive(pid));
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
