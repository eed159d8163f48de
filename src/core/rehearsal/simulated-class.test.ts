import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ALLOCATION } from '../allocation/allocation-parameters.ts';
import { Ledger } from '../allocation/ledger.ts';
import { gainOf, waitsOf } from './mornings.ts';
import { seededRandom } from './seeded-random.ts';
import { simulateClass, type Morning, type Scene } from './simulated-class.ts';

const IDS = ['a', 'b', 'c', 'd'];
const LEARNED = {
  ...new Ledger(DEFAULT_ALLOCATION, () => 0.5).save(0, 0),
  fleet: { cost: 8, log: Math.log(8), variance: 0.01 },
};
const CERTAIN = { cost: 0, rate: 0, length: 0 };

function sceneOf(changed: Partial<Scene> = {}): Scene {
  return {
    ...{ learned: LEARNED, parameters: DEFAULT_ALLOCATION, ofClass: IDS, ofOthers: IDS, project: undefined, projectCost: 1 },
    servers: IDS.map((id) => ({ id, base: 2, cost: 8, realCost: 1, counted: true })),
    ...{ people: 20, groups: 1, reserved: false, rate: 0, lengths: { mean: 1500, spread: 0.8 }, uncertainty: CERTAIN },
    ...changed,
  };
}

function run(scene: Scene, seed: number): Morning {
  const running = simulateClass(scene, seededRandom(seed));
  for (;;) {
    const { done, value } = running.next();
    if (done === true) return value;
  }
}

const runs = (scene: Scene, count = 5) => Array.from({ length: count }, (_, i) => run(scene, i + 1));

test('in an empty fleet a class that fits gets its places at once, and of one that does not the rest waits', () => {
  assert.deepEqual(run(sceneOf(), 1), { atOnce: 20, last: 0, others: 0 });
  const { atOnce, last } = run(sceneOf({ people: 60 }), 1);
  assert.ok(atOnce > 28 && atOnce < 42, String(atOnce));
  assert.equal(last, Infinity);
});

test('among others fewer get in at once, a reservation helps them, and one more machine or two groups do too', () => {
  const busy = sceneOf({ rate: 30 / 1500, people: 24 });
  const alone = runs(busy);
  const reserved = runs({ ...busy, reserved: true });
  const more = runs({
    ...busy,
    ...{ servers: [...busy.servers, { id: 'e', base: 2, cost: 8, realCost: 1, counted: true }] },
    ...{ ofClass: [...IDS, 'e'], ofOthers: [...IDS, 'e'] },
  });
  const mean = (of: readonly Morning[]) => of.reduce((sum, { atOnce }) => sum + atOnce, 0) / of.length;
  assert.ok(mean(alone) < 20, String(mean(alone)));
  assert.ok(mean(reserved) > 22, String(mean(reserved)));
  assert.ok(mean(more) > mean(alone) + 1, String(mean(more)));
  for (const better of [reserved, more]) assert.ok(gainOf(alone, better) > 0);
  const lessBusy = { ...busy, rate: 14 / 1500 };
  assert.ok(gainOf(runs(lessBusy), runs({ ...lessBusy, groups: 2 })) > 0);
});

test('sessions that last longer than is believed cost the class places, and so do heavier ones', () => {
  const busy = sceneOf({ rate: 24 / 1500 });
  const { to } = waitsOf(runs(busy)).atOnce;
  assert.ok(waitsOf(runs({ ...busy, lengths: { mean: 3600, spread: 0.8 } })).atOnce.to < to);
  const dear = busy.servers.map((server) => ({ ...server, realCost: 1.4 }));
  assert.ok(waitsOf(runs({ ...busy, servers: dear })).atOnce.to < to);
});

test('what is not known well makes the range wider, and the same seed gives the same answer', () => {
  const busy = sceneOf({ rate: 26 / 1500 });
  const unsure = { ...busy, uncertainty: { cost: 0.2, rate: 0.4, length: 0.3 } };
  const width = ({ atOnce: { from, to } }: ReturnType<typeof waitsOf>) => to - from;
  assert.ok(width(waitsOf(runs(unsure, 16))) > width(waitsOf(runs(busy, 16))));
  assert.deepEqual(run(unsure, 3), run(unsure, 3));
});
