import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../test/support/endpoints.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeProbe } from '../../test/support/fake-probe.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import type { Transition } from '../core/fleet/fleet.ts';
import { Poller } from './poller.ts';

function start(addresses: readonly string[]) {
  const clock = new FakeClock(0);
  const probe = new FakeProbe(clock);
  const log = new MemoryLog();
  const transitions: Transition[] = [];
  const poller = new Poller({
    clock,
    random: () => 0.5,
    log,
    probe,
    rules: { loadThreshold: 95, target: 90, recent: 15, downAfter: 2 },
    interval: 5,
    events: {
      sampled: () => undefined,
      missed: () => undefined,
      changed: (_, transition) => {
        if (transition) transitions.push(transition);
      },
      added: () => undefined,
    },
  });
  const state = (id: string) => {
    const facts = poller.facts(id);
    return facts && poller.state(facts);
  };
  const begin = () => {
    poller.begin();
    poller.update(addresses.map(endpointOf));
  };
  return { clock, probe, log, poller, transitions, state, begin };
}

test('a hung server costs the others nothing: they are probed on time', async () => {
  const { clock, probe, poller, state, begin } = start(['hung:2000', 'well:2000']);
  probe.behaviours.set('hung:2000', 'hangs');
  begin();
  await clock.advance(60);
  const times = probe.asked.get('well:2000') ?? [];
  for (let i = 1; i < times.length; i += 1) assert.ok((times[i] ?? 0) - (times[i - 1] ?? 0) <= 5);
  assert.ok(times.length >= 12);
  assert.equal(state('well:2000'), 'available');
  assert.equal(state('hung:2000'), 'down');
  await poller.stop();
});

test('polls come at least every 6 s and never two at once to the same server, however slow it answers', async () => {
  const { clock, probe, poller, begin } = start(['slow:2000']);
  let running = 0;
  const times: number[] = [];
  probe.probe = async ({ id }) => {
    assert.equal(running, 0);
    running += 1;
    times.push(clock.now());
    await probe.hang(id, 3.9);
    running -= 1;
    return { kind: 'sample', load: 1, latency: 3.9 };
  };
  begin();
  await clock.advance(120);
  assert.ok(times.length > 20);
  for (let i = 1; i < times.length; i += 1) assert.ok((times[i] ?? 0) - (times[i - 1] ?? 0) <= 6);
  await poller.stop();
});

test('after a failed probe the server is probed again about a second later, and is down at the second failure', async () => {
  const { clock, probe, poller, transitions, state, begin } = start(['host:2000']);
  begin();
  await clock.advance(20);
  probe.behaviours.set('host:2000', 'refuses');
  await clock.advance(5);
  const failedAt = transitions.at(-2)?.at ?? NaN;
  assert.deepEqual(
    transitions.slice(-2).map(({ to, at }) => [to, at - failedAt]),
    [
      ['unknown', 0],
      ['down', 1],
    ],
  );
  probe.behaviours.set('host:2000', 3);
  await clock.advance(5);
  assert.equal(state('host:2000'), 'available');
  await poller.stop();
});

test('a misbehaving server is logged once, and again only when it misbehaves in another way', async () => {
  const { clock, probe, log, poller, begin } = start(['host:2000']);
  probe.behaviours.set('host:2000', 'refuses');
  begin();
  await clock.advance(120);
  assert.equal(log.complaints.length, 1);
  probe.behaviours.set('host:2000', 'hangs');
  await clock.advance(120);
  assert.equal(log.complaints.length, 2);
  await poller.stop();
});

test('a server that fails in two ways in turn, with good answers in between, does not fill the log', async () => {
  const { clock, probe, log, poller, begin } = start(['host:2000']);
  begin();
  for (let round = 0; round < 40; round += 1) {
    for (const behaviour of ['refuses', 'hangs', 3] as const) {
      probe.behaviours.set('host:2000', behaviour);
      await clock.advance(5);
    }
  }
  assert.equal(log.complaints.length, 2, log.complaints.join('\n'));
  await poller.stop();
});

test('a server that fails once and answers again is logged once, however often it happens', async () => {
  const { clock, probe, log, poller, state, begin } = start(['host:2000']);
  begin();
  await clock.advance(1);
  for (let round = 0; round < 20; round += 1) {
    probe.behaviours.set('host:2000', 'refuses');
    while (state('host:2000') !== 'unknown') await clock.advance(0.1);
    probe.behaviours.set('host:2000', 3);
    await clock.advance(5);
    assert.equal(state('host:2000'), 'available');
  }
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['host:2000 simulation server gave no usable load: nothing listens on its port', 'host:2000 simulation server answers again'],
  );
  await poller.stop();
});

test('a server that reports load only is logged once and not offered', async () => {
  const { clock, probe, log, poller, state, begin } = start(['agent:2000']);
  const loadOnly = 'it reports load only; its WebSocket /client does not open';
  probe.probe = () => Promise.resolve({ kind: 'sample', load: 5, latency: 0.001, loadOnly });
  begin();
  await clock.advance(60);
  assert.equal(state('agent:2000'), 'unknown');
  assert.deepEqual(log.complaints, [`agent:2000 simulation server gets no sessions: ${loadOnly}`]);
  await poller.stop();
});

test('an old fault of a server is logged again when it returns', async () => {
  const { clock, probe, log, poller, begin } = start(['host:2000']);
  begin();
  for (const [behaviour, seconds] of [
    ['refuses', 30],
    [3, 1200],
    ['refuses', 30],
  ] as const) {
    probe.behaviours.set('host:2000', behaviour);
    await clock.advance(seconds);
  }
  assert.equal(log.complaints.length, 2, log.complaints.join('\n'));
  await poller.stop();
});

test('a server that stays keeps what is known of it when the fleet changes; one that leaves is forgotten', async () => {
  const { clock, probe, poller, state, begin } = start(['a:2000', 'b:2000']);
  begin();
  await clock.advance(10);
  poller.update(['c/2000', 'B/2000'].map(endpointOf));
  assert.deepEqual(
    [...poller.servers()].map(({ endpoint }) => endpoint.address),
    ['c/2000', 'B/2000'],
  );
  assert.equal(state('b:2000'), 'available');
  assert.equal(state('c:2000'), 'unknown');
  assert.deepEqual(probe.forgotten, ['a:2000']);
  const before = probe.asked.get('a:2000')?.length;
  await clock.advance(10);
  assert.equal(probe.asked.get('a:2000')?.length, before);
  await poller.stop();
});

test('the first round has ended when every server has answered or failed', async () => {
  const { clock, probe, poller, begin } = start(['a:2000', 'hung:2000']);
  probe.behaviours.set('hung:2000', 'hangs');
  begin();
  let ended = false;
  void poller.firstRound().then(() => (ended = true));
  await clock.advance(3);
  assert.equal(ended, false);
  await clock.advance(2);
  assert.equal(ended, true);
  await poller.stop();
});

test('a drain with a deadline ends by itself', async () => {
  const { clock, poller, state, begin } = start(['host:2000']);
  begin();
  await clock.advance(10);
  assert.equal(poller.drain('host:2000', { since: clock.wallTime(), by: 'anna', until: clock.wallTime() + 60 }), true);
  assert.equal(state('host:2000'), 'draining');
  await clock.advance(59);
  assert.equal(state('host:2000'), 'draining');
  await clock.advance(6);
  assert.equal(state('host:2000'), 'available');
  assert.equal(poller.drain('nobody:2000', { since: 0, by: 'anna' }), false);
  await poller.stop();
});

test('a bug in one probe is logged and the next cycle runs', async () => {
  const { clock, probe, log, poller, state, begin } = start(['host:2000']);
  const real = probe.probe.bind(probe);
  let calls = 0;
  probe.probe = (endpoint) => {
    calls += 1;
    if (calls === 1) return Promise.reject(new Error('bug'));
    return real(endpoint);
  };
  begin();
  await clock.advance(10);
  assert.equal(log.complaints.length, 1);
  assert.equal(state('host:2000'), 'available');
  await poller.stop();
});

test('servers are known at once and probed from the beginning on, the first time spread as ever', async () => {
  const { clock, probe, poller, state } = start([]);
  poller.update(['a:2000', 'b:2000'].map(endpointOf));
  await clock.advance(60);
  assert.deepEqual([probe.asked.size, state('a:2000'), state('b:2000')], [0, 'unknown', 'unknown']);
  poller.begin();
  await clock.advance(0.5);
  assert.deepEqual([...probe.asked.values()], [[60.25], [60.25]]);
  await poller.firstRound();
  assert.equal(state('a:2000'), 'available');
  await poller.stop();
});

test('probes that are due together begin in small groups, so that the answers to the first ones are read in between', async () => {
  const { clock, probe, poller, begin } = start(Array.from({ length: 120 }, (_, index) => `host${index}:2000`));
  begin();
  await clock.advance(1);
  const together = new Map<number, number>();
  for (const [time = -1] of probe.asked.values()) together.set(time, (together.get(time) ?? 0) + 1);
  assert.deepEqual([...together.values()], [50, 50, 20]);
  await poller.stop();
});

test('the first probes of a large fleet are spread over the interval, so that its connections are not opened all at once', async () => {
  const clock = new FakeClock(0);
  const probe = new FakeProbe(clock);
  let chance = 0;
  const poller = new Poller({
    ...{ clock, probe, log: new MemoryLog(), interval: 1 },
    random: () => (chance = (chance + 1 / 2400) % 1),
    rules: { loadThreshold: 95, target: 90, recent: 15, downAfter: 2 },
    events: { sampled: () => undefined, missed: () => undefined, changed: () => undefined, added: () => undefined },
  });
  poller.begin();
  poller.update(Array.from({ length: 2400 }, (_, index) => endpointOf(`host${index}:2000`)));
  await clock.advance(0.5);
  assert.ok(probe.asked.size > 1100 && probe.asked.size < 1300, `${probe.asked.size} of 2400 were asked in half the interval`);
  await clock.advance(0.5);
  assert.equal(probe.asked.size, 2400, 'not all were asked within the interval');
  await poller.stop();
});

const SAMPLE = { kind: 'sample', load: 20, latency: 0.01 } as const;
const REFUSED = { kind: 'failed', failure: { code: 'refused', reason: 'nothing listens on its port' } } as const;
const only = (...own: readonly string[]) => ({ owns: (id: string) => own.includes(id), patience: Infinity, counts: () => true });

test('only the share is probed, and a server that comes into it is probed at once', async () => {
  const { clock, probe, poller, begin } = start(['a:2000', 'b:2000']);
  poller.share(only('a:2000'));
  begin();
  await clock.advance(30);
  assert.ok((probe.asked.get('a:2000') ?? []).length >= 6);
  assert.equal(probe.asked.get('b:2000'), undefined);
  assert.equal(poller.owned, 1);
  poller.share(only('b:2000'));
  const before = probe.asked.get('a:2000')?.length;
  await clock.advance(0.5);
  assert.equal(probe.asked.get('b:2000')?.length, 1);
  // Back and forth makes no second schedule.
  for (const own of ['a:2000', 'b:2000', 'b:2000', 'a:2000', 'b:2000']) poller.share(only(own));
  await clock.advance(20);
  assert.equal(probe.asked.get('a:2000')?.length, before);
  const times = probe.asked.get('b:2000') ?? [];
  assert.ok(times.length <= 7, `${times.length} probes`);
  for (let i = 2; i < times.length; i += 1) assert.ok((times[i] ?? 0) - (times[i - 1] ?? 0) >= 2.4);
  await poller.stop();
});

test('what another replica found counts as if it had been found here, and what is older than the last answer does not', async () => {
  const { clock, probe, poller, transitions, state, begin } = start(['a:2000']);
  poller.share(only());
  begin();
  await clock.advance(10);
  const at = clock.now();
  poller.report('a:2000', SAMPLE, at - 0.5);
  assert.equal(state('a:2000'), 'available');
  assert.equal(poller.facts('a:2000')?.sampledAt, at - 0.5);
  poller.report('a:2000', REFUSED, at - 0.5);
  poller.report('a:2000', REFUSED, at - 2);
  assert.equal(state('a:2000'), 'available');
  poller.report('a:2000', REFUSED, at);
  assert.equal(state('a:2000'), 'unknown');
  poller.report('a:2000', REFUSED, at + 1);
  assert.equal(state('a:2000'), 'down');
  assert.deepEqual(transitions.at(-1)?.failure, REFUSED.failure);
  poller.report('unknown:2000', SAMPLE, at);
  // Silence of the other replica is not a failure.
  poller.report('a:2000', SAMPLE, at + 2);
  await clock.advance(600);
  assert.equal(state('a:2000'), 'available');
  assert.equal(probe.asked.size, 0);
  assert.deepEqual(
    [...poller.outcomes],
    [
      ['sample', 2],
      ['refused', 2],
    ],
  );
  await poller.stop();
});

test('with patience, a server that no replica reports is probed here, and a new one once at the beginning', async () => {
  const { clock, probe, poller, begin } = start(['a:2000', 'b:2000']);
  poller.share({ ...only('a:2000'), patience: 13 });
  begin();
  await clock.advance(1);
  assert.equal(probe.asked.get('b:2000')?.length, 1);
  for (let second = 0; second < 60; second += 5) {
    poller.report('b:2000', SAMPLE, clock.now());
    await clock.advance(5);
  }
  assert.equal(probe.asked.get('b:2000')?.length, 1);
  await clock.advance(14);
  assert.equal(probe.asked.get('b:2000')?.length, 2);
  await clock.advance(14);
  assert.equal(probe.asked.get('b:2000')?.length, 3);
  await poller.stop();
});

test('a server that another replica cannot reach is asked here, and is not down if it answers', async () => {
  const { clock, probe, log, poller, transitions, state, begin } = start(['a:2000']);
  poller.share({ ...only(), patience: 13 });
  begin();
  await clock.advance(1);
  for (let second = 0; second < 10; second += 1) {
    poller.report('a:2000', REFUSED, clock.now());
    assert.equal(state('a:2000'), 'unknown');
    await clock.advance(1);
    assert.equal(state('a:2000'), 'available');
  }
  assert.equal(probe.asked.get('a:2000')?.length, 11);
  assert.match(log.complaints.join('\n'), /a:2000 answers this replica, but another replica cannot reach it/);
  // Two replicas that ask at the same moment have seen one failure.
  probe.behaviours.set('a:2000', 'refuses');
  poller.report('a:2000', REFUSED, clock.now());
  await clock.advance(0.9);
  assert.equal(state('a:2000'), 'unknown');
  poller.report('a:2000', REFUSED, clock.now());
  assert.equal(state('a:2000'), 'down');
  assert.deepEqual(
    transitions.filter(({ to }) => to === 'down').map(({ at }) => at),
    [clock.now()],
  );
  await poller.stop();
});

test('a process that was stopped does not take the silence of that time for failures', async () => {
  const { clock, probe, poller, state, begin } = start(['a:2000']);
  let isKnown = true;
  poller.share({ ...only('a:2000'), counts: () => isKnown });
  begin();
  await clock.advance(10);
  probe.behaviours.set('a:2000', 'refuses');
  isKnown = false;
  await clock.advance(20);
  assert.equal(state('a:2000'), 'available');
  isKnown = true;
  await clock.advance(10);
  assert.equal(state('a:2000'), 'down');
  await poller.stop();
});

test('a poller begins with what another one knows, except for what is old, and its drains stay', async () => {
  const one = start(['a:2000', 'b:2000', 'c:2000', 'd:2000']);
  one.poller.share(only());
  one.begin();
  await one.clock.advance(100);
  const now = one.clock.now();
  one.poller.report('d:2000', SAMPLE, now - 20);
  one.poller.report('a:2000', { ...SAMPLE, load: 96 }, now - 2);
  one.poller.report('b:2000', REFUSED, now - 2);
  one.poller.report('b:2000', REFUSED, now - 1);
  one.poller.report('c:2000', SAMPLE, now - 1);
  const other = start(['a:2000', 'b:2000', 'c:2000', 'd:2000']);
  await other.clock.advance(100);
  other.poller.update(['a:2000', 'b:2000', 'c:2000', 'd:2000'].map(endpointOf));
  other.poller.drain('c:2000', { since: 1, by: 'admin' });
  other.poller.adopt(one.poller);
  const states = () => ['a:2000', 'b:2000', 'c:2000', 'd:2000'].map(other.state);
  assert.deepEqual(states(), ['full', 'down', 'draining', 'unknown']);
  assert.deepEqual(
    other.transitions.map(({ id, from, to, first, failure }) => [id, from, to, first, failure?.code]),
    [
      ['c:2000', 'unknown', 'draining', undefined, undefined],
      ['a:2000', 'unknown', 'full', true, undefined],
      ['b:2000', 'unknown', 'down', undefined, 'refused'],
    ],
  );
  assert.equal(other.poller.facts('c:2000')?.load, 20);
  // The first round is over when the last one is known, too.
  let isOver = false;
  void other.poller.firstRound().then(() => (isOver = true));
  other.poller.report('d:2000', SAMPLE, other.clock.now());
  await other.clock.advance(0);
  assert.ok(isOver);
  await Promise.all([one.poller.stop(), other.poller.stop()]);
});
