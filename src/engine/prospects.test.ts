import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, from, HEAVY, learnHeavy, PROJECT, start } from '../../test/support/admission-scene.ts';

test('when no server has room, the refusal says why, and availability is false', async () => {
  const { requests, queue, prospects, decisions } = start({ 'a:2000': 97 });
  assert.equal(prospects.availability.value, false);
  assert.deepEqual(await requests.request(from()), { kind: 'refused', code: 'no-room', reason: '2 servers: both are at 97%' });
  assert.equal(decisions.last()[0]?.code, 'no-room');
  await queue.stop();
});

test('a client that is held back because others wait is sent that reason, and not a lack of room', async () => {
  const { requests, queue, prospects, clock, ledger, report, decisions } = start({ 'a:2000': 97 });
  learnHeavy(ledger, clock);
  await queue.wait({ ...from(), projectUrl: HEAVY }, new Client());
  await clock.advance(130);
  report('a:2000', 70);
  await clock.advance(20);
  report('a:2000', 70);
  assert.equal(prospects.availability.value, false);
  const reason = 'Free capacity is reserved for a client already waiting; take a place in line, or try again in a moment.';
  assert.deepEqual(await requests.request(from()), { kind: 'refused', code: 'others-wait', reason });
  assert.equal(decisions.last()[0]?.code, 'others-wait');
  assert.deepEqual(prospects.prospect(), { kind: 'others-wait', reason });
  await queue.stop();
});

test('a client that waits for one server closes no others, however long it takes', async () => {
  const { requests, queue, prospects, clock, report } = start({ 'a:2000': 85, 'b:2000': 5 });
  const school = { allowedRepositories: ['github.com/school'] };
  const others = { blockedRepositories: ['github.com/school'] };
  const reportAll = () => {
    report('a:2000', 85, school);
    report('b:2000', 5, others);
  };
  reportAll();
  const student = new Client();
  await queue.wait({ ...from(), projectUrl: PROJECT }, student);
  await clock.advance(130);
  reportAll();
  assert.deepEqual(student.places, [1]);
  assert.equal(prospects.availability.value, true);
  assert.deepEqual(prospects.prospect(), { kind: 'open' });
  const outcome = await requests.request(from());
  assert.equal(outcome.kind === 'allocated' && outcome.server, 'b:2000');
  const waiter = new Client();
  await queue.wait(from(), waiter);
  assert.equal(waiter.url, 'wss://b:2000');
  await queue.stop();
});

test('availability lasts while any server has room, and ends with the last', async () => {
  const { queue, prospects, report, router } = start({ 'a:2000': 20, 'b:2000': 20, 'c:2000': 20 });
  assert.equal(prospects.availability.value, true);
  report('a:2000', 94);
  assert.equal(prospects.availability.value, true);
  router.update({ id: 'b:2000', state: 'down', shareIdleTime: 0, labels: {} });
  queue.refresh();
  assert.equal(prospects.availability.value, true);
  router.remove('c:2000');
  queue.refresh();
  assert.equal(prospects.availability.value, false);
  report('b:2000', 20);
  assert.equal(prospects.availability.value, true);
  await queue.stop();
});
