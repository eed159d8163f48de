import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { retryMessages, errorMessage, MAX_LINE, positionMessages, shutdownMessage, startingMessages } from './client-messages.ts';

test('a waiting client gets its position in the words of both generations of clients that show it', () => {
  assert.deepEqual(positionMessages({ position: 3, estimate: { from: 90, to: 150 } }), [
    'loading: Position 3, about 2 min',
    'docker: Position 3, about 2 min',
  ]);
  assert.deepEqual(positionMessages({ position: 1 }), ['loading: Position 1 in line', 'docker: Position 1 in line']);
  assert.equal(positionMessages({ position: 1, estimate: { from: 5, to: 15 } })[0], 'loading: Position 1, about 10 s');
  assert.equal(positionMessages({ position: 20, estimate: { from: 7000, to: 8000 } })[0], 'loading: Position 20, about 2 h');
  assert.equal(positionMessages({ position: 333, estimate: { from: 1200, to: 1200 } })[0], 'loading: Position 333, about 20 min');
  assert.equal(positionMessages({ position: 1000 })[0], 'loading: At least 999 ahead of you');
});

test('every line stays below forty characters, whatever the position and the estimate', () => {
  const seconds = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.nat(100_000));
  const estimate = fc.option(fc.record({ from: seconds, to: seconds }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 1100 }), fc.integer({ min: 1, max: 1_000_000 })),
      estimate,
      (position, estimate) => {
        for (const line of [...positionMessages({ position, estimate }), ...retryMessages(), ...startingMessages()])
          assert.ok(line.length < MAX_LINE, line);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a reason is a single line', () => {
  assert.equal(errorMessage('no\r\nroom'), 'error: no room');
});

test('the end of a session is announced in whole seconds that are not negative', () => {
  assert.equal(shutdownMessage(299.6), 'shutdownTimeout: 300');
  assert.equal(shutdownMessage(-1), 'shutdownTimeout: 0');
});
