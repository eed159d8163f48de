import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from './request-types.ts';
import { ANSWERS, Client, from, PROJECT, start } from '../../test/support/admission-scene.ts';
import { MAX_PROJECT_URL } from '../core/fleet/project.ts';

test('a request gets the URL of the least loaded server, and the next one counts it', async () => {
  const { requests, queue } = start({ 'a:2000': 20, 'b:2000': 25 });
  const urls: (string | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const outcome = await requests.request(from());
    urls.push(outcome.kind === 'allocated' ? outcome.url : undefined);
  }
  assert.deepEqual(urls, ['wss://a:2000', 'wss://b:2000', 'wss://a:2000']);
  await queue.stop();
});

test('thirty at once on three idle servers are ten, ten and ten', async () => {
  const { requests, queue } = start({ 'a:2000': 0, 'b:2000': 0, 'c:2000': 0 });
  const outcomes = await Promise.all(Array.from({ length: 30 }, () => requests.request(from())));
  const counts = new Map<string, number>();
  for (const outcome of outcomes)
    if (outcome.kind === 'allocated') counts.set(outcome.server, (counts.get(outcome.server) ?? 0) + 1);
  assert.deepEqual([...counts.values()], [10, 10, 10]);
  await queue.stop();
});

test('a project URL that cannot be read is recorded as it was sent, but for its query, and without reasons of servers for another request', async () => {
  const { requests, queue, decisions } = start({ 'a:2000': 20 });
  for (const [projectUrl, shown] of [
    ['https://webots.cloud/run?url=x', 'https://webots.cloud/run?…'],
    ['https://github.com/a/b/blob/main/worlds/my world.wbt', 'https://github.com/a/b/blob/main/worlds/my world.wbt'],
    ['<b>', '<b>'],
  ] as const) {
    await requests.request({ ...from(), projectUrl });
    const [decision] = decisions.last();
    assert.deepEqual([decision?.kind, decision?.project, decision?.others], ['refused', shown, []]);
  }
  await requests.request({ ...from(), projectUrl: `https://github.com/${'\u{1f916}'.repeat(5000)}` });
  const project = decisions.last()[0]?.project ?? '';
  assert.match(project, /^https:\/\/github\.com\/\u{1f916}{100,}…$/u, 'cut between two characters');
  assert.ok(project.length <= MAX_PROJECT_URL, `${project.length} characters`);
  await requests.request({ ...from(), projectUrl: PROJECT });
  assert.deepEqual(decisions.last()[0]?.others, ANSWERS);
  await queue.stop();
});

test('the log names permanently refused clients and their projects, but not those for whom there is no room now', async () => {
  const { requests, queue, log, decisions } = start({ 'a:2000': 97 });
  await requests.request({ ...from('192.0.2.7'), projectUrl: 'http://github.com/a/b' });
  await requests.request({ ...from('192.0.2.8'), projectUrl: PROJECT });
  const refusals = log.lines.filter(({ message }) => message.includes('refused'));
  assert.equal(refusals.length, 1);
  assert.match(refusals[0]?.message ?? '', /^192\.0\.2\.7 is refused a session: The project URL must begin with https:/);
  const { id } = decisions.last()[1] ?? {};
  assert.deepEqual(refusals[0]?.fields, { id, code: 'project-scheme', project: 'http://github.com/a/b' });
  await queue.stop();
});

test('a project that can never run is refused before anything is waited for: no booking, no line, no turn of the loop', async () => {
  const { queue, line, attempts } = start({ 'a:2000': 20 }, { rules: { allowedRepositories: ['github.com/other'] } });
  const client = new Client();
  const waiting = queue.wait({ ...from(), projectUrl: PROJECT }, client);
  assert.equal(client.outcome?.kind === 'refused' && client.outcome.code, 'no-server-allows-repository');
  assert.deepEqual([attempts(), line.length], [0, 0]);
  await waiting;
  await queue.stop();
});

test('a request that does not wait does not overtake those in line', async () => {
  const { requests, queue, clock, ledger, router } = start({ 'a:2000': 97 });
  const client = new Client();
  await queue.wait(from(), client);
  await clock.advance(20);
  ledger.report('a:2000', 75, clock.now());
  router.update({ id: 'a:2000', state: 'available', load: 75, shareIdleTime: 0, labels: {} });
  assert.equal((await requests.request(from())).kind, 'refused');
  await clock.advance(1);
  assert.equal(client.outcome?.kind, 'allocated');
  await queue.stop();
});

test('room that appears by time alone goes to a waiting client before a new request for another project', async () => {
  const { requests, queue, clock, report, line } = start({ 'a:2000': 0 }, { maxSessions: 1 });
  await clock.advance(0.5);
  assert.equal((await requests.request(from())).kind, 'allocated');
  await clock.advance(0.1);
  const head = new Client();
  await queue.wait(from(), head);
  await clock.advance(1499);
  report('a:2000', 0);
  await clock.advance(0.95);
  assert.equal(head.outcome, undefined);
  const newcomer = await requests.request({ ...from(), projectUrl: PROJECT });
  assert.equal(head.url, 'wss://a:2000');
  assert.equal(newcomer.kind, 'refused');
  assert.equal(line.length, 0);
  await queue.stop();
});

test('an address with many unused places is refused, and clients that wait behind it are served', async () => {
  const loads = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`s${i}:2000`, 0]));
  const { requests, queue, ledger, clock } = start(loads);
  const everywhere = { tiers: [Object.keys(loads)] };
  for (let i = 0; i < 40; i += 1) ledger.book({ id: '', address: '192.0.2.1' }, everywhere, clock.now());
  const refused = await requests.request({ ...from('192.0.2.1'), counted: true });
  assert.ok(refused.kind === 'refused' && refused.code === 'too-many-requests' && refused.retryAfter === 10);
  const greedy = new Client();
  await queue.wait({ ...from('192.0.2.1'), counted: true }, greedy);
  assert.deepEqual(greedy.places, [1], 'it may wait');
  assert.equal((await requests.request(from('192.0.2.2'))).kind, 'allocated');
  const patient = new Client();
  await queue.wait(from('192.0.2.3'), patient);
  assert.equal(patient.outcome?.kind, 'allocated');
  await clock.advance(61);
  assert.equal(greedy.outcome?.kind, 'allocated', 'unused places of more than a minute ago no longer count');
  greedy.leave();
  patient.leave();
  await queue.stop();
});

test('a decision says of a server for one repository that it had the most room of those', async () => {
  const { requests, queue, decisions } = start({ 'a:2000': 20 }, { rules: { allowedRepositories: ['github.com/school'] } });
  await requests.request({ ...from(), projectUrl: PROJECT });
  assert.equal(
    decisions.last()[0]?.reason,
    'a:2000 had the most room of the servers dedicated to this repository: load 20%, with this session 28%.',
  );
  await queue.stop();
});

test('three hundred students behind one address all get a place while the fleet is nearly idle', async () => {
  const loads = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`s${i}:2000`, 0]));
  const { requests, queue, ledger } = start(loads, { mostWaitingOfOne: 1 });
  for (let i = 0; i < 300; i += 1) assert.equal((await requests.request(from('192.0.2.1'))).kind, 'allocated');
  for (const id of Object.keys(loads)) ledger.report(id, 97, 1);
  const refused = await requests.request(from('192.0.2.1'));
  assert.ok(refused.kind === 'refused' && refused.code === 'too-many-requests', 'there is no room');
  await queue.stop();
});

test('a limit of the rate bites while others wait, and for a project that no server may run', async () => {
  const { requests, queue, report } = start({ 'a:2000': 97 }, { rules: { allowedRepositories: ['github.com/school'] } });
  const bad = { ...from('192.0.2.1'), projectUrl: 'https://github.com/other/robots' };
  for (let i = 0; i < 5; i += 1) assert.notEqual((await requests.request(bad)).kind, 'allocated');
  report('a:2000', 10);
  const flood = await requests.request(bad);
  assert.ok(flood.kind === 'refused' && flood.code === 'too-many-requests');
  const other = new Client();
  report('a:2000', 97);
  await queue.wait({ ...from('192.0.2.2'), projectUrl: PROJECT }, other);
  report('a:2000', 10);
  const waiting = await requests.request({ ...from('192.0.2.1'), projectUrl: PROJECT });
  assert.ok(waiting.kind === 'refused' && waiting.code === 'too-many-requests');
  other.leave();
  await queue.stop();
});

test('one address may ask in a burst, then once a second; others and this machine are not touched', async () => {
  const { requests, queue, clock } = start({ 'a:2000': 97 });
  for (let i = 0; i < 5; i += 1) await requests.request(from('192.0.2.1'));
  const refused = await requests.request(from('192.0.2.1'));
  assert.ok(refused.kind === 'refused' && refused.code === 'too-many-requests' && refused.retryAfter === 1);
  const codeOf = (outcome: Outcome) => (outcome.kind === 'refused' ? outcome.code : outcome.kind);
  assert.equal(codeOf(await requests.request(from('192.0.2.2'))), 'no-room');
  for (let i = 0; i < 20; i += 1) assert.equal(codeOf(await requests.request(from())), 'no-room');
  await clock.advance(1);
  const outcome = await requests.request(from('192.0.2.1'));
  assert.ok(outcome.kind === 'allocated' || outcome.code === 'no-room');
  await queue.stop();
});

test('in a flood, one refusal per minute and address is recorded, and all are counted', async () => {
  const { requests, queue, clock, decisions } = start({ 'a:2000': 97 });
  const noted = () => decisions.last().filter(({ code }) => code === 'too-many-requests');
  for (let i = 0; i < 40; i += 1) await requests.request({ ...from('192.0.2.1'), projectUrl: PROJECT });
  assert.equal(noted().length, 1);
  assert.equal(noted()[0]?.project, PROJECT);
  assert.equal(decisions.refusedLastHour(clock.now()), 40);
  for (let i = 0; i < 6; i += 1) await requests.request(from('192.0.2.2'));
  assert.equal(noted().length, 2, 'another address is another decision');
  await clock.advance(61);
  for (let i = 0; i < 70; i += 1) await requests.request(from('192.0.2.1'));
  assert.equal(noted().length, 3);
  await queue.stop();
});

test('a flood from many addresses leaves room for the refusals that operators look for', async () => {
  const { requests, queue, decisions } = start({ 'a:2000': 97 });
  for (let address = 0; address < 30; address += 1)
    for (let i = 0; i < 6; i += 1) await requests.request(from(`192.0.2.${address}`));
  assert.equal(decisions.last().filter(({ code }) => code === 'too-many-requests').length, 20);
  await queue.stop();
});
