import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AdmissionPace } from './admission-pace.ts';

/** A line that begins at 0 and lets one in at each of these times. */
function pace(...times: number[]): AdmissionPace {
  const result = new AdmissionPace();
  result.began(0);
  for (const time of times) result.admitted(time);
  return result;
}

test('there is no estimate until three clients were admitted', () => {
  assert.equal(new AdmissionPace().estimate(1, 0), undefined);
  assert.equal(pace(10, 20).estimate(1, 20), undefined);
  assert.deepEqual(pace(10, 20, 30).estimate(1, 30), { from: 7.5, to: 12.5, likely: 10 });
});

test('the estimate is the place times the median gap, from quartile to quartile', () => {
  const gaps = [10, 10, 10, 10, 30, 2, 10, 20, 10, 40];
  let time = 0;
  const estimate = pace(...gaps.map((gap) => (time += gap))).estimate(5, time);
  assert.deepEqual(estimate, { from: 37.5, to: 87.5, likely: 50 });
});

test('only the last ten admissions count', () => {
  const old = Array.from({ length: 20 }, (_, i) => (i + 1) * 100);
  const young = Array.from({ length: 10 }, (_, i) => 2000 + (i + 1) * 4);
  assert.equal(pace(...old, ...young).estimate(1, 2040)?.likely, 4);
});

test('admissions in one bunch share the gap before it', () => {
  const bunches = [10, 20, 30].flatMap((time) => [time, time + 0.1, time + 0.2, time + 0.3, time + 0.4]);
  const likely = pace(...bunches).estimate(1, 30.4)?.likely ?? 0;
  assert.ok(Math.abs(likely - 2) < 1e-9, String(likely));
});

test('a time without clients in line is not a gap', () => {
  const line = pace(10, 20, 30);
  line.ended();
  line.began(1000);
  assert.equal(line.estimate(1, 1000)?.likely, 10);
  line.admitted(1012);
  assert.equal(line.estimate(1, 1012)?.likely, 10);
});

test('when no client is admitted for longer than usual, the estimate grows, and then there is none', () => {
  const line = pace(10, 20, 30);
  assert.equal(line.estimate(2, 35)?.likely, 20);
  assert.deepEqual(line.estimate(2, 60), { from: 15, to: 75, likely: 60 });
  assert.equal(line.estimate(2, 90)?.likely, 120);
  assert.equal(line.estimate(2, 91), undefined);
});

test('a slow line may be silent for longer before there is none', () => {
  assert.equal(pace(300, 600, 900).estimate(1, 1500)?.likely, 600);
  assert.equal(pace(300, 600, 900).estimate(1, 2401), undefined);
});

test('admissions of half an hour ago no longer count', () => {
  const line = pace(10, 20, 30);
  line.ended();
  line.began(1815);
  assert.equal(line.estimate(1, 1815), undefined);
});

test('whatever happens, an estimate is an ordered range of finite seconds that grows with the place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { maxLength: 30 }),
      fc.double({ min: 0, max: 400, noNaN: true }),
      (gaps, silence) => {
        let time = 0;
        const line = pace(...gaps.map((gap) => (time += gap)));
        const [first, second] = [line.estimate(1, time + silence), line.estimate(2, time + silence)];
        assert.equal(first === undefined, second === undefined);
        if (first === undefined || second === undefined) return;
        assert.ok(
          first.from >= 0 && first.from <= first.likely && first.likely <= first.to && Number.isFinite(first.to),
          'an ordered range',
        );
        assert.ok(second.likely >= first.likely, 'grows');
      },
    ),
  );
});
