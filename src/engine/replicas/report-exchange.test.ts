import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import type { SharedStore } from '../../ports.ts';
import { MemorySharedStore } from '../../stores/shared-memory.ts';
import { ReportExchange } from './report-exchange.ts';

const SAMPLE = { kind: 'sample', load: 20, latency: 0.01 } as const;

class Scene {
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  readonly store = new MemorySharedStore(() => this.clock.wallTime());
  readonly exchanges: ReportExchange[] = [];
  isHeard = true;
  reachesStore = true;

  start(self: string, store: Pick<SharedStore, 'report' | 'reports'> = this.store) {
    const taken: (readonly [server: string, load: number | string, age: number])[] = [];
    const exchange = new ReportExchange({
      ...{ clock: this.clock, log: this.log, store, self },
      ...{ isHeard: () => this.isHeard, reachesStore: () => this.reachesStore },
      take: (server, result, at) => {
        const age = Math.round((this.clock.now() - at) * 1000) / 1000;
        taken.push([server, result.kind === 'sample' ? result.load : result.failure.code, age]);
      },
    });
    this.exchanges.push(exchange);
    return { exchange, taken };
  }

  async stop(): Promise<void> {
    await Promise.all(this.exchanges.map((exchange) => exchange.stop()));
  }
}

test('replicas read what the others found, with its age, and not what they found themselves', async () => {
  const scene = new Scene();
  const [a, b] = [scene.start('a'), scene.start('b')];
  await scene.clock.advance(0.3);
  a.exchange.add('one:2000', SAMPLE);
  await scene.clock.advance(0.1);
  a.exchange.add('two:2000', { kind: 'failed', failure: { code: 'timeout', reason: 'late' } });
  await scene.clock.advance(1);
  assert.deepEqual(
    b.taken.map(([server, what]) => [server, what]),
    [
      ['one:2000', 20],
      ['two:2000', 'timeout'],
    ],
  );
  for (const [, , age] of b.taken) assert.ok(age >= 0.1 && age <= 0.5, `${age} s`);
  assert.deepEqual(a.taken, []);
  await scene.stop();
});

test('an entry that may have been written is written again, and counts once', async () => {
  const scene = new Scene();
  let cuts = 0;
  const { store } = scene;
  const a = scene.start('a', {
    reports: (cursor) => store.reports(cursor),
    async report(text) {
      await store.report(text);
      cuts += 1;
      if (cuts <= 3) throw new Error('no answer');
    },
  });
  const b = scene.start('b');
  a.exchange.add('one:2000', SAMPLE);
  await scene.clock.advance(0.3);
  a.exchange.add('two:2000', SAMPLE);
  await scene.clock.advance(3);
  assert.equal(cuts, 5);
  assert.deepEqual(
    b.taken.map(([server]) => server),
    ['one:2000', 'two:2000'],
  );
  await scene.stop();
});

test('many reports are several entries, and those of half a minute without a store are dropped', async () => {
  const scene = new Scene();
  const [a, b] = [scene.start('a'), scene.start('b')];
  scene.reachesStore = false;
  a.exchange.add('old:2000', SAMPLE);
  await scene.clock.advance(31);
  for (let i = 0; i < 450; i += 1) a.exchange.add(`host-${i}:2000`, SAMPLE);
  await scene.clock.advance(10);
  scene.reachesStore = true;
  await scene.clock.advance(1);
  assert.equal((await scene.store.reports()).entries.length, 3);
  assert.equal(b.taken.length, 450);
  assert.ok(b.taken.every(([server, , age]) => server !== 'old:2000' && age >= 10 && age < 11.1));
  await scene.stop();
});

test('nothing is written while no other replica reads it', async () => {
  const scene = new Scene();
  scene.isHeard = false;
  scene.start('a').exchange.add('one:2000', SAMPLE);
  await scene.clock.advance(2);
  assert.deepEqual((await scene.store.reports()).entries, []);
  await scene.stop();
});

test('foreign entries are skipped and logged, and old ones are not news', async () => {
  const scene = new Scene();
  await scene.store.report('["x",1,["one:2000",0,5,1]]');
  await scene.clock.advance(29.9);
  await scene.store.report('["x",2,["two:2000",29000,5,1]]');
  for (const text of ['{', '', '[[]]', 'x'.repeat(300_000)]) await scene.store.report(text);
  await scene.store.report('["x",9007199254740991,["three:2000",0,5,1],"foreign"]');
  await scene.clock.advance(0.5);
  const { taken } = scene.start('b');
  await scene.clock.advance(2);
  assert.deepEqual(
    taken.map(([server]) => server),
    ['two:2000', 'three:2000'],
  );
  assert.equal(scene.log.complaints.length, 4);
  await scene.stop();
});
