import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SingleFlight, Turns } from './single-flight.ts';

const never = () => new AbortController().signal;

test('thirty callers that want the same wait for one', async () => {
  const flights = new SingleFlight<number>();
  let runs = 0;
  const work = () => Promise.resolve((runs += 1));
  const results = await Promise.all(Array.from({ length: 30 }, () => flights.join('a', never(), work)));
  assert.deepEqual([runs, new Set(results).size], [1, 1]);
  await flights.join('a', never(), work);
  assert.equal(runs, 2, 'later ones begin again');
});

test('the work stops when the last caller that waits for it leaves, and not before', async () => {
  const flights = new SingleFlight<void>();
  let stopped = false;
  const work = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => {
        stopped = true;
        reject(new Error('stopped'));
      });
    });
  const [one, two] = [new AbortController(), new AbortController()];
  const waits = [flights.join('a', one.signal, work), flights.join('a', two.signal, work)];
  one.abort();
  await assert.rejects(waits[0]!);
  assert.equal(stopped, false);
  two.abort();
  await assert.rejects(waits[1]!);
  assert.equal(stopped, true);
});

test('work that was given up does not hide the work that follows it', async () => {
  const flights = new SingleFlight<number>();
  const [givenUp, running] = [withResolver(), withResolver()];
  const leaving = new AbortController();
  const left = flights.join('a', leaving.signal, () => givenUp.promise);
  leaving.abort();
  await assert.rejects(left);
  let runs = 0;
  const work = () => {
    runs += 1;
    return running.promise;
  };
  const first = flights.join('a', never(), work);
  givenUp.resolve(0);
  await new Promise((resolve) => setImmediate(resolve));
  const second = flights.join('a', never(), work);
  running.resolve(1);
  assert.deepEqual(await Promise.all([first, second]), [1, 1]);
  assert.equal(runs, 1);
});

function withResolver(): { readonly promise: Promise<number>; readonly resolve: (value: number) => void } {
  let resolve: (value: number) => void = () => undefined;
  const promise = new Promise<number>((set) => (resolve = set));
  return { promise, resolve };
}

test('a failure reaches all and is not remembered', async () => {
  const flights = new SingleFlight<string>();
  const failing = () => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([flights.join('a', never(), failing), flights.join('a', never(), failing)]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await flights.join('a', never(), () => Promise.resolve('yes')), 'yes');
});

test('tasks beyond the maximum wait', async () => {
  const turns = new Turns();
  let running = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 10 }, () =>
      turns.take(3, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      }),
    ),
  );
  assert.deepEqual([most, running], [3, 0]);
});
