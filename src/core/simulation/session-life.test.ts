import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  acceptedLife,
  END_REASONS,
  RESOURCES,
  step,
  type Command,
  type LifeEvent,
  type LifeLimits,
  type SessionLife,
} from './session-life.ts';

const limits: LifeLimits = { startMessage: 10, fetch: 120, prepare: 600, load: 120, time: 7200 };

/** Feeds events to one session and keeps what it asked for. */
class Course {
  life: SessionLife;
  now = 100;
  readonly commands: Command[] = [];
  readonly limits: LifeLimits;

  constructor(more: Partial<LifeLimits> = {}) {
    this.limits = { ...limits, ...more };
    this.life = acceptedLife(this.now);
  }

  feed(...events: readonly LifeEvent[]): readonly Command[] {
    const before = this.commands.length;
    for (const event of events) {
      const { life, commands } = step(this.life, event, this.limits, this.now);
      this.life = life;
      this.commands.push(...commands);
    }
    return this.commands.slice(before);
  }

  /** To the moment when the simulator runs. */
  toSimulator(): this {
    this.feed({ kind: 'start' }, ...RESOURCES.map((resource): LifeEvent => ({ kind: 'created', resource })));
    return this;
  }

  toStreaming(): this {
    this.toSimulator().feed({ kind: 'loaded' }, { kind: 'reachable' });
    return this;
  }

  tick(seconds: number, watchers = 1): readonly Command[] {
    this.now += seconds;
    return this.feed({ kind: 'tick', watchers });
  }

  get created(): string[] {
    return this.commands.flatMap((command) => (command.kind === 'create' ? [command.resource] : []));
  }
}

test('a session creates its resources in order and then says where it streams', () => {
  const course = new Course();
  course.toSimulator();
  assert.deepEqual(course.created, [...RESOURCES]);
  assert.equal(course.life.phase, 'starting');
  assert.deepEqual(course.feed({ kind: 'loaded' }), []);
  assert.deepEqual(course.feed({ kind: 'reachable' }), [{ kind: 'announce' }]);
  assert.equal(course.life.phase, 'streaming');
});

test('the address is announced once, even if the simulator reports it twice', () => {
  const course = new Course().toStreaming();
  assert.deepEqual(course.feed({ kind: 'loaded' }, { kind: 'reachable' }), []);
});

test('a simulator that reports before it counts as created is announced when it is', () => {
  const course = new Course();
  course.feed(
    { kind: 'start' },
    ...(['port', 'checkout', 'workspace'] as const).map((resource): LifeEvent => ({ kind: 'created', resource })),
  );
  assert.deepEqual(course.feed({ kind: 'loaded' }, { kind: 'reachable' }), []);
  assert.deepEqual(
    course.feed({ kind: 'created', resource: 'simulator' }).map(({ kind }) => kind),
    ['shutdown', 'progress', 'announce'],
  );
});

test('a client that leaves undoes everything in reverse, each when the one after it is gone', () => {
  const course = new Course().toStreaming();
  const ended = course.feed({ kind: 'left' });
  assert.deepEqual(ended, [
    { kind: 'close', ending: { reason: 'client-left', code: 1000 } },
    { kind: 'undo', resource: 'simulator' },
  ]);
  for (const [gone, next] of [
    ['simulator', 'workspace'],
    ['workspace', 'checkout'],
    ['checkout', 'port'],
  ] as const)
    assert.deepEqual(course.feed({ kind: 'gone', resource: gone }), [{ kind: 'undo', resource: next }]);
  assert.deepEqual(
    course.feed({ kind: 'gone', resource: 'port' }).map(({ kind }) => kind),
    ['forget'],
  );
  assert.equal(course.life.phase, 'gone');
});

test('a second start message is answered and changes nothing', () => {
  const course = new Course();
  course.feed({ kind: 'start' });
  const { life } = course;
  assert.deepEqual(course.feed({ kind: 'start' }), [{ kind: 'already-started' }]);
  assert.equal(course.life, life);
});

test('each phase has its time', () => {
  for (const [events, seconds, reason, code] of [
    [[], 10, 'refused', 1008],
    [[{ kind: 'start' }], 120, 'fetch', 1013],
    [[{ kind: 'start' }, { kind: 'created', resource: 'port' }, { kind: 'created', resource: 'checkout' }], 600, 'prepare', 1013],
  ] as const satisfies readonly (readonly [readonly LifeEvent[], number, string, number])[]) {
    const course = new Course();
    course.feed(...events);
    assert.deepEqual(course.tick(seconds - 1), []);
    course.tick(1);
    assert.equal(course.life.ending?.reason, reason);
    assert.equal(course.life.ending.code, code);
  }
});

test('waiting for a port does not restart the time of the fetch', () => {
  const course = new Course();
  course.feed({ kind: 'start' });
  course.tick(100);
  course.feed({ kind: 'created', resource: 'port' });
  course.tick(20);
  assert.equal(course.life.ending?.reason, 'fetch');
});

test('the time of a session counts from the start of the simulator', () => {
  const course = new Course({ time: 400 });
  course.feed({ kind: 'start' });
  course.tick(50);
  for (const resource of RESOURCES) course.feed({ kind: 'created', resource });
  assert.ok(
    course.commands.some((command) => command.kind === 'shutdown' && command.seconds === 400),
    'the client receives 400 s',
  );
  course.feed({ kind: 'loaded' }, { kind: 'reachable' });
  assert.deepEqual(course.tick(399), []);
  course.tick(1);
  assert.equal(course.life.ending?.reason, 'time');
});

test('a drain announces the new end to the client, never a later one than before', () => {
  const course = new Course({ time: 1000 }).toStreaming();
  assert.deepEqual(course.feed({ kind: 'drain', seconds: 300 }), [{ kind: 'shutdown', seconds: 300 }]);
  assert.deepEqual(course.feed({ kind: 'drain', seconds: 600 }), []);
  course.tick(300);
  assert.equal(course.life.ending?.reason, 'drained');
});

test('a paused simulation without viewers ends when the operator configured it', () => {
  const course = new Course({ idle: 60 }).toStreaming();
  course.feed({ kind: 'busy', busy: true });
  assert.deepEqual(course.tick(100, 0), []);
  course.feed({ kind: 'busy', busy: false });
  assert.deepEqual(course.tick(59, 0), []);
  assert.deepEqual(course.tick(10, 1), []);
  course.tick(0, 0);
  assert.equal(course.life.ending?.reason, 'idle');
});

test('the end of the simulator is described by when and how it came', () => {
  const exit = (status: number | string, outOfMemory = false): LifeEvent => ({ kind: 'exited', exit: { status, outOfMemory } });
  for (const [course, event, reason, code] of [
    [new Course().toSimulator(), exit(0), 'did-not-start', 1011],
    [new Course().toStreaming(), exit(0), 'simulator-ended', 1000],
    [new Course().toStreaming(), exit('SIGSEGV'), 'crashed', 1011],
    [new Course().toStreaming(), exit('SIGKILL', true), 'memory', 1011],
  ] as const) {
    course.feed(event);
    assert.deepEqual([course.life.ending?.reason, course.life.ending?.code], [reason, code]);
  }
});

test('a resource that cannot be removed is tried again indefinitely and reported once', () => {
  const course = new Course().toStreaming();
  course.feed({ kind: 'left' }, { kind: 'undo-failed', resource: 'simulator' });
  let retries = 0;
  let told = 0;
  for (let second = 0; second < 100; second += 1)
    for (const command of course.tick(1)) {
      if (command.kind === 'undo') {
        retries += 1;
        course.feed({ kind: 'undo-failed', resource: 'simulator' });
      }
      if (command.kind === 'report-stuck') told += 1;
    }
  assert.ok(retries >= 30, `${retries} retries`);
  assert.equal(told, 1);
});

const anyEvent: fc.Arbitrary<LifeEvent> = fc.oneof(
  fc.constantFrom<LifeEvent>({ kind: 'start' }, { kind: 'loaded' }, { kind: 'reachable' }, { kind: 'left' }, { kind: 'stop' }),
  fc.record({ kind: fc.constant('created' as const), resource: fc.constantFrom(...RESOURCES) }),
  fc.record({ kind: fc.constant('gone' as const), resource: fc.constantFrom(...RESOURCES) }),
  fc.record({ kind: fc.constant('undo-failed' as const), resource: fc.constantFrom(...RESOURCES) }),
  fc.record({
    kind: fc.constant('failed' as const),
    resource: fc.constantFrom(...RESOURCES),
    ending: fc.record({ reason: fc.constantFrom(...END_REASONS), code: fc.constantFrom(1008 as const, 1013 as const) }),
  }),
  fc.record({ kind: fc.constant('busy' as const), busy: fc.boolean() }),
  fc.record({
    kind: fc.constant('exited' as const),
    exit: fc.record({ status: fc.constantFrom(0, 1, 'SIGKILL'), outOfMemory: fc.boolean() }),
  }),
  fc.record({ kind: fc.constant('drain' as const), seconds: fc.nat(500) }),
  fc.record({ kind: fc.constant('tick' as const), watchers: fc.nat(2) }),
);

test('whatever happens, a session ends once, with one reason, and undoes each resource that it created', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.nat(200)), { maxLength: 60 }), (events) => {
      const course = new Course({ idle: 300 });
      const open: string[] = [];
      const follow = (commands: readonly Command[]) => {
        for (const command of commands) {
          if (command.kind === 'create') open.push(command.resource);
          if (command.kind === 'undo') assert.equal(command.resource, open.at(-1), 'only the youngest resource is undone');
        }
      };
      for (const [event, seconds] of events) {
        course.now += seconds;
        // What is gone has been undone, as the engine sees to it.
        if (event.kind === 'gone' && (course.life.phase !== 'ending' || event.resource !== course.life.resources.at(-1)))
          assert.deepEqual(course.feed(event), []);
        else {
          if (event.kind === 'gone') open.pop();
          follow(course.feed(event));
        }
        assert.deepEqual(course.life.resources, open, 'the list is what was created and is not gone');
      }
      follow(course.feed({ kind: 'stop' }));
      while (open.length > 0) {
        const resource = open.pop() as (typeof RESOURCES)[number];
        follow(course.feed({ kind: 'gone', resource }));
      }
      assert.equal(course.life.phase, 'gone');
      for (const kind of ['close', 'forget'] as const)
        assert.equal(course.commands.filter((command) => command.kind === kind).length, 1, kind);
      assert.ok(course.commands.filter(({ kind }) => kind === 'announce').length <= 1, 'announced at most once');
      assert.deepEqual(course.feed({ kind: 'start' }, { kind: 'left' }, { kind: 'tick', watchers: 0 }), []);
    }),
    { numRuns: 1000 },
  );
});
