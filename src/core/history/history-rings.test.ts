import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rings, tiers, type Bucket } from './history-rings.ts';

const noon = 1_700_000_000 - (1_700_000_000 % 3600);

/** Each coarser bucket that its finer tier wholly reaches back to must agree with the finer buckets in it. */
function assertTiersAgree(rings: Rings): void {
  for (let tier = 1; tier < tiers.length; tier++) {
    const { newest, used } = rings.extent(tier);
    const step = tiers[tier]!.step;
    const finer = rings.extent(tier - 1);
    const { step: finerStep, length } = tiers[tier - 1]!;
    const finerBegins = (finer.newest - length + 1) * finerStep;
    for (let index = newest - used + 1; index <= newest; index++) {
      if (index * step < finerBegins) continue;
      const coarse = rings.merged(tier, index * step, (index + 1) * step);
      assertSame(coarse, rings.merged(tier - 1, index * step, (index + 1) * step));
    }
  }
}

function assertSame(coarse: Bucket, fine: Bucket): void {
  const { mean, booked, ...exact } = coarse;
  const { mean: fineMean, booked: fineBooked, ...fineExact } = fine;
  assert.deepEqual(exact, fineExact);
  assert.ok(Math.abs(mean - fineMean) < 0.01, `mean ${mean} and ${fineMean}`);
  assert.ok(Math.abs(booked - fineBooked) < 0.05, `booked ${booked} and ${fineBooked}`);
}

const load = fc.integer({ min: 0, max: 1200 }).map((tenths) => tenths / 8);
const fact = fc.record({
  ago: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 100_000 })),
  load,
  booked: load,
  kind: fc.constantFrom('sample', 'handOut', 'waiting' as const),
});

test('every coarser tier says what its finer tiers say together, in whatever order the facts come', () => {
  fc.assert(
    fc.property(fc.constantFrom('server', 'fleet' as const), fc.array(fact, { maxLength: 300 }), (kind, facts) => {
      const rings = new Rings(kind);
      for (const { ago, load, booked, kind } of facts) {
        if (kind === 'sample') rings.sampled(noon - ago, load, booked, load / 2, load * 2);
        else if (kind === 'handOut') rings.handedOut(noon - ago);
        else rings.waitingIs(noon - ago, Math.round(load));
      }
      assertTiersAgree(rings);
    }),
  );
});

test('the order of the facts changes no minimum, maximum or count', () => {
  fc.assert(
    fc.property(
      fc.array(fact, { maxLength: 100 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (facts, chance) => {
        const shuffled = facts.map((fact) => ({ fact, key: Number(chance.next().value) })).sort((a, b) => a.key - b.key);
        const [first, second] = [facts, shuffled.map(({ fact }) => fact)].map((order) => {
          const rings = new Rings('server');
          rings.sampled(noon, 50, 0);
          for (const { ago, load, booked } of order) rings.sampled(noon - ago, load, booked);
          return rings;
        });
        for (const tier of tiers.keys()) {
          for (let index = 0; index < 50; index++) {
            const step = tiers[tier]!.step;
            const at = (Math.floor(noon / step) - index) * step;
            assertSame(first!.merged(tier, at, at + step), second!.merged(tier, at, at + step));
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});

test('counts of one server stop at what their column holds, and nothing else is touched', () => {
  const rings = new Rings('server');
  for (let index = 0; index < 70_000; index++) rings.sampled(noon, 5, 1);
  rings.sampled(noon, 9, 1);
  assert.deepEqual(rings.merged(0, noon, noon + 10), {
    count: 65_535,
    min: 5,
    mean: 5,
    max: 9,
    booked: 1,
    handOuts: 0,
    waiting: -1,
  });
});

test('a mean moves by the smallest steps even where it is stored in hundredths', () => {
  const rings = new Rings('server');
  for (let index = 0; index < 700; index++) rings.sampled(noon, 10, index < 350 ? 10 : 12);
  assert.equal(rings.merged(3, noon, noon + 3600).booked, 11);
});

test('a clock that is set back removes the buckets that are now in the future, and recording continues from there', () => {
  const rings = new Rings('server');
  for (let at = noon; at <= noon + 600; at += 10) rings.sampled(at, 10, 0);
  rings.rewind(noon + 300);
  assert.deepEqual(rings.extent(0), { newest: (noon + 300) / 10, used: 31 });
  assert.equal(rings.merged(0, noon + 310, noon + 700).count, 0);
  rings.sampled(noon + 310, 70, 0);
  assert.equal(rings.merged(0, noon + 310, noon + 320).mean, 70);
  assert.equal(rings.merged(0, noon, noon + 310).count, 31);
});

test('a tier forgets what it does not reach back to, and ignores samples from then', () => {
  const rings = new Rings('server');
  rings.sampled(noon, 10, 0);
  rings.sampled(noon + 3600, 20, 0);
  rings.sampled(noon, 30, 0);
  assert.deepEqual(
    tiers.map((_, tier) => rings.merged(tier, noon - 3600, noon + 7200).count),
    [1, 3, 3, 3],
  );
});

test('the bytes of every tier restore it, also around the end of the ring', () => {
  for (const kind of ['server', 'fleet'] as const) {
    const rings = new Rings(kind);
    for (let at = noon; at < noon + 5000; at += 7) rings.sampled(at, at % 90, 3);
    rings.handedOut(noon + 4000);
    const copy = new Rings(kind);
    for (const tier of tiers.keys()) {
      const { newest, used } = rings.extent(tier);
      const bytes = Buffer.concat([...rings.bytesOf(tier)]);
      assert.equal(copy.fill(tier, newest, used, bytes.subarray(1)), false, 'too short');
      assert.equal(copy.fill(tier, newest, used, bytes), true);
      const [from, to] = [noon - 3600, noon + 7200];
      assert.deepEqual(copy.merged(tier, from, to), rings.merged(tier, from, to));
    }
  }
});
