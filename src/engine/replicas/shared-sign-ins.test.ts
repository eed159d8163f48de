import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { SharedSignIns } from './shared-sign-ins.ts';

class Shared {
  readonly texts = new Map<string, string>();
  entries = (beginning: string) => [...this.texts].filter(([key]) => key.startsWith(beginning));
  set = (key: string, value: unknown) => void this.texts.set(key, JSON.stringify(value));
  remove = (key: string) => void this.texts.delete(key);
}

test('another replica knows the sign-ins that have not ended, by its own clock', async () => {
  const [shared, clock, other] = [new Shared(), new FakeClock(), new FakeClock()];
  const first = new SharedSignIns(shared, clock);
  first.set('kept', { name: 'ada', token: 't', csrf: 'c', until: clock.now() + 100 });
  first.set('short', { name: 'ada', token: 't', csrf: 'c', until: clock.now() + 5 });
  first.set('closed', { name: 'ada', token: 't', csrf: 'c', until: clock.now() + 100 });
  first.remove('closed');
  await other.advance(10);
  const next = new SharedSignIns(shared, other);
  assert.deepEqual([...next.all()], [['kept', { name: 'ada', token: 't', csrf: 'c', until: other.now() + 90 }]]);
  assert.deepEqual([...shared.texts.keys()], ['sign-ins/kept']);
});

test('what no replica wrote opens nothing', () => {
  const shared = new Shared();
  const clock = new FakeClock();
  const until = clock.wallTime() + 100;
  const good = { name: 'ada', token: 't', csrf: 'c', until };
  for (const value of [{ ...good, until: 1e300 }, { ...good, csrf: '' }, { ...good, name: 'x'.repeat(201) }, { until }, 1, null])
    shared.set('sign-ins/x', value);
  shared.texts.set('sign-ins/y', '{');
  assert.equal(new SharedSignIns(shared, clock).all().size, 0);
  assert.equal(shared.texts.size, 0);
});
