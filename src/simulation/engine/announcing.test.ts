import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { startAnnouncing } from './announcing.ts';

const URL_WITH_TOKEN = 'https://session.example.org/register/secret-token';

function fixture(t: TestContext, failures: number) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const posted: number[] = [];
  const loops = startAnnouncing({
    ...{ clock, log, receivers: [URL_WITH_TOKEN], form: { url: 'https://sim/2000' } },
    post: (url, form) => {
      assert.deepEqual([url, form], [URL_WITH_TOKEN, { url: 'https://sim/2000' }]);
      posted.push(clock.now());
      return posted.length <= failures ? Promise.reject(new Error('no answer')) : Promise.resolve('welcome\n');
    },
  });
  t.after(() => Promise.all(loops.map((loop) => loop.stop())));
  return { clock, log, posted };
}

test('the answer is in the log, and one announcement is enough', async (t) => {
  const { clock, log, posted } = fixture(t, 0);
  await clock.advance(100);
  assert.equal(posted.length, 1);
  assert.ok(
    log.lines.some(({ message }) => message === 'welcome'),
    'the answer',
  );
});

test('six tries are made, five seconds apart, and no token is logged', async (t) => {
  const { clock, log, posted } = fixture(t, 100);
  await clock.advance(1000);
  assert.deepEqual(
    posted.map((at) => at - (posted[0] ?? 0)),
    [0, 5, 10, 15, 20, 25],
  );
  assert.equal(log.lines.at(-1)?.message, 'Giving up');
  assert.ok(!JSON.stringify(log.lines).includes('secret-token'), 'no token');
});
