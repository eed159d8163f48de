import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { Mounts } from './mounts.ts';

test('those who mount while the program runs share its next run, and each gets its own outcome', async (t) => {
  const table = join(await temporaryFolder(t), 'table');
  const runs: (readonly string[])[] = [];
  let mounted: readonly string[] = [];
  const launcher = {
    run: (argv: readonly string[]) => {
      if (argv[0] === 'umount') mounted = mounted.filter((point) => !argv.includes(point));
      const asked = argv[0] === 'mount' ? [...readFileSync(table, 'utf8').matchAll(/^\S+ (\S+) tmpfs size=1 0 0$/gm)] : [];
      const points = asked.map(([, point = '']) => point);
      runs.push(argv[0] === 'mount' ? ['mount', ...points] : argv);
      mounted = [...mounted, ...points.filter((point) => point !== '/bad')];
      const stderr = 'mount: /bad: permission denied.\nmount: /c: something about another\n';
      return Promise.resolve({ status: 32, stdout: new Uint8Array(), stderr });
    },
  };
  const mounts = new Mounts(launcher, table, () => Promise.resolve(mounted));
  const mount = (point: string) => mounts.mount({ type: 'tmpfs', point, options: 'size=1' });
  const first = mount('/a');
  await Promise.resolve();
  const others = await Promise.allSettled([mount('/bad'), mount('/c')]);
  await first;
  assert.deepEqual(runs, [
    ['mount', '/a'],
    ['mount', '/bad', '/c'],
  ]);
  assert.deepEqual(
    others.map((other) => (other.status === 'rejected' ? String(other.reason) : other.status)),
    ['Error: mount: mount: /bad: permission denied.', 'fulfilled'],
  );
  assert.ok(!existsSync(table), 'the table is removed');
  await Promise.all([mounts.unmount(['/a']), mounts.unmount(['/c'])]);
  assert.deepEqual([runs.at(-1), mounted], [['umount', '--', '/a', '/c'], []]);
});
