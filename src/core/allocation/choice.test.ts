import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Choice, type Row } from './choice.ts';
import { limited } from './cost.ts';
import { inBlocks, type RowBlocks } from './row-blocks.ts';

const noChance = () => {
  throw new Error('chance was asked without jitter');
};
const all = () => true;
const usual = { base: 8, margin: 0, target: 90, jitter: 0, random: noChance };

function table(rows: readonly Row[]): { choice: Choice; order: RowBlocks } {
  const choice = new Choice();
  const order = Int32Array.from(rows, () => choice.addRow());
  rows.forEach((row, i) => choice.setRow(order[i]!, row));
  return { choice, order: inBlocks(order) };
}

function row(level: number, more: Partial<Row> = {}): Row {
  return { level, ceiling: level, factor: 1, lastUsed: 0, special: false, ...more };
}

const someRow: fc.Arbitrary<Row> = fc
  .record({
    level: fc.integer({ min: 0, max: 100 }),
    above: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(Infinity)),
    factor: fc.constantFrom(0.01, 0.5, 1, 3, 20),
    lastUsed: fc.integer({ min: 0, max: 5 }),
    special: fc.boolean(),
  })
  .map(({ above, ...rest }) => ({ ...rest, ceiling: rest.level + above }));

test('the server with the least load wins, by a hundredth of a point', () => {
  const { choice, order } = table([row(30.52), row(30.51), row(30.53)]);
  assert.equal(choice.best(order, usual, all), 1);
});

test('a tie goes to the server not used for longest, then to the first', () => {
  const { choice, order } = table([row(30, { lastUsed: 3 }), row(30, { lastUsed: 1 }), row(30, { lastUsed: 1 })]);
  assert.equal(choice.best(order, usual, all), 1);
});

test('the cost of the session on a server counts in the choice', () => {
  const { choice, order } = table([row(30, { factor: 2 }), row(34, { factor: 0.5 })]);
  assert.equal(choice.best(order, usual, all), 1);
});

test('no session fits where the highest recent report leaves no room', () => {
  const { choice, order } = table([row(30, { ceiling: 82 }), row(81.9, { ceiling: 81.9 })]);
  assert.equal(choice.best(order, usual, all), 1);
  assert.equal(choice.next(order, usual, 0), 1);
});

test('a row that was removed is not chosen and its place is used again', () => {
  const { choice, order } = table([row(10), row(20)]);
  choice.removeRow(order.rows[0]!);
  assert.equal(choice.best(order, usual, all), 1);
  assert.equal(choice.addRow(), order.rows[0]);
  assert.equal(choice.best(order, usual, all), 1, 'a new row has no room before it is set');
});

test('jitter lets the second best win at times, by no more than its points', () => {
  const { choice, order } = table([row(30), row(30.4), row(31)]);
  let chance = [0.9, 0, 0];
  const random = () => chance.shift() ?? 0;
  assert.equal(choice.best(order, { ...usual, jitter: 0.5, random }, all), 1);
  chance = [0.999, 0.999, 0];
  assert.equal(choice.best(order, { ...usual, jitter: 0.5, random }, all), 0);
});

test('the pass over the blocks finds what sorting all servers would, after any changes, in any order of rows', () => {
  const someRows = fc.array(someRow, { minLength: 1, maxLength: 200 });
  const changes = fc.array(fc.tuple(fc.nat(), fc.option(someRow)), { maxLength: 60 });
  fc.assert(
    fc.property(someRows, changes, fc.constantFrom(0.1, 2, 8, 50), fc.boolean(), (first, changed, base, reversed) => {
      const { choice, order } = table(first);
      const present = new Map(first.map((server, i) => [order.rows[i]!, server]));
      for (const [which, after] of changed) {
        const at = [...present.keys()][which % Math.max(1, present.size)] ?? choice.addRow();
        if (after === null) choice.removeRow(at);
        else choice.setRow(at, after);
        if (after === null) present.delete(at);
        else present.set(at, after);
      }
      const servers = reversed ? [...present].reverse() : [...present];
      const candidates = inBlocks(Int32Array.from(servers, ([at]) => at));
      const admits = (i: number) => i % 2 === 0;
      const fitting = servers
        .map(([, server], i) => ({ ...server, i, cost: limited(base * server.factor) }))
        .filter(({ ceiling, cost }) => ceiling + cost < 90);
      const sorted = fitting
        .filter(({ special, i }) => !special || admits(i))
        .sort((a, b) => a.level + a.cost - (b.level + b.cost) || a.lastUsed - b.lastUsed || a.i - b.i);
      assert.equal(choice.best(candidates, { ...usual, base }, admits), sorted[0]?.i ?? -1);
      assert.equal(choice.next(candidates, { ...usual, base }, 0), fitting[0]?.i ?? -1);
    }),
  );
});
