import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointOf } from '../../../test/support/endpoints.ts';
import {
  apply,
  fleetLoads,
  meanLoad,
  newServer,
  stateOf,
  type FleetEvent,
  type FleetRules,
  type ServerFacts,
  type ServerState,
  type Transition,
} from './fleet.ts';

const rules: FleetRules = { loadThreshold: 95, target: 90, recent: 15, downAfter: 2 };
const failure = { code: 'timeout', reason: 'it did not answer within 4 s' };
const sample = (load: number): FleetEvent => ({ kind: 'sampled', load, latency: 0.01 });
const failed: FleetEvent = { kind: 'failed', failure };
const drained: FleetEvent = { kind: 'drained', drain: { since: 0, by: 'anna' } };
const resumed: FleetEvent = { kind: 'resumed' };

function play(events: readonly (FleetEvent | [at: number, event: FleetEvent])[]): {
  facts: ServerFacts;
  state: ServerState;
  transitions: Transition[];
} {
  let facts = newServer(endpointOf('host:2000'), 0);
  const transitions: Transition[] = [];
  events.forEach((entry, index) => {
    const [at, event] = Array.isArray(entry) ? entry : [index + 1, entry];
    const applied = apply(facts, event, at, rules);
    facts = applied.facts;
    if (applied.transition) transitions.push(applied.transition);
  });
  return { facts, state: stateOf(facts, rules), transitions };
}

/** The shortest way into each state. */
const into: Readonly<Record<ServerState, FleetEvent[]>> = {
  unknown: [],
  available: [sample(10)],
  full: [sample(96)],
  draining: [sample(10), drained],
  down: [failed, failed],
};

const next: Readonly<Record<ServerState, Readonly<Record<string, ServerState>>>> = {
  unknown: { idle: 'available', busy: 'full', failed: 'unknown', drained: 'draining', resumed: 'unknown' },
  available: { idle: 'available', busy: 'full', failed: 'unknown', drained: 'draining', resumed: 'available' },
  full: { idle: 'full', busy: 'full', failed: 'unknown', drained: 'draining', resumed: 'full' },
  draining: { idle: 'draining', busy: 'draining', failed: 'draining', drained: 'draining', resumed: 'available' },
  down: { idle: 'available', busy: 'full', failed: 'down', drained: 'down', resumed: 'down' },
};
const events: Readonly<Record<string, FleetEvent>> = { idle: sample(10), busy: sample(95), failed, drained, resumed };

for (const [state, path] of Object.entries(into)) {
  for (const [name, event] of Object.entries(events)) {
    const expected = next[state as ServerState][name];
    test(`${state}, then ${name}: ${expected}`, () => {
      assert.equal(play(path).state, state);
      assert.equal(play([...path, event]).state, expected);
    });
  }
}

test('one failed probe takes a server out without calling it down, and one answer brings it back', () => {
  assert.deepEqual(
    play([sample(10), failed, sample(12)]).transitions.map(({ from, to }) => [from, to]),
    [
      ['unknown', 'available'],
      ['available', 'unknown'],
      ['unknown', 'available'],
    ],
  );
});

test('a full server is available again once the reports of the last 15 s leave room', () => {
  const full: [number, FleetEvent][] = [
    [0, sample(97)],
    [5, sample(80)],
    [10, sample(92)],
    [15, sample(80)],
    [20, sample(80)],
  ];
  assert.equal(play(full).state, 'full');
  assert.equal(play([...full, [25, sample(80)]]).state, 'available');
});

test('a threshold below the target is the one that counts', () => {
  let facts = newServer(endpointOf('host:2000'), 0);
  const strict = { ...rules, loadThreshold: 50 };
  for (const [at, load] of [
    [0, 60],
    [20, 55],
    [40, 45],
  ] as const)
    facts = apply(facts, sample(load), at, strict).facts;
  assert.equal(stateOf(facts, strict), 'available');
});

test('the failure of a drained server is a transition, and it is still drained when it comes back', () => {
  assert.equal(play([sample(10), drained, failed, failed]).state, 'down');
  assert.equal(play([sample(10), drained, failed, failed, sample(10)]).state, 'draining');
});

test('the loads of the fleet are those of the servers that answer', () => {
  const [low, high, silent] = [play([sample(10)]).facts, play([sample(30)]).facts, play([sample(90), failed]).facts];
  const booked = () => 6;
  assert.deepEqual(fleetLoads([low, silent, high], booked), { least: 10, mean: 20, most: 30, booked: 6 });
  assert.equal(fleetLoads([silent], booked), undefined);
});

test('the mean counts the servers that answer', () => {
  const answering = play([sample(30)]).facts;
  const silent = play([sample(90), failed]).facts;
  const unheard = play([]).facts;
  assert.equal(meanLoad([answering, silent, unheard, play([sample(10)]).facts]), 20);
  assert.equal(meanLoad([silent, unheard]), undefined);
});

test('the mean of loads beyond all measure is still a number', () => {
  const absurd = play([sample(Number.MAX_VALUE)]).facts;
  const mean = meanLoad([absurd, absurd, absurd]);
  assert.ok(mean !== undefined && Number.isFinite(mean) && mean > 1e300, String(mean));
});

const anyEvent: fc.Arbitrary<FleetEvent> = fc.oneof(
  fc.double({ min: 0, max: 150, noNaN: true }).map(sample),
  fc.constantFrom(failed, drained, resumed),
);

test('whatever happens, transitions join up, and a server is available only after a good answer below the threshold', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 100 }), (sequence) => {
      const { transitions } = play(sequence);
      let state: ServerState = 'unknown';
      for (const { from, to } of transitions) {
        assert.equal(from, state);
        assert.notEqual(from, to);
        state = to;
      }
      const facts = play(sequence).facts;
      if (stateOf(facts, rules) === 'available')
        assert.ok(
          facts.failures === 0 && facts.load !== undefined && facts.load < rules.loadThreshold && facts.drain === undefined,
        );
    }),
  );
});

test('a drained server is never stuck: resumed and answering with room for a while, it is available', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 50 }), (sequence) => {
      const timed = [...sequence, resumed].map((event, index): [number, FleetEvent] => [index, event]);
      assert.equal(play([...timed, [100, sample(10)], [120, sample(10)]]).state, 'available');
    }),
  );
});

test('a server that reports load only is not offered until its WebSocket opens, and then counts as new', () => {
  const loadOnly: FleetEvent = { kind: 'sampled', load: 10, latency: 0.01, loadOnly: 'it reports load only' };
  assert.equal(play([loadOnly]).state, 'unknown');
  assert.equal(play([loadOnly]).facts.load, 10);
  assert.equal(play([sample(10), failed, loadOnly]).state, 'unknown');
  const { state, transitions } = play([loadOnly, sample(10)]);
  assert.equal(state, 'available');
  assert.deepEqual(
    transitions.map(({ to, first }) => [to, first]),
    [['available', true]],
  );
});
