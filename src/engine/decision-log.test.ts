import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { AnswerView } from '../core/views/monitor-view.ts';
import { parseProject, type Project } from '../core/fleet/project.ts';
import { Decisions } from './decisions.ts';
import { DecisionLog } from './decision-log.ts';

const HEAVY = projectOf('https://github.com/school/heavy');

function projectOf(url: string): Project {
  const read = parseProject(url);
  assert.ok(read.kind === 'project');
  return read.project;
}

function start(servers: number) {
  const clock = new FakeClock();
  const decisions = new Decisions();
  let walks = 0;
  const answers = Array.from({ length: servers }, (_, index): AnswerView => {
    const id = `host${index}:2000`;
    return { id, address: id, chosen: index === 0, eligible: true, code: 'has-room', reason: 'It could take the session.' };
  });
  const reasons = new DecisionLog({
    ...{ clock, decisions, endpoint: () => undefined },
    costOf: (project) => (project?.key === HEAVY.key ? 40 : 8),
    explain: (project) => {
      walks += 1;
      return { summary: `${servers} servers for ${project?.repository ?? 'anything'}`, answers };
    },
  });
  const record = () => {
    const request = { address: { address: '192.0.2.1', limitKey: undefined } };
    const candidates = { tiers: [answers.map(({ id }) => id)] };
    const handOut = { server: 'host0:2000', candidates, unreserved: candidates, hasSeat: false };
    const asked = { id: 'a', request, project: undefined, handOut };
    reasons.record({ ...asked, kind: 'allocated', code: 'allocated', reason: 'It had the most room.', waited: 0 });
    return decisions.last()[0];
  };
  const noRoom = (project?: Project) => {
    const request = { address: { address: '192.0.2.1', limitKey: undefined } };
    return reasons.noRoom({ id: 'a', request, project, routeKey: '*' });
  };
  return { clock, record, noRoom, walks: () => walks };
}

test('a decision has the answers of the other servers, of a large fleet the first ones and how many were left out', () => {
  const { record } = start(100);
  const decision = record();
  assert.equal(decision?.others.length, 24);
  assert.equal(decision.omitted, 75);
  assert.ok(!decision.others.some(({ id }) => id === 'host0:2000'));
});

test('all decisions of a class are explained, and in a flood five a second', async () => {
  const { clock, record, walks } = start(3);
  for (let i = 0; i < 200; i += 1) record();
  assert.equal(walks(), 100);
  assert.deepEqual(record()?.others, []);
  await clock.advance(1);
  for (let i = 0; i < 200; i += 1) record();
  assert.equal(walks(), 105);
});

test('the larger the fleet, the fewer decisions are explained, but one every few seconds always is', async () => {
  const { clock, record, walks } = start(10_000);
  for (let second = 0; second < 60; second += 1) {
    for (let i = 0; i < 20; i += 1) record();
    await clock.advance(1);
  }
  assert.ok(walks() >= 10 && walks() <= 15, `${walks()} walks over the fleet in a minute`);
});

test('the sentence about no room is shared only by requests whose sessions cost the same', () => {
  const { noRoom, walks } = start(3);
  const light = noRoom(projectOf('https://github.com/school/light'));
  for (let i = 0; i < 50; i += 1) assert.equal(noRoom(projectOf(`https://github.com/student${i}/homework`)), light);
  assert.equal(walks(), 1);
  assert.equal(noRoom(HEAVY), '3 servers for github.com/school/heavy');
  assert.equal(walks(), 2);
});
