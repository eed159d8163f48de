import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { createWebots } from '../simulators/webots.ts';
import type { Isolation, PrepareOptions } from '../ports.ts';
import { startPulling } from './pulling.ts';

const simulator = createWebots(() => ({ home: '/w', arguments: [], images: { R2024a: 'my/webots:1' }, network: 'none' }));

test('the images of the versions are pulled one after the other, and one that fails does not keep the next from it', async () => {
  const log = new MemoryLog();
  const pulled: (string | undefined)[] = [];
  let ready: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (ready = resolve));
  const prepare = async ({ plan }: PrepareOptions) => {
    const result = plan({ project: '/p', port: 1, socket: '/s', container: true });
    pulled.push(result.kind === 'plan' ? result.plan.image : undefined);
    if (pulled.length === 1) throw new Error('no network');
    if (pulled.length === 3) ready();
    await Promise.resolve();
    return pulled.length === 2 ? ({ reason: 'prepare', code: 1013, text: 'missing' } as const) : undefined;
  };
  const isolation = { prepare } as Partial<Isolation> as Isolation;
  const pulling = startPulling({ log, simulator, isolation, versions: ['R2023b', 'R2024a', 'R2025a'] });
  await done;
  await pulling.stop();
  assert.deepEqual(pulled, [
    'cyberbotics/webots.cloud:R2023b-ubuntu22.04',
    'my/webots:1',
    'cyberbotics/webots.cloud:R2025a-ubuntu22.04',
  ]);
  assert.match(JSON.stringify(log.lines), /R2023b cannot be pulled.*R2024a is not available.*R2025a is ready/);
});

test('a server that stops gives up what is pulled', async () => {
  let aborted = false;
  const prepare = ({ signal }: PrepareOptions) =>
    new Promise<undefined>((_, reject) =>
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(new Error('aborted'));
      }),
    );
  const isolation = { prepare } as Partial<Isolation> as Isolation;
  await startPulling({ log: new MemoryLog(), simulator, isolation, versions: ['R2025a', 'R2024a'] }).stop();
  assert.ok(aborted);
});
