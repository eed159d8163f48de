import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTimeline, saveTimeline } from './timeline.ts';
import { DAY, MAX_PERIODS, MONTH, Timeline } from '../core/history/timeline.ts';

const START = 1_700_000_000;

/** The session server runs from one time to another. */
function run(timeline: Timeline, from: number, to: number): void {
  for (let now = from; now <= to; now += 10) timeline.tick(now);
}

function restarted(before: Timeline): Timeline {
  const read = readTimeline(JSON.parse(JSON.stringify(saveTimeline(before))));
  assert.ok(read.kind === 'timeline');
  const after = new Timeline();
  after.restore(read.runs, read.servers);
  return after;
}

test('uptime is the share of the observed time in which the server answered, without its drains', () => {
  const timeline = new Timeline();
  timeline.tick(START);
  timeline.fleetIs(['a', 'b'], START);
  timeline.observe('a', 'down', true, START + 1000);
  timeline.observe('a', 'down', true, START + 1500);
  timeline.observe('a', 'down', false, START + 2000);
  timeline.observe('a', 'drained', true, START + 4000);
  timeline.observe('a', 'down', true, START + 5000);
  timeline.observe('a', 'down', false, START + 6000);
  timeline.observe('a', 'drained', false, START + 6000);
  run(timeline, START, START + 10_000);
  const now = START + 10_000;
  assert.deepEqual(timeline.uptime('a', now)?.day, { share: 1 - 1000 / 8000, observed: 8000 });
  assert.deepEqual(timeline.uptime('b', now)?.month, { share: 1, observed: 10_000 });
  assert.equal(timeline.uptime('c', now), undefined);
  assert.deepEqual(timeline.marks('a', START + 1500, START + 4500), [
    { serverId: 'a', kind: 'down', from: START + 1000, to: START + 2000 },
    { serverId: 'a', kind: 'drained', from: START + 4000, to: START + 6000 },
  ]);
});

test('what happened while the session server did not run counts neither as up nor as down', () => {
  const timeline = new Timeline();
  timeline.fleetIs(['a'], START);
  run(timeline, START, START + 1000);
  timeline.observe('a', 'down', true, START + 900);
  run(timeline, START + 1000, START + 1000);
  const after = restarted(timeline);
  after.fleetIs(['a'], START + 5000);
  run(after, START + 5000, START + 6000);
  const uptime = after.uptime('a', START + 6000)?.day;
  assert.deepEqual(uptime, { share: 1 - 100 / 2000, observed: 2000 });
  assert.deepEqual(after.marks('a', START, START + 6000), [{ serverId: 'a', kind: 'down', from: START + 900, to: START + 1000 }]);
  after.observe('a', 'down', true, START + 5500);
  assert.deepEqual(after.marks(undefined, START + 5000, START + 6000).at(-1)?.to, null, 'it lasts');
});

test('a server has no uptime before it joined the fleet, and a server that left is forgotten', () => {
  const timeline = new Timeline();
  run(timeline, START, START + 1000);
  timeline.fleetIs(['late'], START + 600);
  run(timeline, START + 1000, START + 1000);
  assert.deepEqual(timeline.uptime('late', START + 1000)?.month, { share: 1, observed: 400 });
  timeline.fleetIs([], START + 1000);
  assert.equal(timeline.uptime('late', START + 1000), undefined);
});

test('a clock that is set back leaves nothing in the future', () => {
  const timeline = new Timeline();
  timeline.fleetIs(['a'], START);
  run(timeline, START, START + 1000);
  timeline.observe('a', 'down', true, START + 500);
  timeline.observe('a', 'down', false, START + 900);
  run(timeline, START + 600, START + 700);
  assert.deepEqual(timeline.marks('a', START, START + 5000), [
    { serverId: 'a', kind: 'down', from: START + 500, to: START + 600 },
  ]);
  assert.deepEqual(timeline.uptime('a', START + 700)?.day.observed, 700);
});

test('a server that fails all the time takes no more memory than others, and never looks better than it was', () => {
  const timeline = new Timeline();
  timeline.fleetIs(['a'], START);
  run(timeline, START, START + 20_000);
  for (let n = 0; n < 1000; n++) {
    timeline.observe('a', 'down', true, START + 20 * n);
    timeline.observe('a', 'down', false, START + 20 * n + 10);
  }
  assert.equal(timeline.recorded.servers.get('a')?.periods.down.length, MAX_PERIODS);
  assert.ok((timeline.uptime('a', START + 20_000)?.day.share ?? 1) <= 0.5);
});

test('after a month an outage no longer counts', () => {
  const timeline = new Timeline();
  timeline.fleetIs(['a'], START);
  run(timeline, START, START + 100);
  timeline.observe('a', 'down', true, START);
  timeline.observe('a', 'down', false, START + 100);
  run(timeline, START + MONTH, START + MONTH + 200);
  assert.equal(timeline.uptime('a', START + MONTH + 200)?.month.share, 1);
  assert.equal(timeline.uptime('a', START + MONTH + DAY + 200)?.day.share, null, 'nobody knows');
});

test('a damaged document is foreign, and damaged parts of it are left out', () => {
  for (const value of [undefined, [], { format: 'x' }, { format: 'session-server/timeline', version: 2 }])
    assert.equal(readTimeline(value).kind, 'foreign');
  const read = readTimeline({
    ...{ format: 'session-server/timeline', version: 1, runs: [[1, 5], [4, 9], [7, 6], 'x', [6]] },
    servers: [{ id: 'a', since: 0, down: [[2], [3, 4]] }, { id: 7 }],
  });
  assert.ok(read.kind === 'timeline');
  assert.deepEqual(read.runs, [
    { from: 1, to: 5 },
    { from: 6, to: Infinity },
  ]);
  assert.deepEqual(read.servers, [['a', { since: 0, periods: { down: [{ from: 2, to: Infinity }], drained: [] } }]]);
});
