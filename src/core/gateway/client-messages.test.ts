import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { againMessages, errorMessage, isFailure, isStream, MAX_LINE, placeMessages, shutdownMessage } from './client-messages.ts';

test('a waiting client is told its place for both generations of clients that show it', () => {
  assert.deepEqual(placeMessages({ position: 3, estimate: { from: 90, to: 150 } }), [
    'loading: You are number 3, about 2 min',
    'docker: You are number 3, about 2 min',
  ]);
  assert.deepEqual(placeMessages({ position: 1 }), ['loading: You are number 1', 'docker: You are number 1']);
  assert.equal(placeMessages({ position: 1, estimate: { from: 5, to: 15 } })[0], 'loading: You are number 1, about 10 s');
  assert.equal(placeMessages({ position: 20, estimate: { from: 7000, to: 8000 } })[0], 'loading: You are number 20, about 2 h');
  assert.equal(placeMessages({ position: 333, estimate: { from: 1200, to: 1200 } })[0], 'loading: Number 333, about 20 min');
  assert.equal(placeMessages({ position: 1000 })[0], 'loading: At least 999 wait before you');
});

test('every line stays below forty characters, whatever the place and the estimate', () => {
  const seconds = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.nat(100_000));
  const estimate = fc.option(fc.record({ from: seconds, to: seconds }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 1100 }), fc.integer({ min: 1, max: 1_000_000 })),
      estimate,
      (position, estimate) => {
        for (const line of [...placeMessages({ position, estimate }), ...againMessages()])
          assert.ok(line.length < MAX_LINE, line);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a reason stands on one line', () => {
  assert.equal(errorMessage('no\r\nroom'), 'error: no room');
});

test('the end of a session is announced in whole seconds that are not negative', () => {
  assert.equal(shutdownMessage(299.6), 'shutdownTimeout: 300');
  assert.equal(shutdownMessage(-1), 'shutdownTimeout: 0');
});

test('a failure and the stream are told apart from progress', () => {
  assert.ok(isFailure('loading: Error: no such world'));
  assert.ok(!isFailure('loading: Step 1/5'));
  assert.ok(isStream('webots:wss://host/2001'));
  assert.ok(!isStream('loading: webots'));
});
