import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCalendar } from '../../calendar/read-calendar.ts';
import { startWithClass } from '../../../test/support/class-scene.ts';
import type { MiddlewareHandler } from 'hono';
import type { Env } from '../server/routes.ts';
import { createReservationRoutes } from './reservation-routes.ts';

const BASE = '/api/v1/reservations';
const START = 1_700_100_000;
const robots = { title: 'Robots', code: 'robo-101', seats: 8, start: START, minutes: 90 };

const quota = { seats: 12, seatHoursPerWeek: 120, daysAhead: 180 };

function setUp() {
  const { scene } = startWithClass({ a: 10, b: 10 });
  const { reservations } = scene;
  assert.ok(reservations !== undefined);
  reservations.begin();
  const mayReserve: MiddlewareHandler<Env> = async (c, next) => {
    const name = c.req.header('Authorization');
    if (name === undefined) return c.json({ code: 'token-missing', reason: 'a token is needed' }, 401);
    c.set('token', { name, hash: '', role: name === 'ada' ? 'operator' : 'teacher', quota });
    return next();
  };
  const routes = createReservationRoutes({
    ...{ reservations, mayReserve, maySeeReservations: mayReserve },
    projectHosts: () => [],
    calendars: { read: (...calendar) => Promise.resolve(readCalendar(...calendar)) },
    clock: scene.clock,
  });
  const send = async (method: string, path: string, body?: unknown, name = 'ada') => {
    const response = await routes.request(path, {
      method,
      headers: { Authorization: name, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const read = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, ...read } as Readonly<Record<string, unknown>> & { readonly status: number };
  };
  return { scene, routes, send };
}

test('a reservation is made, listed, extended, released and cancelled', async () => {
  const { send } = setUp();
  const made = await send('POST', BASE, robots);
  assert.equal(made.status, 201);
  assert.deepEqual(
    [made['code'], made['path'], made['state'], made['outstanding'], made['owner'], made['end']],
    ['ROBO101', '/c/ROBO101', 'planned', 8, 'ada', new Date((START + 5400) * 1000).toISOString().replace('.000', '')],
  );
  const at = `${BASE}/${String(made['id'])}`;
  assert.equal((await send('GET', at)).status, 200);
  const extended = await send('POST', `${at}/extend`, { minutes: 120 });
  assert.deepEqual([extended.status, extended['revision']], [200, 1]);
  assert.deepEqual([(await send('POST', `${at}/release`))['state']], ['released']);
  assert.equal((await send('DELETE', at)).status, 204);
  assert.deepEqual((await send('GET', BASE))['reservations'], []);
  assert.deepEqual([(await send('GET', at)).status, (await send('DELETE', at)).status], [404, 404]);
});

test('a teacher sees and changes own reservations alone, within the quota; an operator sees all', async () => {
  const { send } = setUp();
  const asTeacher = (name: string) => (method: string, path: string, body?: unknown) => send(method, path, body, name);
  const [noether, hopper] = [asTeacher('noether'), asTeacher('hopper')];
  const made = await noether('POST', BASE, robots);
  assert.deepEqual([made.status, made['owner']], [201, 'noether']);
  const at = `${BASE}/${String(made['id'])}`;
  assert.deepEqual((await hopper('GET', BASE))['reservations'], []);
  const others = await Promise.all([
    ...[hopper('GET', at), hopper('DELETE', at), hopper('POST', `${at}/release`)],
    ...[hopper('POST', `${at}/extend`, { minutes: 100 }), hopper('POST', `${at}/move`, { start: START + 3600 })],
  ]);
  assert.deepEqual(
    others.map(({ status }) => status),
    Array(5).fill(404),
  );
  const tooMany = await hopper('POST', BASE, { ...robots, code: 'OTHER', seats: 100 });
  assert.deepEqual([tooMany.status, tooMany['code']], [403, 'quota']);
  const second = await noether('POST', BASE, { ...robots, code: 'OTHER', seats: 5 });
  assert.match(String(second['reason']), /12 seats at the same time; with this reservation there would be 13/);
  const noRoom = await hopper('POST', BASE, { ...robots, code: 'OTHER', seats: 12 });
  assert.equal(noRoom['code'], 'over-capacity');
  assert.match(String(noRoom['reason']), /, another class has 8 until /, 'the name of the class is not for other teachers');
  assert.equal(((await send('GET', BASE))['reservations'] as unknown[]).length, 1);
  assert.equal((await noether('DELETE', at)).status, 204);
});

test('one teacher cannot use up the reservations of all by small ones, however they fit the quota', async () => {
  const { send } = setUp();
  const weekly = { zone: 'UTC', until: '2024-05-10' };
  const series = (hour: number, name: string) =>
    send('POST', BASE, { seats: 1, start: START + hour * 3600, minutes: 5, opens: 0, weekly }, name);
  const made = [];
  for (let hour = 0; hour < 9; hour += 1) made.push(await series(hour, 'noether'));
  assert.deepEqual(
    made.map(({ lessons, code }) => lessons ?? code),
    [...Array<number>(7).fill(26), 'too-many-reservations', 'too-many-reservations'],
  );
  assert.equal((await series(10, 'hopper')).status, 201);
  assert.equal((await series(11, 'ada')).status, 201);
});

test('of two teachers who want the last seats at the same moment, one gets them and the other one reads the numbers', async () => {
  const { send } = setUp();
  const wish = { seats: 7, start: START, minutes: 60 };
  const answers = await Promise.all(['noether', 'hopper'].map((name) => send('POST', BASE, wish, name)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
  const refused = answers.find(({ status }) => status === 409);
  const { numbers, code } = refused as unknown as { readonly code: string; readonly numbers: { readonly free: number } };
  assert.equal(code, 'over-capacity');
  assert.ok(numbers.free < 7);
});

test('a fleet that shrinks under a reservation cancels nothing, and the reservation is short', async () => {
  const { scene, send } = setUp();
  const made = await send('POST', BASE, { seats: 6, start: scene.clock.wallTime() + 60, minutes: 60 });
  const look = () => send('GET', `${BASE}/${String(made['id'])}`);
  assert.deepEqual([made['short'], (await look())['short']], [false, false]);
  scene.report('a', 89);
  scene.report('b', 89);
  const short = await look();
  assert.deepEqual([short.status, short['short'], short['outstanding']], [200, true, 6]);
});

test('a reservation moves to another time until its doors open', async () => {
  const { scene, send } = setUp();
  const start = scene.clock.wallTime() + 1200;
  const made = await send('POST', BASE, { ...robots, start });
  const at = `${BASE}/${String(made['id'])}/move`;
  const moved = await send('POST', at, { start: start + 60 });
  assert.deepEqual([moved.status, moved['end']], [200, new Date((start + 5460) * 1000).toISOString().replace('.000', '')]);
  await scene.clock.advance(660);
  assert.equal((await send('POST', at, { start: start + 7200 }))['code'], 'reservation-over');
});

test('a weekly series is reserved as a whole or not at all, shares its code, and ends from any lesson on', async () => {
  const { send } = setUp();
  const start = '2023-11-20T08:00:00+01:00';
  const weekly = { zone: 'Europe/Berlin', until: '2023-12-11', except: ['2023-12-04'] };
  const trial = await send('POST', `${BASE}?dryRun=true`, { ...robots, start, weekly });
  assert.deepEqual([trial.status, trial['lessons']], [200, 3]);
  await send('POST', BASE, { title: 'Other', seats: 8, start: '2023-12-11T08:00:00+01:00', minutes: 60 });
  const refused = await send('POST', BASE, { ...robots, start, weekly });
  assert.match(String(refused['reason']), /from 2023-12-11T06:50:00Z/);
  const made = await send('POST', BASE, { ...robots, start, weekly: { ...weekly, until: '2023-12-10' } });
  assert.deepEqual([made.status, made['lessons']], [201, 2]);
  const lessons = (await send('GET', BASE))['reservations'] as {
    readonly id: string;
    readonly code: string;
    readonly start: string;
  }[];
  const own = lessons.filter(({ code }) => code === 'ROBO101');
  assert.deepEqual(
    own.map((lesson) => lesson.start),
    ['2023-11-20T07:00:00Z', '2023-11-27T07:00:00Z'],
  );
  assert.equal((await send('POST', BASE, { ...robots, start })).status, 409, 'its code is in use');
  assert.equal((await send('DELETE', `${BASE}/${own[0]?.id}?andLater=true`)).status, 204);
  assert.equal(((await send('GET', BASE))['reservations'] as unknown[]).length, 1);
  for (const odd of [{ zone: 'Mars/Base' }, { until: '2023-11-19' }, { until: '2999-01-01' }, { until: 'soon' }]) {
    const answer = await send('POST', BASE, { ...robots, start, weekly: { ...weekly, ...odd } });
    assert.deepEqual([answer.status, answer['code']], [400, 'bad-request'], JSON.stringify(odd));
  }
});

test('a reservation is not made for, or moved to, a time that is over', async () => {
  const { send } = setUp();
  const { id } = await send('POST', BASE, robots);
  const past = START - 100_000_000;
  for (const answer of [
    await send('POST', BASE, { ...robots, code: 'OTHER', start: past }),
    await send('POST', `${BASE}/${String(id)}/move`, { start: past }),
  ])
    assert.deepEqual([answer.status, answer['reason']], [400, '"start": this time is over.']);
});

test('a reservation is not made for, or moved to, a time that is years ahead', async () => {
  const { send } = setUp();
  const { id } = await send('POST', BASE, robots);
  const [far, near] = [6, 4].map((years) => START + years * 365 * 86_400);
  for (const answer of [
    await send('POST', BASE, { ...robots, code: 'OTHER', start: '5138-11-16T09:46:40Z' }),
    await send('POST', BASE, { ...robots, code: 'OTHER', start: far }),
    await send('POST', `${BASE}/${String(id)}/move`, { start: far }),
  ])
    assert.match(`${answer.status} ${String(answer['reason'])}`, /^400 .*at most 5 years ahead; check the year/);
  assert.equal((await send('POST', BASE, { ...robots, code: 'OTHER', start: near })).status, 201);
});

test('a refusal for lack of room states the numbers, and a trial reserves nothing', async () => {
  const { send } = setUp();
  const trial = await send('POST', `${BASE}?dryRun=true`, { ...robots, seats: 200 });
  assert.deepEqual([trial.status, trial['code']], [409, 'over-capacity']);
  assert.match(
    String(trial['reason']),
    /^200 seats are \d+ too many from \S+: the fleet has \d+ such seats for classes\. \d+ are free\./,
  );
  assert.equal((await send('POST', `${BASE}?dryRun=true`, robots)).status, 200);
  assert.deepEqual((await send('GET', BASE))['reservations'], []);
});

test('a code is used by one reservation at a time', async () => {
  const { send } = setUp();
  await send('POST', BASE, robots);
  assert.equal((await send('POST', BASE, { ...robots, code: 'ROBO101' }))['code'], 'code-in-use');
  assert.equal((await send('POST', BASE, { title: 'other', seats: 1, start: START, minutes: 30 })).status, 201);
});

test('a teacher who tries many codes does not learn any more which ones other classes have', async () => {
  const { send } = setUp();
  await send('POST', BASE, robots);
  const guess = (code: string | undefined, name: string) =>
    send('POST', `${BASE}?dryRun=true`, { ...robots, seats: 1, start: START + 86_400, code }, name);
  const answers = await Promise.all(Array.from({ length: 31 }, () => guess('ROBO101', 'hopper')));
  assert.deepEqual([answers[0]?.['code'], answers[29]?.['code']], ['code-in-use', 'code-in-use']);
  assert.deepEqual([answers[30]?.status, answers[30]?.['code']], [429, 'too-many-codes']);
  assert.equal((await guess('FREE101', 'hopper')).status, 429);
  // Without a code of one's own, for another teacher and for an operator it is as before.
  assert.deepEqual([(await guess(undefined, 'hopper')).status, (await guess('FREE101', 'noether')).status], [200, 200]);
  assert.equal((await guess('FREE101', 'ada')).status, 200);
});

test('what cannot be meant is refused with the field', async () => {
  const { send } = setUp();
  const odd: readonly (readonly [object, RegExp])[] = [
    [{ ...robots, seats: 0 }, /"seats"/],
    [{ ...robots, minutes: 1 }, /"minutes"/],
    [{ ...robots, code: 'a b' }, /"code"/],
    [{ ...robots, match: 'project' }, /"project"/],
    [{ ...robots, project: 'ftp://x' }, /"project"/],
    [{ ...robots, start: '2026-02-30T08:00:00Z' }, /"start"/],
    [{ ...robots, sets: 3 }, /sets/],
  ];
  for (const [body, expected] of odd) {
    const answer = await send('POST', BASE, body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(String(answer['reason']), expected);
  }
});

test('reservations are neither read nor made without a token', async () => {
  const { routes } = setUp();
  for (const [method, path] of [
    ['GET', BASE],
    ['GET', `${BASE}/x`],
    ['POST', BASE],
    ['DELETE', `${BASE}/x`],
  ] as const)
    assert.equal((await routes.request(path, { method })).status, 401);
});

test('a calendar is previewed, imported, and imported again without a change', async () => {
  const { routes, scene } = setUp();
  const now = scene.clock.wallTime();
  const stamp = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const event = (uid: string, seats: number, more = '') =>
    ['BEGIN:VEVENT', `UID:${uid}`, `DTSTART:${stamp(now + 86_400)}`, `DTEND:${stamp(now + 90_000)}`, `SUMMARY:${uid}`]
      .concat(`DESCRIPTION:seats: ${seats}${more}`, 'END:VEVENT')
      .join('\r\n');
  const calendar = (...events: readonly string[]) => ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR', ''].join('\r\n');
  const send = async (body: string, query = '', type = 'text/calendar', name = 'noether') => {
    const headers = { Authorization: name, 'Content-Type': type };
    const response = await routes.request(`${BASE}/import${query}`, { method: 'POST', headers, body });
    const text = (await response.json()) as Readonly<Record<string, unknown>> & {
      readonly events?: readonly Record<string, unknown>[];
    };
    return {
      status: response.status,
      code: text['code'],
      events: text.events?.map(({ outcome, lessons }) => `${String(outcome)} ${String(lessons)}`),
      text,
    };
  };
  const both = calendar(event('one', 8, '\\ncode: robo-101'), event('two', 8));
  const preview = await send(both);
  // The second event does not fit beside the first one, and the preview says so.
  assert.deepEqual([preview.status, preview.events], [200, ['new 1', 'refused 0']]);
  assert.match(String(preview.text.events?.[1]?.['reason']), /there would be 16\./);
  const { code, rule, values } = preview.text.events?.[1]?.['refusal'] as Readonly<Record<string, unknown>>;
  assert.deepEqual([code, rule, values], ['quota', 'quota-seats', { max: 12, wanted: 16 }]);
  assert.equal(preview.text.events?.[0]?.['id'], null);
  assert.deepEqual((await send(calendar(event('one', 8)))).events, ['new 1'], 'nothing was stored');
  const applied = await send(both, '?apply=true');
  assert.deepEqual(applied.events, ['new 1', 'refused 0']);
  assert.deepEqual((await send(calendar(event('one', 8)), '?apply=true')).events, ['unchanged 1']);
  assert.deepEqual((await send(calendar(event('one', 6)), '?apply=true')).events, ['changed 1']);
  assert.deepEqual((await send(calendar(event('one', 6)))).events, ['unchanged 1']);
  assert.equal(scene.reservations?.views().length, 1);
  assert.deepEqual((await send(calendar(event('one', 20)))).events, ['refused 0'], 'the quota');
  const odd = [
    await send('rubbish'),
    await send(both, '', 'application/json'),
    await send('x'.repeat(300_000)),
    await send(both, '?apply=yes'),
  ];
  assert.deepEqual(
    odd.map(({ status }) => status),
    [400, 415, 413, 400],
  );
});
