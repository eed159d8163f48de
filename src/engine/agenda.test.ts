import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Agenda } from './agenda.ts';

test('an empty agenda has nothing to do, ever', () => {
  const agenda = new Agenda<string>();
  assert.equal(agenda.next, Infinity);
  assert.equal(agenda.take(1e12), undefined);
});

test('nothing is taken before its time', () => {
  const agenda = new Agenda<string>();
  agenda.add(5, 'a');
  assert.equal(agenda.take(4.999), undefined);
  assert.equal(agenda.next, 5);
  assert.deepEqual(agenda.take(5), { time: 5, thing: 'a' });
  assert.equal(agenda.size, 0);
});

test('whatever is added and taken in whatever order, the earliest of what is there comes first and nothing is lost', () => {
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (times) => {
      const agenda = new Agenda<number>();
      const there: number[] = [];
      for (const time of times) {
        if (time === undefined) {
          there.sort((a, b) => a - b);
          assert.equal(agenda.take(Infinity)?.time, there.shift());
        } else {
          agenda.add(time, time);
          there.push(time);
        }
        assert.equal(agenda.size, there.length);
        assert.equal(agenda.next, Math.min(Infinity, ...there));
      }
    }),
  );
});
