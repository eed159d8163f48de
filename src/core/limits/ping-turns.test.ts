import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PingTurns } from './ping-turns.ts';

const RULES = { interval: 30, slice: 0.5 };

/** Calls of `take` for so many seconds; who answers does so `delay` seconds after it was asked. */
function run(turns: PingTurns<string>, seconds: number, delay: number) {
  const asked: { readonly client: string; readonly at: number }[] = [];
  const silent: { readonly client: string; readonly at: number }[] = [];
  const answers: { readonly client: string; readonly at: number }[] = [];
  let most = 0;
  for (let at = RULES.slice; at <= seconds; at += RULES.slice) {
    while ((answers[0]?.at ?? Infinity) <= at) turns.answered(answers.shift()?.client ?? '');
    const turn = turns.take(at);
    most = Math.max(most, turn.ping.length);
    for (const client of turn.ping) {
      asked.push({ client, at });
      answers.push({ client, at: at + delay });
    }
    for (const client of turn.silent) silent.push({ client, at });
  }
  return { asked, silent, most };
}

test('however few clients there are, each is asked every thirty seconds', () => {
  const turns = new PingTurns<string>(RULES);
  turns.add('a', 0);
  assert.deepEqual(
    run(turns, 100, 0.1).asked.map(({ at }) => at),
    [30, 60, 90],
  );
});

test('a client whose answers take nearly thirty seconds stays', () => {
  const turns = new PingTurns<string>(RULES);
  for (const client of ['a', 'b', 'c']) turns.add(client, 0);
  assert.deepEqual(run(turns, 600, 29).silent, []);
});

test('a client that does not answer is silent thirty seconds after it was asked, and is named once', () => {
  const turns = new PingTurns<string>(RULES);
  turns.add('a', 0);
  assert.deepEqual(run(turns, 200, Infinity).silent, [{ client: 'a', at: 60 }]);
  assert.equal(turns.size, 0);
});

test('ten thousand clients that came at once are asked in small turns, all of them within two intervals, and then every interval', () => {
  const turns = new PingTurns<string>(RULES);
  for (let i = 0; i < 10_000; i += 1) turns.add(`client ${i}`, 0);
  const { asked, most } = run(turns, 120, 1);
  assert.ok(most <= 170, `${most} in one turn`);
  const times = new Map<string, number[]>();
  for (const { client, at } of asked) times.set(client, [...(times.get(client) ?? []), at]);
  assert.equal(times.size, 10_000);
  for (const [first = 0, second = 0] of times.values()) {
    assert.ok(first <= 60);
    assert.equal(second - first, 30);
  }
});

test('a client that left or answered before its next ping is not reported as silent', () => {
  const turns = new PingTurns<string>(RULES);
  turns.add('a', 0);
  turns.add('b', 0);
  turns.answered('a');
  turns.remove('b');
  turns.answered('b');
  assert.deepEqual(turns.take(30), { ping: ['a'], silent: [] });
  assert.equal(turns.size, 1);
});
