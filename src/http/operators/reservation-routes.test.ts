import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWithClass } from '../../../test/support/class-scene.ts';
import { createReservationRoutes } from './reservation-routes.ts';

const BASE = '/api/v1/reservations';
const START = 1_700_100_000;
const robots = { title: 'Robots', code: 'robo-101', seats: 8, start: START, minutes: 90 };

function setUp() {
  const { scene } = startWithClass({ a: 10, b: 10 });
  const { reservations } = scene;
  assert.ok(reservations !== undefined);
  reservations.begin();
  const routes = createReservationRoutes({
    reservations,
    projectHosts: () => [],
    mayAct: async (c, next) => {
      if (c.req.header('Authorization') === undefined) return c.json({ code: 'token-missing', reason: 'a token is needed' }, 401);
      c.set('actor', 'ada');
      return next();
    },
  });
  const send = async (method: string, path: string, body?: unknown) => {
    const response = await routes.request(path, {
      method,
      headers: { Authorization: 'Bearer x', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
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
