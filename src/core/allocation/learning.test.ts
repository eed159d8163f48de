import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Account } from './account.ts';
import { DEFAULT_ALLOCATION, type AllocationParameters } from './allocation-parameters.ts';
import { Costs, type Evidence } from './cost.ts';
import { closeWindow } from './learning.ts';

/** A server that reported `load` at second 100 and was sent `sessions` of 8 points each at second 102. */
function accountWith(load: number, sessions: number, project?: string): { account: Account; costs: Costs } {
  const account = new Account('a', 1);
  const costs = new Costs(8);
  account.report(load, 100, DEFAULT_ALLOCATION);
  for (let i = 0; i < sessions; i++) send(account, 102, project);
  return { account, costs };
}

function send(account: Account, at: number, project?: string): void {
  account.book({ id: `${at}`, server: 'a', at, request: '', project, returned: false }, 8, at);
}

/** Reports `load` every five seconds until the window closes, or until `until`. */
function watch(
  { account, costs }: { account: Account; costs: Costs },
  load: number,
  until = 400,
  parameters: AllocationParameters = DEFAULT_ALLOCATION,
): { evidence: Evidence | undefined; at: number } {
  let at = 100;
  while (account.window !== undefined && at < until) {
    at += 5;
    account.report(load, at, parameters);
    const evidence = closeWindow(account, costs, parameters);
    if (evidence !== undefined) return { evidence, at };
  }
  return { evidence: undefined, at };
}

test('a window opens with an allocation, and its baseline is the last report before it', () => {
  const { account } = accountWith(20, 1);
  assert.deepEqual(account.window, { start: 100, load: 20, gone: 0 });
  account.report(35, 105, DEFAULT_ALLOCATION);
  send(account, 106);
  assert.equal(account.window.start, 100, 'the next allocation joins it');
});

test('without an allocation there is nothing to learn', () => {
  const setup = accountWith(20, 0);
  assert.equal(setup.account.window, undefined);
  assert.equal(closeWindow(setup.account, setup.costs, DEFAULT_ALLOCATION), undefined);
});

test('a server of which nothing was heard opens no window', () => {
  const account = new Account('a', 1);
  send(account, 102);
  assert.equal(account.window, undefined);
});

test('a window closes after ninety seconds, or sooner when most of its sessions should be visible', () => {
  assert.equal(watch(accountWith(0, 4), 24).at, 190);
  const quick = { ...DEFAULT_ALLOCATION, learnSettle: [5, 20] as const };
  assert.equal(watch(accountWith(0, 4), 24, 400, quick).at, 145);
});

test('load as expected is no surprise, less is a negative one, more a positive one', () => {
  // 88 s after the allocation 83/115 of the sessions should show, and some load has left again.
  const expected = (4 * 8 * 83) / 115;
  for (const [load, sign] of [
    [expected - 1, 0],
    [8, -1],
    [40, 1],
  ] as const) {
    const { evidence } = watch(accountWith(0, 4, 'p'), load);
    assert.ok(evidence);
    assert.ok(Math.abs((evidence.expected.get('p') ?? 0) - expected) < 1e-9);
    assert.equal(Math.abs(evidence.surprise) < 0.5 ? 0 : Math.sign(evidence.surprise), sign, `${load}: ${evidence.surprise}`);
  }
});

test('load that leaves by itself is not held against the sessions that came', () => {
  // At 60 % for 90 s, 3.6 points should have left.
  const { evidence } = watch(accountWith(60, 2), 60);
  const came = [...(evidence?.expected.values() ?? [])].reduce((a, b) => a + b, 0);
  assert.ok(Math.abs((evidence?.surprise ?? NaN) - (3.6 - came)) < 1e-9);
});

test('what each project should have brought is told apart', () => {
  const setup = accountWith(10, 2, 'small');
  send(setup.account, 110, 'big');
  send(setup.account, 110);
  const { evidence } = watch(setup, 30);
  assert.deepEqual(new Set(evidence?.expected.keys()), new Set([undefined, 'big', 'small']));
  assert.ok((evidence?.expected.get('small') ?? 0) > (evidence?.expected.get('big') ?? 0));
});

test('sessions that were visible before the window began are not expected again', () => {
  const setup = accountWith(0, 2);
  setup.account.window = undefined;
  for (let t = 105; t <= 400; t += 5) setup.account.report(16, t, DEFAULT_ALLOCATION);
  send(setup.account, 401);
  const { account, costs } = setup;
  for (let t = 405; t <= 485; t += 5) account.report(24, t, DEFAULT_ALLOCATION);
  account.report(24, 490, DEFAULT_ALLOCATION);
  const evidence = closeWindow(account, costs, DEFAULT_ALLOCATION);
  assert.ok(evidence && Math.abs((evidence.expected.get(undefined) ?? 0) - (8 * 84) / 115) < 1e-9);
});

test('nothing is learned on a server that was busy when the window began, and the window closes', () => {
  const setup = accountWith(75, 1);
  const { evidence } = watch(setup, 80);
  assert.equal(evidence, undefined);
  assert.equal(setup.account.window, undefined);
});

test('two lost polls end a window, because the server may have been started again', () => {
  const { account } = accountWith(20, 2);
  account.miss(DEFAULT_ALLOCATION);
  assert.ok(account.window);
  account.miss(DEFAULT_ALLOCATION);
  assert.equal(account.window, undefined);
});

test('a session that is released while it may be visible ends the window, one that never showed does not', () => {
  const { account } = accountWith(20, 2);
  const [first, second] = account.bookings;
  assert.ok(first && second);
  account.release(first, DEFAULT_ALLOCATION);
  assert.ok(account.window);
  account.report(25, 130, DEFAULT_ALLOCATION);
  account.release(second, DEFAULT_ALLOCATION);
  assert.equal(account.window, undefined);
});

test('the more the server carries, and the more is uncertain, the less a surprise counts', () => {
  const noise = (load: number, sessions: number) => watch(accountWith(load, sessions), load + 5).evidence?.noise ?? NaN;
  assert.ok(noise(0, 1) < noise(50, 1));
  assert.ok(noise(0, 1) < noise(0, 6));
});
