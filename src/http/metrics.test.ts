import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { createMetricsRoutes } from './metrics.ts';

/** Texts as long as those of a fleet of 800 servers. */
function setUp(size = 400_000) {
  const clock = new FakeClock();
  let written = 0;
  const registry = {
    contentType: 'text/plain' as const,
    metrics: () => Promise.resolve(String((written += 1)).padEnd(size)),
  } as unknown as Parameters<typeof createMetricsRoutes>[0]['registry'];
  const routes = createMetricsRoutes({ registry, clock, mayRead: (_, next) => next() });
  const read = async () => (await (await routes.request('/metrics')).text()).trim();
  return { clock, read, written: () => written };
}

test('twenty readers at once share one text, and a flood of them gets a new one each second', async () => {
  const { clock, read, written } = setUp();
  const texts = await Promise.all(Array.from({ length: 20 }, read));
  assert.deepEqual([...new Set(texts)], ['1']);
  for (let reader = 0; reader < 20; reader += 1) await read();
  assert.ok(written() <= 3, `${written()} were written`);
  const before = written();
  for (let second = 0; second < 10; second += 1) {
    await clock.advance(1);
    for (let reader = 0; reader < 20; reader += 1) await read();
  }
  assert.ok(written() - before <= 10, `${written() - before} were written in ten seconds`);
});

test('a reader who comes alone gets the present values, however soon after the last', async () => {
  const { read } = setUp(10_000);
  for (let text = 1; text <= 20; text += 1) assert.equal(await read(), String(text));
});
