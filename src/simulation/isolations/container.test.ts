import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { Launcher } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { tryContainers } from './container.ts';

const plan: LaunchPlan = {
  ...{ argv: ['/sim'], environment: {}, inner: 'tcp', loadedBy: 'word', network: 'none', folders: [], image: 'webots:R2099z' },
  ...{ display: false, gpu: false },
};

test('an image that its registry does not have is asked for once a minute, however many clients want it', async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const launcher = {
    run([, ...argv]: readonly string[]) {
      asked.push(argv.slice(0, 2).join(' '));
      return Promise.resolve({ status: argv[0] === 'info' ? 0 : 1, stdout: new Uint8Array(), stderr: '' });
    },
  } as Partial<Launcher> as Launcher;
  const settings = () => ({ container: { pull: 'missing' }, limits: { prepareTimeout: 1 } }) as SimulationSettings;
  const tried = await tryContainers({ engine: 'podman', instance: 'a', launcher, clock, settings, network: () => 'none' });
  assert.ok(tried.kind === 'works');
  const prepare = () => tried.isolation.prepare?.({ plan: () => ({ kind: 'plan', plan }), signal: new AbortController().signal });
  const pulls = () => asked.filter((one) => one.startsWith('pull')).length;
  const endings = [...(await Promise.all([prepare(), prepare()])), await prepare()];
  assert.deepEqual(
    endings.map((ending) => ending?.code),
    [1013, 1013, 1013],
  );
  assert.equal(pulls(), 1);
  await clock.advance(61);
  await prepare();
  assert.equal(pulls(), 2);
});
