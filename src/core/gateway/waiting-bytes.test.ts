import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WaitingBytes } from './waiting-bytes.ts';

test('the relay that holds the most is ended when all together hold too much', () => {
  const ended: string[] = [];
  const sizes: number[] = [];
  const waiting = new WaitingBytes(100, (bytes) => sizes.push(bytes));
  const [small, large, last] = ['small', 'large', 'last'].map((name) => waiting.hold(() => ended.push(name)));
  small?.set('up', 20);
  large?.set('up', 30);
  large?.set('down', 40);
  assert.deepEqual([ended, waiting.total], [[], 90]);
  last?.set('up', 11);
  assert.deepEqual([ended, sizes, waiting.total], [['large'], [70], 31]);
  large?.set('up', 1000);
  assert.equal(waiting.total, 31, 'a relay that has ended holds nothing');
});

test('what is read, and what a relay held that has ended, is free', () => {
  const waiting = new WaitingBytes(100);
  const relay = waiting.hold(() => assert.fail('there is room'));
  for (let i = 0; i < 10; i += 1) {
    relay.set('up', 90);
    relay.set('up', 0);
  }
  relay.set('down', 90);
  relay.close();
  relay.close();
  assert.equal(waiting.total, 0);
});

test('never more than the maximum waits, and the total is the sum of what the open relays hold', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.constantFrom('up', 'down'), fc.nat(120))), (steps) => {
      const held = new Map<number, Record<string, number>>();
      const waiting = new WaitingBytes(100);
      const relays = Array.from({ length: 5 }, (_, i) => waiting.hold(() => held.delete(i)));
      for (const i of relays.keys()) held.set(i, {});
      for (const [i, reason, bytes] of steps) {
        const parts = held.get(i);
        if (parts !== undefined) parts[reason] = bytes;
        relays[i]?.set(reason, bytes);
        const sum = [...held.values()].flatMap((part) => Object.values(part)).reduce((a, b) => a + b, 0);
        assert.equal(waiting.total, sum);
        assert.ok(sum <= 100);
      }
    }),
  );
});
