/** What is shown to people and what a request then gets are computed in different places, and must agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Explanation } from '../../src/core/views/explanation.ts';
import { parseProject, type Project } from '../../src/core/fleet/project.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { startEdgelessApp } from '../support/edgeless-app.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settingsOf } from '../support/settings.ts';

const SERVERS = ['school:2000', 'shared:2000', 'small:2000'];
const PROJECTS = [undefined, 'https://github.com/school/robots', 'https://github.com/guest/robots'];
const simulationServers = [
  { address: 'school:2000', allowedRepositories: ['github.com/school'] },
  { address: 'shared:2000', allowedRepositories: ['github.com/school'], shareIdleTime: 50 },
  { address: 'small:2000', maxSessions: 2, blockedRepositories: ['github.com/guest'] },
];

/** A fleet of these on a fake clock, after its first polls. */
async function start(loads: readonly number[]) {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  for (const [i, id] of SERVERS.entries()) probe.behaviours.set(id, loads[i] ?? 0);
  let ids = 0;
  const surroundings = {
    ...{ clock, random: seededRandom(1), log: new MemoryLog(), version: 'tested' },
    names: createSharedLookup(),
    newId: () => `id-${(ids += 1)}`,
  };
  const { app, edge } = await startEdgelessApp(settingsOf({ simulationServers }), surroundings, {
    createProbe: () => probe,
    createStore: () => new MemoryStore(),
  });
  await clock.advance(2);
  const stop = async () => {
    const stopped = app.stop();
    await clock.advance(2);
    await stopped;
  };
  const ask = (project?: string) =>
    edge.requests.request({
      address: { address: '192.0.2.1', limitKey: undefined },
      ...(project !== undefined && { projectUrl: project }),
    });
  /** Sessions of the project cost so many times what others do. */
  const costs = (project: string, times: number) => {
    const { ledger } = edge;
    const known = ledger.save(clock.now(), 0);
    ledger.restore({ ...known, projects: [[projectOf(project)?.key ?? '', Math.log(times), 0.01]] }, clock.now(), 0);
  };
  /** What becomes of one who waits. */
  const waits = async (project: string | undefined, gone: AbortSignal) => {
    const settled: unknown[] = [];
    await edge.queue.wait(
      { address: { address: '192.0.2.2', limitKey: undefined }, ...(project !== undefined && { projectUrl: project }) },
      { gone, keepPlace: false, changed: () => undefined, settled: (outcome) => settled.push(outcome) },
    );
    return settled;
  };
  /** Other values for these keys of the configuration. */
  const reload = (file: Parameters<typeof settingsOf>[0]) => app.reload(settingsOf({ simulationServers, ...file }));
  return { ...edge, clock, probe, stop, ask, waits, costs, reload };
}

function codesOf({ answers }: Explanation): string[] {
  return answers.map(({ code }) => code);
}

function projectOf(url: string | undefined): Project | undefined {
  const parsed = url === undefined ? undefined : parseProject(url, { otherHosts: [] });
  assert.ok(parsed?.kind !== 'refused');
  return parsed?.project;
}

test('after any reports, hand-outs and releases, one server would get the session when there is room, else none, and reserved ones are marked', async () => {
  const server = fc.nat(SERVERS.length - 1);
  const act = fc.oneof(
    fc.record({ kind: fc.constant('asks' as const), project: fc.constantFrom(...PROJECTS) }),
    fc.record({ kind: fc.constant('reports' as const), server, load: fc.nat(100) }),
    fc.record({ kind: fc.constant('gives-back' as const), which: fc.nat(20) }),
    fc.record({ kind: fc.constant('waits' as const), project: fc.constantFrom(...PROJECTS) }),
    fc.record({ kind: fc.constant('time-passes' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(100), { minLength: 3, maxLength: 3 }),
      fc.array(act, { maxLength: 25 }),
      async (loads, acts) => {
        const { queue, prospects, monitorViews, clock, probe, stop, ask, waits, costs } = await start(loads);
        // Otherwise all waiting clients would be of one size, and no place would have to be reserved.
        costs(PROJECTS[1] ?? '', 4);
        const gone = new AbortController();
        const bookings: string[] = [];
        for (const done of acts) {
          if (done.kind === 'reports') {
            probe.behaviours.set(SERVERS[done.server] ?? '', done.load);
            await clock.advance(7);
          } else if (done.kind === 'asks') {
            const outcome = await ask(done.project);
            if (outcome.kind === 'allocated') bookings.push(outcome.bookingId);
          } else if (done.kind === 'waits') await waits(done.project, gone.signal);
          else if (done.kind === 'time-passes') await clock.advance(60);
          else {
            const [bookingId] = bookings.splice(done.which % (bookings.length + 1), 1);
            if (bookingId !== undefined) await queue.release(bookingId);
          }
          for (const url of PROJECTS) {
            const project = projectOf(url);
            const { summary, answers } = monitorViews.explain(project, undefined);
            const prospect = prospects.prospect(project).kind;
            const open = prospect === 'open';
            const told = `${url ?? 'no project'}: ${summary}`;
            assert.equal(
              answers.some(({ eligible }) => eligible),
              open,
              told,
            );
            assert.equal(answers.filter(({ chosen }) => chosen).length, open ? 1 : 0, told);
            if (!open)
              assert.equal(
                answers.some(({ code }) => code === 'kept'),
                prospect === 'others-wait',
                told,
              );
          }
        }
        gone.abort();
        await stop();
      },
    ),
    { numRuns: 60 },
  );
});

test('the server that is explained to come first is the one that a request then gets, though it was the fullest a moment ago', async () => {
  const { monitorViews, clock, probe, stop, ask } = await start([60, 100, 30]);
  probe.behaviours.set('school:2000', 10);
  await clock.advance(6.5);
  const { answers } = monitorViews.explain(undefined, undefined);
  assert.deepEqual(
    answers.map(({ code, chosen }) => [code, chosen]),
    [
      ['first', true],
      ['full', false],
      ['has-room', false],
    ],
  );
  assert.match(answers[0]?.reason ?? '', /\(18% with this session\)/);
  assert.match(answers[2]?.reason ?? '', /\(38% with this session\)/);
  const outcome = await ask();
  assert.ok(outcome.kind === 'allocated');
  assert.equal(outcome.server, 'school:2000');
  await stop();
});

test('guests take no more than the idle time that is shared, get the reason, and a place that is given back is free at once', async () => {
  const { queue, monitorViews, stop, ask } = await start([0, 30, 0]);
  const [, , guest = ''] = PROJECTS;
  const first = await ask(guest);
  assert.ok(first.kind === 'allocated');
  for (let i = 0; i < 2; i += 1) assert.equal((await ask(guest)).kind, 'allocated');
  const refused = await ask(guest);
  assert.ok(refused.kind === 'refused');
  assert.match(refused.reason, /one is too busy to share idle time/);
  const shared = monitorViews.explain(projectOf(guest), undefined).answers.find(({ id }) => id === 'shared:2000');
  assert.match(shared?.reason ?? '', /it is at 30%, and at 54% with the sessions just handed out\.$/);
  await queue.release(first.bookingId);
  assert.equal((await ask(guest)).kind, 'allocated');
  await stop();
});

test('guests get the idle time that a new cost of sessions leaves, from the moment that the configuration is read again', async () => {
  const { prospects, stop, ask, reload } = await start([100, 30, 100]);
  const [, , guest = ''] = PROJECTS;
  for (let i = 0; i < 3; i += 1) assert.equal((await ask(guest)).kind, 'allocated');
  assert.equal((await ask(guest)).kind, 'refused');
  await reload({ allocation: { ...settingsOf({}).allocation, cost: 4 } });
  assert.equal(prospects.prospect(projectOf(guest)).kind, 'open');
  await reload({ allocation: { ...settingsOf({}).allocation, cost: 8 } });
  assert.equal(prospects.prospect(projectOf(guest)).kind, 'no-room');
  await stop();
});

test('a server that a new threshold makes full is reported as full, and not as silent', async () => {
  const { monitorViews, stop, ask, reload } = await start([100, 100, 40]);
  await reload({ loadThreshold: 30 });
  const { answers } = monitorViews.explain(undefined, undefined);
  assert.deepEqual(
    answers.map(({ code }) => code),
    ['full', 'full', 'full'],
  );
  assert.match(answers[2]?.reason ?? '', /^It is at 40%/);
  const refused = await ask();
  assert.equal(refused.kind === 'refused' && refused.reason, '3 servers: three are at 40 to 100%');
  await stop();
});

test('while free capacity is reserved for a waiting client, the page says so and a new client gets the same answer', async () => {
  const heavy = 'https://github.com/school/robots';
  // None but the third server, where a session of usual cost fits and one of this project does not.
  const { monitorViews, clock, stop, ask, waits, costs } = await start([100, 100, 65]);
  costs(heavy, 5);
  assert.equal(monitorViews.fleet().open, true);
  const gone = new AbortController();
  const settled = await waits(heavy, gone.signal);
  await clock.advance(121);
  assert.deepEqual(settled, [], 'it waits');
  assert.deepEqual(codesOf(monitorViews.explain(undefined, undefined)), ['full', 'full', 'kept']);
  const { open, availability } = monitorViews.fleet();
  assert.equal(open, false);
  assert.equal(
    availability,
    'Free capacity is reserved for clients already waiting.',
    monitorViews.explain(undefined, undefined).summary,
  );
  const refused = await ask();
  assert.ok(refused.kind === 'refused' && refused.code === 'others-wait');
  gone.abort();
  await clock.advance(1);
  assert.equal(monitorViews.fleet().open, true);
  await stop();
});

test('a server that is reserved for a waiting client does not count as room and is not said to come first, before a hand-out and in its reasons', async () => {
  const { monitorViews, decisions, clock, stop, ask, waits, costs } = await start([60, 40, 80]);
  const [, , guest = ''] = PROJECTS;
  costs(guest, 7.5);
  assert.equal(monitorViews.fleet().places, 9);
  const gone = new AbortController();
  // Only on the server that shares its idle time, which has no room for so much.
  const settled = await waits(guest, gone.signal);
  await clock.advance(121);
  assert.deepEqual(settled, [], 'it waits');
  assert.deepEqual(codesOf(monitorViews.explain(undefined, undefined)), ['first', 'kept', 'has-room']);
  assert.equal(monitorViews.fleet().places, 4);
  const outcome = await ask();
  assert.equal(outcome.kind === 'allocated' && outcome.server, 'school:2000');
  assert.deepEqual(
    decisions.last()[0]?.others.map(({ id, code }) => [id, code]),
    [
      ['shared:2000', 'kept'],
      ['small:2000', 'has-room'],
    ],
  );
  gone.abort();
  await clock.advance(1);
  assert.deepEqual(codesOf(monitorViews.explain(undefined, undefined)), ['has-room', 'first', 'has-room']);
  await stop();
});

test('the reasons of a hand-out say where room is held for a class, but not to someone of the class', async () => {
  const { reservations, decisions, clock, stop, ask, requests } = await start([60, 62, 80]);
  const [, , guest = ''] = PROJECTS;
  const now = clock.wallTime();
  const made = await reservations.make(
    {
      ...{ title: 'Robots', code: 'ROBO1', match: 'code', project: guest, seats: 4 },
      ...{ start: now + 60, end: now + 3600, opens: 600, grace: 600 },
    },
    { name: 'ada' },
  );
  assert.equal(made.kind, 'done');
  const others = () => decisions.last()[0]?.others.map(({ id, code }) => `${id} ${code}`);
  assert.equal((await ask()).kind, 'allocated');
  assert.deepEqual(others(), ['shared:2000 held', 'small:2000 has-room']);
  await requests.request({ address: { address: '192.0.2.1', limitKey: undefined }, code: 'ROBO1' });
  assert.deepEqual(others(), ['school:2000 has-room', 'small:2000 has-room']);
  await stop();
});
