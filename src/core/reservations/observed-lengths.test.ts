import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PROJECTS, ObservedLengths } from './observed-lengths.ts';

const report = (sessions: number, begun: number) => ({ sessions, starting: 0, begun, points: 0 });

/** Sessions of the project, one after the other. Returns when the last one ended. */
function run(lengths: ObservedLengths, seconds: readonly number[], project?: string): number {
  let now = 0;
  for (const length of seconds) {
    lengths.began(`${project} ${now}`, now, project);
    lengths.ended(`${project} ${now}`, now + length);
    lengths.ended(`${project} ${now}`, now + 9000);
    now += length;
  }
  return now;
}

test('the mean begins with what is configured, and moves to what is seen', () => {
  const lengths = new ObservedLengths();
  assert.deepEqual(lengths.ofFleet(1500, 0), { mean: 1500, spread: 0.8 });
  const now = run(lengths, Array<number>(180).fill(500), 'p');
  assert.equal(lengths.ofFleet(1500, now).mean, (180 * 500 + 20 * 1500) / 200);
  const restored = new ObservedLengths();
  restored.restore(lengths.save());
  assert.deepEqual(restored.ofFleet(1500, 0), lengths.ofFleet(1500, now));
  assert.deepEqual(restored.ofProject('p', 1500, 0), lengths.ofProject('p', 1500, now));
});

test('sessions that still run make it longer, so that a day of long ones does not look short at first', () => {
  const lengths = new ObservedLengths();
  for (let i = 0; i < 40; i++) lengths.began(`long ${i}`, 0);
  for (let i = 0; i < 20; i++) {
    lengths.began(`short ${i}`, 0);
    lengths.ended(`short ${i}`, 60);
  }
  assert.equal(lengths.ofFleet(1500, 3600).mean, (20 * 60 + 40 * 3600 + 20 * 1500) / 40);
});

test('the spread is learned within limits: equal sessions have a small one, and sessions that end at once do not decide it', () => {
  const equal = new ObservedLengths();
  run(equal, Array<number>(1500).fill(600));
  assert.equal(equal.ofFleet(1500, 0).spread, 0.3);
  const mixed = new ObservedLengths();
  run(
    mixed,
    Array.from({ length: 400 }, (_, i) => 900 * Math.exp(i % 2 === 0 ? 1 : -1)),
  );
  assert.ok(Math.abs(mixed.ofFleet(1500, 0).spread - 1) < 0.02, String(mixed.ofFleet(1500, 0).spread));
  const reloads = new ObservedLengths();
  run(
    reloads,
    Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 0.001 : 3600)),
  );
  assert.equal(reloads.ofFleet(1500, 0).spread, 1.5);
});

test('a project has a length of its own once thirty of its sessions ended, and few projects are remembered', () => {
  const lengths = new ObservedLengths();
  run(lengths, Array<number>(29).fill(60), 'short');
  run(lengths, Array<number>(100).fill(3600), 'long');
  assert.deepEqual(lengths.ofProject('short', 1500, 0), lengths.ofFleet(1500, 0));
  run(lengths, [60], 'short');
  assert.equal(lengths.ofProject('short', 1500, 0).mean, (30 * 60 + 20 * 1500) / 50);
  for (let i = 0; i < MAX_PROJECTS; i++) run(lengths, [100], `other ${i}`);
  assert.equal(lengths.save().projects.length, MAX_PROJECTS);
  assert.deepEqual(lengths.ofProject('short', 1500, 0), lengths.ofFleet(1500, 0));
});

test('a simulation server that reports its sessions teaches their mean, also over a restart and a pause', () => {
  const lengths = new ObservedLengths();
  lengths.reported('a', report(10, 100), 0);
  // Of ten sessions one ends every minute and one begins: each lasts ten minutes.
  for (let minute = 1; minute <= 180; minute++) lengths.reported('a', report(10, 100 + minute), 60 * minute);
  const { mean } = lengths.ofFleet(1500, 10_800);
  assert.equal(mean, (180 * 600 + 20 * 1500) / 200);
  lengths.reported('a', report(0, 0), 10_810);
  lengths.reported('a', report(1, 1), 99_999);
  lengths.forget('a');
  lengths.reported('a', report(5, 50), 100_010);
  assert.equal(lengths.ofFleet(1500, 100_010).mean, mean);
});
