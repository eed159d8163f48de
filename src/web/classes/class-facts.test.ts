import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClassView } from '../../core/views/class-view.ts';
import { classFacts, countdown } from './class-facts.ts';
import { english } from '../../core/languages/classes/en.ts';

const DOORS = Date.UTC(2026, 8, 15, 5, 50);
const view: ClassView = {
  ...{ code: 'ROBO101', title: '', project: null, state: 'planned', seats: 30, taken: 0 },
  ...{ doors: '2026-09-15T05:50:00Z', start: '2026-09-15T06:00:00Z', end: '2026-09-15T07:30:00Z' },
};

test('a student reads when the doors open, then that they are open, then that the class is over', () => {
  const at = (now: number) => classFacts(view, english, { timeZone: 'Europe/Berlin', now });
  assert.match(at(DOORS - 249_000).status, /^You can take your seat from 07:50 \S+\. The doors open in 4:09\.$/);
  assert.doesNotMatch(at(DOORS - 86_400_000).status, /doors open in/);
  assert.deepEqual(at(DOORS), { isOpen: true, status: english.open });
  assert.deepEqual(at(DOORS + 100 * 60_000), { isOpen: false, status: english.classOver });
});

test('without a clock, the page says what the server derived', () => {
  const of = (state: ClassView['state']) => classFacts({ ...view, state }, english, { timeZone: 'UTC', now: undefined });
  assert.match(of('gathering').status, /from 05:50 UTC\.$/);
  assert.equal(of('easing').isOpen, true);
  assert.equal(of('over').status, english.classOver);
});

test('a countdown shows hours only where there are any', () => {
  assert.deepEqual([countdown(3_849_000), countdown(249_000), countdown(1), countdown(-5)], ['1:04:09', '4:09', '0:01', '0:00']);
});
