import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import type { FleetLoads } from '../core/fleet/fleet.ts';
import { History } from '../core/history/history.ts';
import { Timeline } from '../core/history/timeline.ts';
import { startHistorySampler } from './history-sampler.ts';

test('constant loads give a constant mean, although one server is probed ten times as often as the other', async () => {
  const clock = new FakeClock();
  const history = new History();
  let loads: FleetLoads | undefined = { least: 20, mean: 40, most: 60, booked: 2 };
  const timeline = new Timeline();
  const recording = startHistorySampler({ clock, log: new MemoryLog(), history, timeline, loads: () => loads, waiting: () => 3 });
  await clock.advance(0);
  for (let second = 0; second < 120; second += 1) {
    history.sampled('often:1', clock.wallTime(), 20, 0);
    if (second % 10 === 0) history.sampled('seldom:1', clock.wallTime(), 60, 4);
    await clock.advance(1);
  }
  const to = clock.wallTime();
  loads = undefined;
  await clock.advance(60);
  await recording.stop();
  const { mean, predicted, waiting } = history.query({ from: to - 100, to, step: 10 }) ?? {};
  assert.deepEqual(
    [mean, predicted, waiting].map((column) => [...new Set(column)]),
    [[40], [42], [3]],
  );
  const after = history.query({ from: to + 15, to: to + 55, step: 10 });
  assert.deepEqual(new Set(after?.mean), new Set([null]), 'while no server answers there is a gap');
});
