import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inBatches } from './request-batching.ts';

/** A loop that the test turns by hand, and requests that take so many milliseconds each, in the turn in which they are handled. */
function start(cost: () => number) {
  let now = 0;
  let calls: (() => void)[] = [];
  const handled: number[] = [];
  const who = new Map<number, string>();
  const listener = inBatches(
    (request: number) => {
      handled.push(request);
      now += cost();
    },
    { who: (request) => who.get(request) ?? '', now: () => now, later: (call) => calls.push(call) },
  );
  let asked = 0;
  return {
    handled,
    ask: (count: number, by = 'one') => {
      for (let i = 0; i < count; i += 1) {
        asked += 1;
        who.set(asked, by);
        listener(asked);
      }
    },
    /** One turn of the loop. Returns how many requests were handled in it. */
    turn: () => {
      const before = handled.length;
      const due = calls;
      calls = [];
      for (const call of due) call();
      return handled.length - before;
    },
    idle: () => calls.length === 0,
  };
}

test('requests that arrive in one turn are handled at its end, in order', () => {
  const { ask, turn, handled, idle } = start(() => 0.05);
  ask(40);
  assert.deepEqual(handled, []);
  assert.equal(turn(), 40);
  assert.deepEqual(
    handled,
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  turn();
  assert.ok(idle());
});

test('a flood of expensive requests takes less and less of a turn, and gets its share back when they are cheap again', () => {
  let cost = 4;
  const { ask, turn, handled, idle } = start(() => cost);
  const shares: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    ask(32);
    shares.push(turn());
  }
  assert.equal(shares[0], 32);
  for (const share of shares.slice(10)) assert.ok(share <= 2, `${share} requests of 4 ms in one turn`);
  cost = 0.01;
  while (!idle()) shares.push(turn());
  assert.equal(handled.length, 640);
  assert.deepEqual(
    handled,
    Array.from({ length: 640 }, (_, i) => i + 1),
  );
  assert.ok(Math.max(...shares.slice(20)) >= 100);
});

test('a client with few requests waits for one request of each busy client, not for all of them, and each is served in order', () => {
  const { ask, turn, handled } = start(() => 3);
  // Turns become short.
  for (let i = 0; i < 12; i += 1) {
    ask(8, 'much');
    turn();
  }
  const before = handled.length;
  ask(30, 'as much');
  ask(2, 'little');
  const little = [127, 128];
  for (let i = 0; i < 8; i += 1) turn();
  const served = handled.slice(before);
  assert.ok(served.includes(128), `served: ${served.join(' ')}`);
  assert.ok(served.indexOf(127) < served.indexOf(128), `served: ${served.join(' ')}`);
  assert.ok(served.length < 20, `${served.length} were served before`);
  while (handled.length < 128) turn();
  const much = handled.filter((request) => request <= 96);
  assert.deepEqual(
    much,
    [...much].sort((a, b) => a - b),
  );
  const asMuch = handled.filter((request) => request > 96 && !little.includes(request));
  assert.deepEqual(
    asMuch,
    [...asMuch].sort((a, b) => a - b),
  );
  assert.equal(new Set(handled).size, 128);
});
