import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../test/support/endpoints.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeProbe } from '../../test/support/fake-probe.ts';
import { createClientCheck } from './client-check.ts';
import type { UpgradeResult } from './upgrade.ts';

const endpoint = endpointOf('sim.example:2000');
const OPENED: UpgradeResult = { kind: 'opened' };
const NOT_FOUND: UpgradeResult = { kind: 'failed', reason: 'it answers status 404', status: 404 };
const SILENT: UpgradeResult = { kind: 'failed', reason: 'it did not answer within 4 s' };

/** Polls of one server: `check` counts how often `/client` was asked for. */
function scene(check: (signal: AbortSignal) => UpgradeResult | Promise<UpgradeResult>) {
  const clock = new FakeClock();
  const load = new FakeProbe(clock);
  const counted = { checks: 0 };
  const probe = createClientCheck({
    probe: load,
    now: () => clock.now(),
    check: async (_, signal) => {
      counted.checks += 1;
      return check(signal);
    },
  });
  const poll = async () => {
    const result = await probe.probe(endpoint);
    return result.kind === 'failed' ? result.failure.code : (result.loadOnly ?? 'offered');
  };
  return { clock, load, counted, probe, poll };
}

test('a server is asked for its WebSocket once, and again after a failed poll', async () => {
  const { load, counted, poll } = scene(() => OPENED);
  assert.deepEqual([await poll(), await poll(), await poll()], ['offered', 'offered', 'offered']);
  assert.equal(counted.checks, 1);
  load.behaviours.set(endpoint.id, 'refuses');
  assert.equal(await poll(), 'refused');
  load.behaviours.set(endpoint.id, 5);
  assert.equal(await poll(), 'offered');
  assert.equal(counted.checks, 2);
});

test('a server that reports load only is asked again after a minute, one that is silent at the next poll', async () => {
  let answer: UpgradeResult = NOT_FOUND;
  const { clock, counted, poll } = scene(() => answer);
  const reason = 'it reports load only; its WebSocket /client does not open: it answers status 404';
  assert.deepEqual([await poll(), await poll()], [reason, reason]);
  assert.equal(counted.checks, 1);
  answer = SILENT;
  await clock.advance(60);
  assert.match(await poll(), /it did not answer/);
  answer = OPENED;
  assert.equal(await poll(), 'offered');
  assert.equal(counted.checks, 3);
});

test('the load and the WebSocket are asked for at the same time', async () => {
  let asked = 0;
  const { load, poll } = scene(() => {
    asked = load.asked.get(endpoint.id)?.length ?? 0;
    return OPENED;
  });
  await poll();
  assert.equal(asked, 1);
});

for (const [title, end] of [
  ['leaves the fleet', (probe) => probe.forget(endpoint.id)],
  ['is asked when all probes end', (probe) => void probe.close()],
] as readonly (readonly [string, (probe: ReturnType<typeof createClientCheck>) => void])[])
  test(`the check of a server that ${title} ends at once`, async () => {
    const { poll, probe } = scene(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'failed', reason: 'the check was cancelled' }));
        }),
    );
    const polling = poll();
    end(probe);
    assert.match(await polling, /cancelled/);
  });
