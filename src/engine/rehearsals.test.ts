import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ALLOCATION } from '../core/allocation/allocation-parameters.ts';
import { Ledger } from '../core/allocation/ledger.ts';
import { History } from '../core/history/history.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { CountedSessions } from './counted-sessions.ts';
import { Rehearsals, type Question } from './rehearsals.ts';

const IDS = ['a', 'b', 'c'];
const giveWay = () => Promise.resolve();
const { signal } = new AbortController();

/** Three servers at 50 %, on which so many sessions were seen to end. */
function setUp(ended: number) {
  const clock = new FakeClock();
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  for (const id of IDS) {
    ledger.add(id, { countsSessions: true });
    ledger.report(id, 2, clock.now() - 30);
    ledger.report(id, 50, clock.now());
  }
  const counted = new CountedSessions({ clock, ledger, sessionLength: () => 1500, target: () => 90 });
  for (let i = 0; i < ended; i++) {
    counted.lengths.began(`${i}`, 0);
    counted.lengths.ended(`${i}`, 1500);
  }
  const rehearsals = new Rehearsals({
    ...{ clock, ledger, counted, history: new History(), keyOf: (url) => url, parameters: () => DEFAULT_ALLOCATION },
    runs: 16,
    eligible: ({ project }) => (project === 'nowhere' ? [] : IDS),
  });
  const question: Question = { seats: 18, start: clock.wallTime() + 600 };
  return { clock, counted, rehearsals, question };
}

test('waits are not known before fifty sessions ended, nor for a project that no server may run', async () => {
  const { rehearsals, question } = setUp(49);
  assert.deepEqual(await rehearsals.waits(question, giveWay, signal), { kind: 'not-known' });
  const known = setUp(50);
  const nowhere = { ...known.question, project: 'nowhere' };
  assert.deepEqual(await known.rehearsals.waits(nowhere, giveWay, signal), { kind: 'not-known' });
});

test('a class that does not fit at once gets ranges, and what helps most', async () => {
  const { rehearsals, question } = setUp(60);
  const answer = await rehearsals.waits(question, giveWay, signal);
  assert.ok(answer.kind === 'waits');
  const { waits, changes } = answer;
  assert.equal(waits.runs, 16);
  assert.ok(waits.atOnce.from < 18, String(waits.atOnce.from));
  assert.ok(waits.last.to > 60, String(waits.last.to));
  assert.ok(changes.length > 0 && changes.length <= 3);
  assert.ok(changes.some(({ kind }) => kind === 'reservation'));
  for (const change of changes) assert.ok(change.waits.last.from <= waits.last.to);
});

test('it runs alone, lets other work be done, stops when its client is gone, and has a limit of time', async () => {
  const { rehearsals, question, clock } = setUp(60);
  const now = { value: clock.now() };
  clock.now = () => (now.value += 0.0005);
  let turns = 0;
  let second: unknown;
  const gone = new AbortController();
  const answer = await rehearsals.waits(
    question,
    async () => {
      turns += 1;
      if (turns === 1) second = await rehearsals.waits(question, giveWay, signal);
      if (turns === 500) gone.abort();
    },
    gone.signal,
  );
  assert.deepEqual(second, { kind: 'busy' });
  assert.ok(answer.kind === 'waits' && answer.waits.runs < 20, JSON.stringify(answer));
  now.value += 1;
  clock.now = () => (now.value += 0.01);
  const late = await rehearsals.waits(question, giveWay, signal);
  assert.ok(late.kind === 'waits' && late.waits.runs < 10, JSON.stringify(late));
});
