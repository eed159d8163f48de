import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../config/token.ts';
import { classOf, startWithClass } from '../../../test/support/class-scene.ts';
import { calendarSecret, createCalendarRoutes } from './calendar-routes.ts';
import type { AccessToken } from './roles.ts';

const START = 1_700_100_000;
const teacher = (name: string): AccessToken => ({ name, hash: hashOf(name), role: 'teacher' });

function setUp(tokens: readonly AccessToken[]) {
  const own = classOf({ start: START, seats: 4 });
  const other = classOf({ start: START, seats: 4, id: 'other', code: 'OTHER', title: 'Secret', owner: 'hopper' });
  const { scene, book } = startWithClass({ a: 10, b: 10 }, own, other);
  const { reservations, clock } = scene;
  assert.ok(reservations !== undefined);
  const state = { tokens };
  const routes = createCalendarRoutes({ reservations, tokens: () => state.tokens, clock });
  const get = (token: AccessToken, headers: Record<string, string> = {}) =>
    routes.request(`/calendar/${calendarSecret(token)}.ics`, { headers });
  return { state, get, routes, book, own };
}

test('a teacher subscribes to own lessons by a secret address, which ends with the token', async () => {
  const ada = teacher('ada');
  const { get, state, routes, book, own } = setUp([ada]);
  const answer = await get(ada);
  assert.equal(answer.headers.get('Content-Type'), 'text/calendar; charset=utf-8');
  const calendar = await answer.text();
  assert.match(calendar, /SUMMARY:Robots/);
  assert.doesNotMatch(calendar, /Secret|OTHER/);
  const etag = answer.headers.get('ETag') ?? '';
  assert.equal((await get(ada, { 'If-None-Match': etag })).status, 304);
  book.put({ ...own, revision: 1, end: own.end + 60 });
  assert.equal((await get(ada, { 'If-None-Match': etag })).status, 200);
  assert.ok(!calendarSecret(ada).includes(ada.hash.slice(7, 20)), 'the hash cannot be read from the address');
  for (const odd of ['x.ics', '%00.ics', `${'y'.repeat(5000)}.ics`])
    assert.equal((await routes.request(`/calendar/${odd}`)).status, 404);
  assert.equal((await routes.request('/calendar/x.ics', { method: 'POST' })).status, 405);
  state.tokens = [teacher('hopper')];
  assert.equal((await get(ada)).status, 404);
});

test('an operator subscribes to all lessons, and a reader to none', async () => {
  const operator: AccessToken = { name: 'eve', hash: hashOf('eve') };
  const reader: AccessToken = { name: 'bob', hash: hashOf('bob'), role: 'reader' };
  const { get } = setUp([operator, reader]);
  assert.match(await (await get(operator)).text(), /SUMMARY:Secret/);
  assert.equal((await get(reader)).status, 404);
});
