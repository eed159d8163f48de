import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Costs, limited, moveExpectation, newServerEstimate, overwrite, VARIANCE, type Estimate } from './cost.ts';

/** A window that is sure who came: so many points of each project should have appeared. */
function teach(
  costs: Costs,
  server: Estimate,
  expected: Iterable<readonly [string | undefined, number]>,
  surprise: number,
): void {
  const rise = new Map(expected);
  costs.learn([{ weight: 1, rise, surprise, variance: 10 + costs.varianceOf(rise, server), believable: 1 }], server);
}

test('before anything is learned a session costs what is configured, less on a stronger server', () => {
  const costs = new Costs(8);
  assert.equal(costs.ofProject(undefined), 8);
  assert.equal(costs.ofProject('anything'), costs.ofProject(undefined));
  assert.equal(costs.ofProject(undefined) * newServerEstimate(2).factor, 4);
});

test('load that did not appear lowers the cost of fleet, server and project, and their uncertainty', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  teach(costs, server, [['p', 40]], -20);
  assert.ok(costs.ofProject(undefined) < 8);
  assert.ok(costs.ofProject('p') < costs.ofProject('other'));
  assert.ok(server.factor < 1);
  assert.ok(costs.fleet.variance < VARIANCE.fleet.before && server.variance < VARIANCE.server.before);
});

test('more load than expected raises the cost', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  teach(costs, server, [['p', 40]], 30);
  assert.ok(costs.ofProject('p') * server.factor > 8);
});

test('the least certain estimate is corrected most', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  overwrite(server, 0, VARIANCE.server.least, VARIANCE.server);
  teach(costs, server, [['p', 40]], -20);
  assert.ok(Math.log(8) - costs.fleet.log > 10 * -server.log);
});

test('one outlier moves an estimate by a factor of e^0.5 at most', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  teach(costs, server, [['p', 40]], 10_000);
  assert.ok(costs.fleet.log - Math.log(8) <= 0.5 + 1e-12);
  assert.ok(server.log <= 0.5 + 1e-12);
});

test('evidence without sessions teaches nothing', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  teach(costs, server, [], 50);
  teach(costs, server, [['p', 0]], 50);
  assert.equal(costs.ofProject('p'), 8);
  assert.equal(server.variance, VARIANCE.server.before);
});

test('the cost of a fleet of unequal servers and projects is found from noisy windows', () => {
  const costs = new Costs(8);
  const power = [0.5, 1, 2, 3];
  const servers = power.map(() => newServerEstimate(1));
  const heavy = { small: 3, big: 18 };
  let seed = 1;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  for (let i = 0; i < 400; i++) {
    const index = Math.floor(random() * servers.length);
    const server = servers[index]!;
    const project = random() < 0.5 ? 'small' : 'big';
    const believed = 3 * costs.ofProject(project) * server.factor;
    const truth = (3 * heavy[project]) / power[index]!;
    teach(costs, server, [[project, believed]], truth * (0.8 + 0.4 * random()) - believed);
  }
  for (const [index, server] of servers.entries()) {
    for (const project of ['small', 'big'] as const) {
      const learned = costs.ofProject(project) * server.factor;
      const truth = heavy[project] / power[index]!;
      assert.ok(Math.abs(Math.log(learned / truth)) < 0.25, `${project} on ${power[index]}: ${learned} for ${truth}`);
    }
  }
});

test('estimates stay finite, in range and above their floor whatever the evidence', () => {
  const points = fc.double({ min: 0, max: 1000, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(undefined, 'a', 'b'), points, fc.double({ min: -2000, max: 2000, noNaN: true })), {
        maxLength: 60,
      }),
      (windows) => {
        const costs = new Costs(8);
        const server = newServerEstimate(1);
        for (const [project, y, surprise] of windows) teach(costs, server, [[project, y]], surprise);
        for (const { log, variance, factor } of [costs.fleet, server, ...costs.projects().values()]) {
          assert.ok(Math.abs(log) <= 5 && variance >= 0.002 && variance <= 0.5 && factor > 0 && Number.isFinite(factor));
        }
        const { low, value, high } = costs.view(server, 'a');
        assert.ok(0.3 <= low && low <= value && value <= high && high <= 60);
      },
    ),
  );
});

test('a lower cost is learned only as far as it is believable, a higher one always', () => {
  const after = (believable: number, surprise: number) => {
    const costs = new Costs(8);
    const server = newServerEstimate(1);
    const rise = new Map([['p', 40]]);
    costs.learn([{ weight: 1, rise, surprise, variance: 10 + costs.varianceOf(rise, server), believable }], server);
    return { cost: costs.ofProject('p'), variance: costs.fleet.variance };
  };
  assert.deepEqual(after(0, -30), { cost: 8, variance: VARIANCE.fleet.before });
  assert.ok(after(0.5, -30).cost > after(1, -30).cost && after(0.5, -30).cost < 8);
  assert.deepEqual(after(0, 30), after(1, 30));
});

test('each of two explanations teaches by its weight', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  const rise = new Map([['p', 40]]);
  const variance = 10 + costs.varianceOf(rise, server);
  const nobody = { weight: 0.9, rise: new Map<string, number>(), surprise: 0, variance: 10, believable: 0 };
  costs.learn([{ weight: 0.1, rise, surprise: -30, variance, believable: 1 }, nobody], server);
  const sure = new Costs(8);
  teach(sure, newServerEstimate(1), rise, -30);
  assert.ok(Math.abs((Math.log(8) - costs.fleet.log) / (Math.log(8) - sure.fleet.log) - 0.1) < 1e-6);
});

test('a hundred thousand projects leave ten thousand in memory, the youngest ones', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  for (let i = 0; i < 100_000; i++) teach(costs, server, [[`project ${i}`, 8]], 1);
  assert.equal(costs.projects().size, 10_000);
  assert.ok(costs.projects().has('project 99999'));
});

test('a project with a key of ten thousand characters is not stored', () => {
  const costs = new Costs(8);
  const server = newServerEstimate(1);
  teach(costs, server, [['x'.repeat(10_000), 40]], -20);
  assert.equal(costs.projects().size, 0);
  assert.ok(costs.fleet.log < Math.log(8));
});

test('a guess that is changed moves what rests on the guess, not what rests on evidence', () => {
  const fresh = newServerEstimate(1);
  moveExpectation(fresh, Math.log(2), VARIANCE.server.before);
  assert.ok(Math.abs(fresh.factor - 2) < 1e-9);

  const learned = newServerEstimate(1);
  overwrite(learned, Math.log(0.5), VARIANCE.server.least, VARIANCE.server);
  moveExpectation(learned, Math.log(0.5), VARIANCE.server.before);
  assert.ok(Math.abs(learned.factor - 0.5) < 0.02);
});

test('the configured cost is followed until something was learned, and again when that is forgotten', () => {
  const costs = new Costs(8);
  costs.expect(16);
  assert.ok(Math.abs(costs.ofProject(undefined) - 16) < 1e-9);
  costs.restoreFleet(8, Math.log(3), 0.002);
  assert.ok(Math.abs(costs.ofProject(undefined) - 3) < 0.02);
  costs.restoreProject('p', 1, 0.02);
  costs.forget();
  assert.ok(Math.abs(costs.ofProject('p') - 16) < 1e-9);
});

test('the cost of a session stays between 0.3 and 60 points', () => {
  assert.deepEqual([0, 0.3, 8, 60, 1e9].map(limited), [0.3, 0.3, 8, 60, 60]);
});
