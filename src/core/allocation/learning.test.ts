import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Account } from './account.ts';
import { DEFAULT_ALLOCATION, type AllocationParameters } from './allocation-parameters.ts';
import { Arrivals } from './arrivals.ts';
import { Costs } from './cost.ts';
import { closeWindow, type Observation } from './learning.ts';

/** A server that reported `load` at second 100 and was sent `sessions` of 8 points each at second 102. */
function accountWith(load: number, sessions: number, project?: string): Setup {
  const account = new Account('a', 1);
  const setup = { account, costs: new Costs(8), arrivals: new Arrivals() };
  account.report(load, 100, DEFAULT_ALLOCATION);
  for (let i = 0; i < sessions; i++) send(account, 102, project);
  return setup;
}

interface Setup {
  readonly account: Account;
  readonly costs: Costs;
  readonly arrivals: Arrivals;
}

/** To a client of whom nothing is known. `weight`: how likely it is to come, compared to an ordinary one. */
function send(account: Account, at: number, project?: string, weight = 1): void {
  const booking = { id: `${at}`, server: 'a', at, request: '', project, source: undefined, weight, returned: false };
  account.book(booking, 8, 0, at);
}

function pointsOf({ parties }: Observation, project?: string): number {
  const handOuts = parties.flatMap((party) => party.handOuts).filter((handOut) => handOut.project === project);
  return handOuts.reduce((sum, { points }) => sum + points, 0);
}

/** Reports `load` every five seconds until the window closes, or until `until`. */
function watch(
  { account, costs, arrivals }: Setup,
  load: number,
  until = 400,
  parameters: AllocationParameters = DEFAULT_ALLOCATION,
): { observation: Observation | undefined; at: number } {
  let at = 100;
  while (account.window !== undefined && at < until) {
    at += 5;
    account.report(load, at, parameters);
    const observation = closeWindow(account, costs, arrivals, parameters);
    if (observation !== undefined) return { observation, at };
  }
  return { observation: undefined, at };
}

test('a window opens with an allocation, and its baseline is the mean of the reports just before it', () => {
  const { account } = accountWith(20, 1);
  assert.deepEqual(account.window, { start: 100, load: 20, gone: 0 });
  account.report(35, 105, DEFAULT_ALLOCATION);
  send(account, 106);
  assert.equal(account.window.start, 100, 'the next allocation joins it');

  const noisy = new Account('a', 1);
  for (const [i, load] of [22, 24, 20].entries()) noisy.report(load, 90 + 5 * i, DEFAULT_ALLOCATION);
  send(noisy, 102);
  assert.deepEqual(noisy.window, { start: 100, load: 22, gone: 0 }, 'it was chosen because its last report was low');
});

test('a hand-out that is unlikely to become a session opens no window, unless there was none for five minutes', () => {
  const account = new Account('a', 1);
  account.report(20, 100, DEFAULT_ALLOCATION);
  send(account, 102, undefined, 0.1);
  assert.notEqual(account.window, undefined, 'there never was one');
  account.window = undefined;
  send(account, 200, undefined, 0.1);
  assert.equal(account.window, undefined);
  send(account, 402, undefined, 0.1);
  assert.notEqual(account.window, undefined);
});

test('without an allocation there is nothing to learn', () => {
  const setup = accountWith(20, 0);
  assert.equal(setup.account.window, undefined);
  assert.equal(closeWindow(setup.account, setup.costs, setup.arrivals, DEFAULT_ALLOCATION), undefined);
});

test('a server that never reported opens no window', () => {
  const account = new Account('a', 1);
  send(account, 102);
  assert.equal(account.window, undefined);
});

test('a window closes after ninety seconds, or sooner when most of its sessions should be visible', () => {
  assert.equal(watch(accountWith(0, 4), 24).at, 190);
  const quick = { ...DEFAULT_ALLOCATION, learnSettle: [5, 20] as const };
  assert.equal(watch(accountWith(0, 4), 24, 400, quick).at, 145);
});

test('a window with so many sessions that it shows something early closes early', () => {
  assert.equal(watch(accountWith(0, 12), 24).at, 145);
});

test('a window shows what should have appeared, and by how much the load changed', () => {
  // 88 s after the allocation 83/115 of the sessions should show; 8 points are what an ordinary hand-out brings, of which one in twenty does not come.
  const { observation } = watch(accountWith(0, 4, 'p'), 20);
  assert.ok(observation);
  assert.ok(Math.abs(pointsOf(observation, 'p') - ((4 * 8) / 0.95) * (83 / 115)) < 1e-9);
  assert.equal(observation.seen.change, 20);
});

test('load that leaves by itself is not held against the sessions that came', () => {
  // At 60% for 90 s, 3.6 points should have left.
  const { observation } = watch(accountWith(60, 2), 60);
  assert.ok(observation && Math.abs(observation.seen.gone - 3.6) < 1e-9);
});

test('what each project should have brought is reported separately', () => {
  const setup = accountWith(10, 2, 'small');
  send(setup.account, 110, 'big');
  send(setup.account, 110);
  const { observation } = watch(setup, 30);
  assert.ok(observation);
  assert.ok(pointsOf(observation, 'small') > pointsOf(observation, 'big') && pointsOf(observation, 'big') > 0);
  assert.equal(pointsOf(observation), pointsOf(observation, 'big'));
});

test('sessions that were visible before the window began are not expected again', () => {
  const setup = accountWith(0, 2);
  setup.account.window = undefined;
  for (let t = 105; t <= 400; t += 5) setup.account.report(16, t, DEFAULT_ALLOCATION);
  send(setup.account, 401);
  const { account, costs, arrivals } = setup;
  for (let t = 405; t <= 485; t += 5) account.report(24, t, DEFAULT_ALLOCATION);
  account.report(24, 490, DEFAULT_ALLOCATION);
  const observation = closeWindow(account, costs, arrivals, DEFAULT_ALLOCATION);
  assert.ok(observation && Math.abs(pointsOf(observation) - ((8 / 0.95) * 84) / 115) < 1e-9);
});

test('nothing is learned on a server that was busy when the window began, and the window closes', () => {
  const setup = accountWith(75, 1);
  const { observation } = watch(setup, 80);
  assert.equal(observation, undefined);
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
  account.release(first, 103, 8, DEFAULT_ALLOCATION);
  assert.ok(account.window);
  account.report(25, 130, DEFAULT_ALLOCATION);
  account.release(second, 131, 8, DEFAULT_ALLOCATION);
  assert.equal(account.window, undefined);
});

test('the more the server carries, the less a change of its load counts', () => {
  const noise = (load: number) => watch(accountWith(load, 1), load + 5).observation?.seen.noise ?? NaN;
  assert.ok(noise(0) < noise(50));
});

test('each group is judged separately, and all addresses that asked once or twice are judged together', () => {
  const setup = accountWith(10, 0);
  for (const [address, times] of [
    ['192.0.2.1', 4],
    ['192.0.2.2', 1],
    ['192.0.2.3', 2],
  ] as const) {
    for (let i = 0; i < times; i++) {
      const source = setup.arrivals.sourceOf(address, 102);
      const booking = { id: address, server: 'a', at: 102, request: '', project: undefined, source, weight: 1, returned: false };
      setup.arrivals.handedOut(booking);
      setup.account.book(booking, 8, 0, i);
    }
  }
  const { observation } = watch(setup, 30);
  const parties = observation?.parties.map(({ source, bookings }) => `${source?.address ?? 'others'}: ${bookings.length}`);
  assert.deepEqual(parties?.sort(), ['192.0.2.1: 4', 'others: 3']);
});

test('where sessions are counted only those that began are expected, and those that left are known to have left', () => {
  const setup = accountWith(20, 0);
  const { account } = setup;
  account.configure(1, undefined, true);
  for (let i = 0; i < 4; i++) send(account, 102);
  assert.equal(account.window, undefined, 'a hand-out is not a session');
  const [came, stayed] = account.bookings;
  assert.ok(came && stayed);
  account.connect(came, 104);
  account.connect(stayed, 105);
  account.release(came, 150, 8, DEFAULT_ALLOCATION);
  const { observation } = watch(setup, 28);
  assert.ok(observation);
  assert.equal(observation.parties.flatMap(({ bookings }) => bookings).length, 2);
  assert.ok(Math.abs(observation.seen.gone - (8 / 0.95) * ((46 - 5) / 55)) < 1e-9, 'it left 46 s after it came');
});
