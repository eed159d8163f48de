import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History, type HistoryQuery, type RecordedHistory } from './history.ts';

const noon = 1_700_000_000 - (1_700_000_000 % 3600);

function query(history: History, question: HistoryQuery): RecordedHistory {
  const view = history.query(question);
  assert.ok(view);
  return view;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

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
});

test('time without samples is a gap, not a zero', () => {
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

test('the last hour and the last day have fine buckets, even if the query took a little while', () => {
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

test('an unknown server has no history, and one that never answered has an empty one', () => {
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

test('after the clock was set back by an hour, the history is still recorded and shown', () => {
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

test('a fleet that is too large is recorded as a whole, and only so many of its servers', () => {
  const history = new History(3);
  const ids = Array.from({ length: 4 }, (_, index) => `s${index}:1`);
  history.fleetIs(ids);
  history.advance(noon);
  for (const id of ids) history.sampled(id, noon, 20, 0);
  history.loadsAre(noon, { least: 0, mean: 15, most: 29, booked: 0 });
  assert.equal(sum(query(history, { from: noon, to: noon + 60 }).count), 1);
  assert.ok(history.query({ server: ids[0]!, from: noon, to: noon + 60 }), 'the first one');
  assert.equal(history.query({ server: ids.at(-1)!, from: noon, to: noon + 60 }), undefined);
});
