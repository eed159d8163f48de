/** Requests of people with and without a seat, through requests, waiting line and prospects over a real ledger. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classOf, PROJECT, startWithClass } from '../../test/support/class-scene.ts';

/** Of the clock of the scene, and since the epoch. */
const IN = 1000;
const START = 1_700_000_000 + IN;

test('a client without a seat is refused because the room is held, without the name of the class, and a code gets the seat', async () => {
  const { scene, request } = startWithClass({ a: 10 }, classOf({ seats: 9, start: START }));
  await scene.clock.advance(IN - 60);
  scene.report('a', 10);
  const stranger = await request('home', {});
  assert.ok(stranger.kind === 'refused');
  assert.equal(stranger.code, 'held-for-class');
  assert.match(stranger.reason, /held for a class that begins at/);
  assert.doesNotMatch(stranger.reason, /ROBO|Robots/);
  const prospect = scene.prospects.prospect();
  assert.deepEqual([prospect.kind, 'reservation' in prospect && prospect.reservation], ['held-for-class', 'r']);
  assert.equal(scene.decisions.last()[0]?.reservation, 'r');
  assert.equal(scene.prospects.availability.value, false);
  const student = await request('school', { code: 'robo-1' });
  assert.equal(student.kind, 'allocated');
});

test('a client that the class keeps out gets a session with an end, or waits if it refuses one', async () => {
  const { scene, request, wait } = startWithClass({ a: 10 }, classOf({ seats: 9, start: START + 1000 }));
  await scene.clock.advance(700);
  scene.report('a', 10);
  assert.equal((await request('home', {})).kind, 'refused');
  scene.keepsEnds.value = true;
  const patient = await wait('school', { ends: 'refuse' });
  assert.deepEqual([patient.position(), patient.outcome()], [1, undefined]);
  const outcome = await request('home', {});
  assert.ok(outcome.kind === 'allocated');
  assert.equal(outcome.endsAt, START + 1000 - 660);
  const [decision] = scene.decisions.last();
  assert.match(decision?.reason ?? '', /It ends at .*, because a class needs its seat\.$/);
  assert.equal(patient.outcome(), undefined);
});

test('a request for the project of the class gets a seat without any code', async () => {
  const { scene, request, book } = startWithClass(
    { a: 10 },
    classOf({ seats: 9, start: START, match: 'either', project: PROJECT }),
  );
  await scene.clock.advance(IN);
  scene.report('a', 10);
  assert.equal((await request('school', { projectUrl: PROJECT })).kind, 'allocated');
  assert.equal([...book.seats('r')].length, 1);
});

test('an unknown code, and one outside its time, is refused with a reason and never served as the public', async () => {
  const { scene, request } = startWithClass({ a: 10 }, classOf({ seats: 2, start: START }));
  scene.report('a', 10);
  const codes = [];
  for (const code of ['ROBO2', 'ROBO1', '<x>']) {
    const outcome = await request('school', { code });
    codes.push(outcome.kind === 'refused' ? outcome.code : outcome.kind);
  }
  assert.deepEqual(codes, ['unknown-code', 'class-not-open', 'unknown-code']);
});

test('no decision, which the monitor shows to everyone, contains the code of a class', async () => {
  const { scene, request } = startWithClass({ a: 10 }, classOf({ seats: 2, start: START }));
  for (const seconds of [0, IN, 2 * 3600]) {
    await scene.clock.advance(seconds);
    scene.report('a', 10);
    await request('school', { code: 'robo-1' });
  }
  const decisions = scene.decisions.last();
  assert.deepEqual(
    decisions.map(({ code }) => code),
    ['class-not-open', 'allocated', 'class-not-open'],
  );
  assert.doesNotMatch(JSON.stringify(decisions), /robo-?1/i);
});

test('people of a class wait in a line of their own, before all other clients, and are admitted first', async () => {
  const { scene, wait } = startWithClass({ a: 94 }, classOf({ seats: 3, start: START }));
  await scene.clock.advance(IN);
  scene.report('a', 94);
  const stranger = await wait('home', {});
  const [first, second] = [await wait('school', { code: 'ROBO1' }), await wait('school', { code: 'ROBO1' })];
  assert.deepEqual([stranger.position(), first.position(), second.position()], [1, 1, 2]);
  await scene.clock.advance(20);
  scene.report('a', 80);
  await scene.clock.advance(20);
  scene.report('a', 80);
  await scene.queue.walk();
  assert.deepEqual([first.outcome()?.kind, second.position(), stranger.outcome()], ['allocated', 1, undefined]);
});

test('thirty of a class behind one address may mistype the code, guesses have to wait, and the right code is never refused', async () => {
  const now = startWithClass({}).scene.clock.wallTime();
  const { scene, request } = startWithClass({ a: 10, b: 10 }, classOf({ start: now, seats: 8 }));
  const codeOf = async (code: string, address = 'school') => {
    const outcome = await request(address, { code, counted: true });
    return outcome.kind === 'refused' ? outcome.code : outcome.kind;
  };
  for (let student = 0; student < 30; student += 1) assert.equal(await codeOf(`WRONG${student}`), 'unknown-code');
  assert.equal(await codeOf('GUESS'), 'too-many-codes');
  assert.equal(await codeOf('ROBO1'), 'allocated');
  assert.equal(await codeOf('GUESS', 'elsewhere'), 'unknown-code');
  await scene.clock.advance(6);
  assert.equal(await codeOf('GUESS'), 'unknown-code');
  assert.equal(await codeOf('GUESS'), 'too-many-codes');
});

test('operators are notified once of a class that will have too few seats, and of one that did not come twice', async () => {
  const series = { seats: 30, series: 's', start: START };
  const { scene } = startWithClass({ a: 10 }, classOf(series), classOf({ ...series, id: 'q', start: START + 7200 }));
  scene.reservations?.begin();
  scene.report('a', 10);
  await scene.clock.advance(IN);
  scene.report('a', 10);
  await scene.clock.advance(200);
  assert.deepEqual(scene.notices, ['class-short r', 'class-short q']);
  await scene.clock.advance(7200 + 3600);
  assert.deepEqual(scene.notices, ['class-short r', 'class-short q', 'class-unused q']);
  assert.ok(scene.log.complaints.includes('no student of a class came, for the second time'));
  await scene.reservations?.stop();
});

test('of two teachers that want the last seats at once one gets them, and the other learns that a class has them', async () => {
  const { scene } = startWithClass({ a: 10, b: 10 });
  const { reservations } = scene;
  assert.ok(reservations !== undefined);
  const start = scene.clock.wallTime() + 86_400;
  const wish = { title: 'Robots', match: 'code', seats: 8, start, end: start + 3600, opens: 600, grace: 600 } as const;
  const quota = { seats: 40, seatHoursPerWeek: 120, daysAhead: 180 };
  const both = ['ada', 'hopper'].map((name) => reservations.make(wish, { name, quota }));
  reservations.begin();
  const [first, second] = await Promise.all(both);
  assert.equal(first?.kind, 'done');
  assert.ok(second?.kind === 'over-capacity');
  assert.deepEqual(
    second.others.map(({ title, seats }) => [title, seats]),
    [['', 8]],
  );
  await reservations.stop();
});

test('the seat of a client that never came through the gateway is free after two minutes, and that of one that came is not', async () => {
  const now = startWithClass({}).scene.clock.wallTime();
  const { scene, request, book } = startWithClass({ a: 10, direct: 10 }, classOf({ start: now, seats: 4 }));
  scene.ledger.add('a', { countsSessions: true });
  scene.reservations?.begin();
  const takers = await Promise.all(['x', 'y', 'z', 'v'].map((clientId) => request('school', { code: 'ROBO1', clientId })));
  const [came] = takers.filter((taker) => taker.kind === 'allocated' && taker.server === 'a');
  assert.ok(came?.kind === 'allocated');
  scene.ledger.connected(came.bookingId, scene.clock.now());
  assert.equal([...book.seats('r')].length, 4);
  await scene.clock.advance(122);
  const left = [...book.seats('r')];
  assert.deepEqual(
    left.filter(({ server }) => server === 'a').map(({ bookingId }) => bookingId),
    [came.bookingId],
  );
  assert.equal(left.filter(({ server }) => server === 'direct').length, 2, 'who comes directly is not seen');
});
