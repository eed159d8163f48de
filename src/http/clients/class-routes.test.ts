import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Hono } from 'hono';
import { classOf, startWithClass } from '../../../test/support/class-scene.ts';
import type { Env } from '../server/routes.ts';
import { createClassRoutes, type ClassPageContent } from './class-routes.ts';
import { createClassesApi } from './classes-api.ts';

function setUp() {
  const START = startWithClass({}).scene.clock.wallTime() + 1800;
  const { scene } = startWithClass({ a: 10, b: 10 }, classOf({ start: START, seats: 8, project: 'https://github.com/o/r' }));
  const { reservations } = scene;
  assert.ok(reservations !== undefined);
  const asset = {
    name: 'classes.js',
    hash: 'h',
    type: 'text/javascript',
    plain: new Uint8Array(),
    brotli: new Uint8Array(),
    gzip: new Uint8Array(),
  };
  const shown: ClassPageContent[] = [];
  const addressOf = () => ({ address: 'school', limitKey: 'school' });
  const routes = new Hono<Env>();
  const render = (_languages: unknown, _files: unknown, content: ClassPageContent) => {
    shown.push(content);
    return 'page';
  };
  routes.route(
    '/',
    createClassRoutes({
      ...{ assets: { script: asset, styles: { ...asset, name: 'classes.css' } }, render, reservations, addressOf },
      languages: () => ({}),
    }),
  );
  routes.route('/', createClassesApi({ reservations, addressOf }));
  const get = (path: string, method = 'GET') => routes.request(path, { method }, { incoming: {} as unknown as IncomingMessage });
  return { scene, shown, get };
}

test('the page of a class has its facts, whatever case and hyphens the code was written in, and no names of persons', async () => {
  const { shown, get } = setUp();
  assert.equal((await get('/c/robo-1')).headers.get('Location'), 'robo-1/');
  assert.equal((await get('/c/robo-1/')).status, 200);
  const [content] = shown;
  assert.ok(content?.kind === 'class');
  assert.deepEqual([content.view.code, content.view.state, content.view.seats], ['ROBO1', 'gathering', 8]);
  assert.doesNotMatch(JSON.stringify(content.view), /ada|owner/);
  const api = await get('/api/v1/classes/ROBO1');
  assert.deepEqual(await api.json(), content.view);
});

test('guesses on the page and by API count together, and the right code is shown at any time', async () => {
  const { shown, get } = setUp();
  for (let guess = 0; guess < 15; guess += 1) {
    assert.equal((await get(`/c/WRONG${guess}/`)).status, 404);
    assert.equal((await get(`/api/v1/classes/WRONG${guess}`)).status, 422);
  }
  const refused = await get('/api/v1/classes/GUESS');
  assert.deepEqual([refused.status, refused.headers.get('Retry-After')], [429, '6']);
  assert.equal((await get('/c/GUESS/')).status, 429);
  assert.equal(shown.at(-1)?.kind, 'too-many-codes');
  assert.equal((await get('/c/ROBO1/')).status, 200);
});

test('odd codes and methods are refused', async () => {
  const { get } = setUp();
  for (const code of ['%00', '%2F', 'a', 'é'.repeat(5), 'x'.repeat(5000), '..%2f..'])
    assert.equal((await get(`/c/${code}/`)).status, 404, code.slice(0, 10));
  assert.equal((await get('/c/ROBO1/', 'POST')).status, 405);
  assert.equal((await get('/classes', 'DELETE')).status, 405);
});
