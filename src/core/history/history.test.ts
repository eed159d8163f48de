import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { History, type HistoryQuery } from './history.ts';
import { Rings, tiers, type Bucket } from './history-rings.ts';
import type { HistoryView } from '../views/monitor-view.ts';

const noon = 1_700_000_000 - (1_700_000_000 % 3600);

function query(history: History, question: HistoryQuery): HistoryView {
  const view = history.query(question);
  assert.ok(view);
  return view;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * Each coarser bucket that its finer tier wholly reaches back to must say the same as the finer buckets in it. `latest`: the latest time the clock ever
 * showed, because the finer tier reaches back from there.
 */
function assertTiersAgree(rings: Rings, latest = 0): void {
  for (let tier = 1; tier < tiers.length; tier++) {
    const { newest, used } = rings.extent(tier);
    const step = tiers[tier]!.step;
    const finer = rings.extent(tier - 1);
    const { step: finerStep, length } = tiers[tier - 1]!;
    const finerBegins = (Math.max(finer.newest, Math.floor(latest / finerStep)) - length + 1) * finerStep;
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

test('the tiers still agree after the clock was set forward and back', () => {
  const jump = fc.record({ facts: fc.array(fact, { maxLength: 40 }), by: fc.integer({ min: -7000, max: 7000 }) });
  fc.assert(
    fc.property(fc.array(jump, { maxLength: 8 }), (jumps) => {
      const rings = new Rings('server');
      let now = noon;
      let latest = now;
      for (const { facts, by } of jumps) {
        for (const { ago, load, booked } of facts) rings.sampled(now - (ago % 4000), load, booked);
        now += by;
        if (by < 0) rings.rewind(now);
        latest = Math.max(latest, now);
      }
      assertTiersAgree(rings, latest);
    }),
  );
});

test('a day of samples can be read at every step with nothing lost or invented', () => {
  const history = new History();
  history.fleetIs(['a:1', 'b:1']);
  for (let at = noon; at < noon + 86_000; at += 5) {
    history.advance(at);
    history.sampled('a:1', at, 20 + (at % 60), 3);
    history.sampled('b:1', at, 50, 0);
    history.loadsAre(at, { least: 20, mean: 40, most: 20 + (at % 60), booked: 1.5 });
    if (at % 100 === 0) history.handedOut('a:1', at);
    history.waitingIs(at, at % 7);
  }
  const now = noon + 86_000;
  history.advance(now);

  const day = query(history, { from: now - 86_400, to: now, step: 600 });
  assert.equal(day.step, 600);
  assert.equal(sum(day.count), 86_000 / 5);
  assert.equal(sum(day.handOuts), 860);
  assert.equal(Math.max(...day.waiting.map((value) => value ?? 0)), 6);
  assert.deepEqual(new Set(day.min.filter((value) => value !== null)), new Set([20]));
  assert.deepEqual(new Set(day.max.filter((value) => value !== null)), new Set([75]));

  const server = query(history, { server: 'b:1', from: now - 900, to: now });
  assert.equal(server.step, 10);
  assert.deepEqual(new Set(server.mean.filter((value) => value !== null)), new Set([50]));
  assert.deepEqual(new Set(server.predicted.filter((value) => value !== null)), new Set([50]));
});

test('predicted load is the mean of what was reported and booked', () => {
  const history = new History();
  history.advance(noon + 4);
  history.sampled('a:1', noon + 1, 20, 8);
  history.sampled('a:1', noon + 3, 30, 12);
  const view = query(history, { server: 'a:1', from: noon, to: noon + 10, step: 10 });
  assert.deepEqual(view, {
    server: 'a:1',
    from: noon,
    to: noon + 10,
    step: 10,
    time: [noon],
    min: [20],
    mean: [25],
    max: [30],
    count: [2],
    predicted: [35],
    handOuts: [0],
    waiting: [null],
  });
});

test('the fleet has the least, the mean and the most of its moments, however often each of its servers was asked', () => {
  const history = new History();
  for (let second = 0; second < 7200; second++) {
    const at = noon + second;
    history.advance(at);
    if (second % 5 === 0) history.sampled('a:1', at, 20, 0);
    if (second % 300 < 20) history.sampled('b:1', at, 60, 12);
    history.loadsAre(at, { least: 20, mean: 40, most: 60, booked: 6 });
  }
  for (const step of [10, 60, 600, 3600]) {
    const from = noon + 7200 - Math.max(step, 3600);
    const { min, mean, max, predicted, count } = query(history, { from, to: noon + 7200, step });
    assert.deepEqual(
      [min, mean, max, predicted, count].map((column) => [...new Set(column)]),
      [[20], [40], [60], [46], [step]],
    );
  }
  for (const { rings } of history.entries()) assertTiersAgree(rings);
});

test('time in which nothing was heard is a gap, not a zero', () => {
  const history = new History();
  history.advance(noon);
  history.sampled('a:1', noon, 40, 0);
  history.advance(noon + 300);
  history.sampled('a:1', noon + 300, 60, 0);
  const view = query(history, { server: 'a:1', from: noon, to: noon + 360, step: 60 });
  assert.deepEqual(view.mean, [40, null, null, null, null, 60]);
  assert.deepEqual(view.count, [1, 0, 0, 0, 0, 1]);
});

test('a step between two tiers is made of the finer one, and too fine a step gives the finest there is', () => {
  const history = new History();
  for (let at = noon; at <= noon + 7200; at += 10) {
    history.advance(at);
    history.sampled('a:1', at, 10, 0);
  }
  const now = noon + 7200;
  assert.equal(query(history, { server: 'a:1', from: now - 900, to: now, step: 45 }).step, 50);
  assert.equal(query(history, { from: now - 900, to: now, step: 1 }).step, 10);
  assert.equal(query(history, { from: now - 7200, to: now, step: 10 }).step, 60, 'ten seconds reach back one hour only');
  assert.equal(sum(query(history, { server: 'a:1', from: now - 7200, to: now + 60, step: 60 }).count), 721);
});

test('the last hour and the last day are told in fine buckets, even if the question was a little on its way', () => {
  const history = new History();
  for (let at = noon; at <= noon + 90_000; at += 10) {
    history.advance(at);
    history.sampled('a:1', at, 10, 0);
  }
  for (const late of [0, 1, 45]) {
    const now = noon + 90_000 - late;
    assert.equal(query(history, { from: now - 3600, to: now }).step, 10);
    assert.equal(query(history, { from: now - 86_400, to: now, step: 60 }).step, 60);
  }
});

test('a question for all eternity has a bounded answer', () => {
  const history = new History();
  history.advance(noon);
  history.sampled('a:1', noon, 10, 0);
  const view = query(history, { server: 'a:1', from: 0, to: Number.MAX_SAFE_INTEGER, step: 1 });
  assert.ok(view.time.length <= 721);
  assert.equal(sum(view.count), 1);
});

test('a server nobody knows has no history, one that was never heard has an empty one', () => {
  const history = new History();
  history.advance(noon);
  history.fleetIs(['a:1']);
  assert.equal(history.query({ server: 'b:1', from: noon - 60, to: noon }), undefined);
  assert.deepEqual(query(history, { server: 'a:1', from: noon - 60, to: noon, step: 60 }).mean, [null]);
});

test('the history of a server that left is forgotten', () => {
  const history = new History();
  history.advance(noon);
  history.fleetIs(['a:1', 'b:1']);
  history.sampled('a:1', noon, 1, 0);
  history.fleetIs(['b:1']);
  assert.equal(history.query({ server: 'a:1', from: noon - 60, to: noon }), undefined);
});

test('a clock set back by an hour goes on being recorded and shown', () => {
  const history = new History();
  for (let at = noon; at < noon + 3600; at += 5) {
    history.advance(at);
    history.sampled('a:1', at, 10, 0);
  }
  for (let at = noon; at < noon + 600; at += 5) {
    history.advance(at);
    history.sampled('a:1', at, 90, 0);
  }
  const view = query(history, { server: 'a:1', from: noon, to: noon + 600, step: 10 });
  assert.deepEqual(new Set(view.mean.slice(1)), new Set([90]));
  for (const { rings } of history.entries()) assertTiersAgree(rings, noon + 3600);
});

test('a clock set forward by an hour leaves a gap of an hour', () => {
  const history = new History();
  history.advance(noon);
  history.sampled('a:1', noon, 10, 0);
  history.advance(noon + 3660);
  history.sampled('a:1', noon + 3660, 30, 0);
  const view = query(history, { server: 'a:1', from: noon, to: noon + 3720, step: 60 });
  assert.equal(view.mean[0], 10);
  assert.equal(view.mean.at(-1), 30);
  assert.equal(view.mean.filter((value) => value === null).length, 60);
});

test('a clock that is wrong by years for a moment costs no history', () => {
  for (const wrong of [noon + 3e9, 1000]) {
    const history = new History();
    history.advance(noon);
    history.sampled('a:1', noon, 10, 0);
    for (let second = 0; second < 50; second++) {
      history.advance(wrong + second);
      history.sampled('a:1', wrong + second, 99, 0);
    }
    history.advance(noon + 60);
    history.sampled('a:1', noon + 60, 30, 0);
    assert.deepEqual(query(history, { server: 'a:1', from: noon, to: noon + 120, step: 60 }).mean, [10, 30]);
  }
});

test('a clock that stays where it leapt to is believed after a minute', () => {
  const history = new History();
  history.advance(noon);
  history.sampled('a:1', noon, 10, 0);
  const later = noon + 3 * 86_400;
  for (let second = 0; second <= 90; second++) {
    history.advance(later + second);
    history.sampled('a:1', later + second, 50, 0);
  }
  assert.equal(history.present, later + 90);
  assert.equal(sum(query(history, { server: 'a:1', from: later, to: later + 100, step: 10 }).count), 31);
});

test('a large fleet is recorded as a whole, and of its servers the worst', () => {
  const history = new History({ all: 20, worst: 3 });
  const ids = Array.from({ length: 30 }, (_, index) => `s${index}:1`);
  history.fleetIs(ids);
  for (let at = noon; at < noon + 300; at += 5) {
    history.advance(at);
    for (const [index, id] of ids.entries()) {
      if (id === 's7:1') history.failed(id);
      else history.sampled(id, at, index, 0);
    }
    history.loadsAre(at, { least: 0, mean: 15, most: 29, booked: 0 });
  }
  assert.equal(history.recorded, 3);
  assert.equal(sum(query(history, { from: noon, to: noon + 300 }).count), 60);
  assert.ok(history.query({ server: 's7:1', from: noon, to: noon + 300 }), 'the one that fails');
  assert.ok(history.query({ server: 's29:1', from: noon, to: noon + 300 }), 'the most loaded');
  assert.equal(history.query({ server: 's3:1', from: noon, to: noon + 300 }), undefined);
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

test('a mean moves by the smallest steps even where it is kept in hundredths', () => {
  const rings = new Rings('server');
  for (let index = 0; index < 700; index++) rings.sampled(noon, 10, index < 350 ? 10 : 12);
  assert.equal(rings.merged(3, noon, noon + 3600).booked, 11);
});
