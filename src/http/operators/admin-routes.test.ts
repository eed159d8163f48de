import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelTestView, RefusalView } from '../../core/views/monitor-view.ts';
import { createAdminRoutes, type AdminActions } from './admin-routes.ts';

const NOW = 1_800_000_000;
const TESTED: readonly ChannelTestView[] = [
  { notifier: 'email', recipient: 'admin@example.org', outcome: 'failed', reason: 'it does not answer; check mailServer' },
  { notifier: 'webhook chat.example.org', recipient: null, outcome: 'sent', reason: null },
];
const ID = 'sim1.example.org:2000';

type Refused = Extract<Awaited<ReturnType<AdminActions['addServer']>>, { kind: 'refused' }>;

/** `onServer`: what becomes of actions on a server; `refused`: of adding, removing and testing. */
function setUp({
  onServer = { kind: 'done' },
  refused,
}: { onServer?: Awaited<ReturnType<AdminActions['drain']>>; refused?: Refused } = {}) {
  const acts: unknown[][] = [];
  const act =
    <T>(name: string, outcome: T) =>
    (...given: unknown[]): Promise<T> => {
      acts.push([name, ...given]);
      return Promise.resolve(outcome);
    };
  const actions: AdminActions = {
    drain: act('drain', onServer),
    resume: act('resume', onServer),
    removeServer: act('remove', refused ?? onServer),
    addServer: act('add', refused ?? ({ kind: 'done', id: 'new:1' } as const)),
    forgetCosts: act('forget', { kind: onServer.kind === 'done' ? 'done' : 'nothing-learned' } as const),
    testNotification: act('test', refused ?? ({ kind: 'done', channels: TESTED } as const)),
  };
  const routes = createAdminRoutes({
    actions,
    clock: { wallTime: () => NOW },
    projectHosts: () => ['git.example.org'],
    mayAct: async (c, next) => {
      if (c.req.header('Authorization') === undefined) return c.json({ code: 'token-missing', reason: 'a token is needed' }, 401);
      c.set('actor', 'ada');
      return next();
    },
  });
  const send = async (method: string, path: string, body?: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return await routes.request(path, {
      method,
      headers: { Authorization: 'Bearer x', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: text }),
    });
  };
  return { acts, routes, send };
}

const path = (verb: string) => `/api/v1/servers/${encodeURIComponent(ID)}/${verb}`;

async function code(response: Response): Promise<string> {
  return `${response.status} ${((await response.json()) as RefusalView).code}`;
}

test('a server is drained with a reason, a deadline and the name of the operator', async () => {
  const { acts, send } = setUp();
  assert.equal((await send('POST', path('drain'), { reason: ' new disk ', until: NOW + 600 })).status, 200);
  assert.deepEqual(acts, [['drain', ID, { by: 'ada', reason: 'new disk', until: NOW + 600 }]]);
});

test('the deadline can be given as seconds from now, so that the clocks need not agree', async () => {
  const { acts, send } = setUp();
  await send('POST', path('drain'), { lasts: 3600 });
  assert.deepEqual(acts, [['drain', ID, { by: 'ada', until: NOW + 3600 }]]);
});

test('the deadline can be given as ISO 8601, and another form is refused with what to write', async () => {
  const { acts, send } = setUp();
  const until = new Date((NOW + 3600) * 1000).toISOString();
  assert.equal((await send('POST', path('drain'), { until })).status, 200);
  assert.deepEqual(acts, [['drain', ID, { by: 'ada', until: NOW + 3600 }]]);
  for (const wrong of [
    'tomorrow',
    '',
    '2026-13-45T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2027-04-31',
    'x'.repeat(100),
    null,
    true,
  ]) {
    const response = await send('POST', path('drain'), { until: wrong });
    const { reason } = (await response.json()) as RefusalView;
    assert.equal(reason, '"until": write seconds since the epoch, or a time such as 2026-11-22T15:00:00Z.', String(wrong));
  }
  const past = await send('POST', path('drain'), { until: new Date((NOW - 60) * 1000).toISOString() });
  assert.match(((await past.json()) as RefusalView).reason, /"until" must be in the future/);
});

test('neither reason nor deadline is needed', async () => {
  const { acts, send } = setUp();
  assert.equal((await send('POST', path('drain'))).status, 200);
  assert.equal((await send('POST', path('drain'), {})).status, 200);
  assert.deepEqual(acts, [
    ['drain', ID, { by: 'ada' }],
    ['drain', ID, { by: 'ada' }],
  ]);
});

test('a server is resumed, added and removed', async () => {
  const { acts, send } = setUp();
  assert.equal((await send('POST', path('resume'))).status, 200);
  const added = await send('POST', '/api/v1/servers', { address: 'new/1', weight: 2 });
  assert.deepEqual([added.status, await added.json()], [201, { id: 'new:1' }]);
  assert.equal((await send('DELETE', '/api/v1/servers/new%3A1')).status, 200);
  assert.deepEqual(acts, [
    ['resume', ID, 'ada'],
    ['add', { address: 'new/1', weight: 2 }, 'ada'],
    ['remove', 'new:1', 'ada'],
  ]);
});

test('a test notification reports the outcome on each channel', async () => {
  const { send } = setUp();
  const response = await send('POST', '/api/v1/notifications/test');
  assert.deepEqual(await response.json(), { channels: TESTED });
});

test('an action on an unknown server, or an impossible one, is refused', async () => {
  const unknown = setUp({ onServer: { kind: 'unknown-server' } });
  assert.equal(await code(await unknown.send('POST', path('drain'))), '404 unknown-server');
  assert.equal(await code(await unknown.send('POST', path('resume'))), '404 unknown-server');
  assert.equal(await code(await unknown.send('DELETE', '/api/v1/servers/a:1')), '404 unknown-server');
  const refused = setUp({
    refused: { kind: 'refused', code: 'configured', reason: 'It is listed in the configuration file; remove it there.' },
  });
  assert.equal(await code(await refused.send('DELETE', '/api/v1/servers/a:1')), '409 configured');
  assert.equal(await code(await refused.send('POST', '/api/v1/servers', { address: 'x' })), '409 configured');
  assert.equal(await code(await refused.send('POST', '/api/v1/notifications/test')), '409 configured');
  const bad = setUp({ refused: { kind: 'refused', code: 'bad-server', reason: 'It has no address.' } });
  assert.equal(await code(await bad.send('POST', '/api/v1/servers', { address: 'x' })), '400 bad-server');
});

test('invalid bodies are refused with their reason, and nothing is done', async () => {
  const { acts, send } = setUp();
  const bodies: unknown[] = [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '1',
    { reason: 5 },
    { reason: 'x'.repeat(1001) },
    { until: 'tomorrow' },
    { until: NOW - 1 },
    { until: NOW + 400 * 86_400 },
    { until: 1e300 },
    { lasts: 0 },
    { lasts: -5 },
    { until: null },
    { unknownKey: 1 },
    '{"__proto__":{"reason":"x"}}',
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  ];
  for (const body of bodies) {
    const response = await send('POST', path('drain'), body);
    assert.equal(await code(response), '400 bad-request', JSON.stringify(body).slice(0, 60));
  }
  for (const body of [undefined, {}, { address: 5 }, []]) {
    assert.equal(await code(await send('POST', '/api/v1/servers', body)), '400 bad-request', JSON.stringify(body));
  }
  assert.equal(await code(await send('POST', path('drain'), { reason: 'x'.repeat(1_000_000) })), '413 too-large');
  assert.deepEqual(acts, []);
});

test('a body of another type is refused, so that a form of another site cannot act', async () => {
  const { acts, routes } = setUp();
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    const response = await routes.request(path('drain'), {
      method: 'POST',
      headers: { Authorization: 'Bearer x', 'Content-Type': type },
      body: '{"reason":"x"}',
    });
    assert.equal(await code(response), '415 unsupported-media-type');
  }
  assert.deepEqual(acts, []);
});

test('every action requires a token', async () => {
  const { acts, routes } = setUp();
  const actions: [string, string][] = [
    ['POST', path('drain')],
    ['POST', path('resume')],
    ['POST', '/api/v1/servers'],
    ['DELETE', '/api/v1/servers/a:1'],
    ['POST', '/api/v1/costs/forget'],
    ['POST', '/api/v1/notifications/test'],
  ];
  for (const [method, path] of actions) assert.equal((await routes.request(path, { method })).status, 401, path);
  assert.deepEqual(acts, []);
});

test('the OpenAPI document describes the routes', () => {
  const { routes } = setUp();
  const { paths } = routes.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'test', version: '1' } });
  assert.deepEqual(Object.keys(paths ?? {}).sort(), [
    '/api/v1/costs/forget',
    '/api/v1/notifications/test',
    '/api/v1/servers',
    '/api/v1/servers/{id}',
    '/api/v1/servers/{id}/drain',
    '/api/v1/servers/{id}/resume',
  ]);
});

for (const [body, what] of [
  [{}, { kind: 'fleet' }],
  [{ server: ID }, { kind: 'server', server: ID }],
  [
    { project: 'https://git.example.org/owner/name/blob/main/worlds/a.wbt' },
    { kind: 'project', project: 'git.example.org/owner/name/worlds/a.wbt' },
  ],
] as const)
  test(`learned costs are forgotten by ${JSON.stringify(body)}`, async () => {
    const { acts, send } = setUp();
    assert.equal((await send('POST', '/api/v1/costs/forget', body)).status, 200);
    assert.deepEqual(acts, [['forget', what, 'ada']]);
  });

test('costs of an unknown server or project are not reported as forgotten', async () => {
  const { send } = setUp({ onServer: { kind: 'unknown-server' } });
  const forget = async (body: unknown) => code(await send('POST', '/api/v1/costs/forget', body));
  assert.equal(await forget({ server: ID }), '404 unknown-server');
  assert.equal(await forget({ project: 'https://github.com/owner/name' }), '404 nothing-learned');
});

test('a request to forget names a server or a readable project, and nothing else', async () => {
  const { acts, send } = setUp();
  for (const body of [
    { server: ID, project: 'https://github.com/owner/name' },
    { project: 'https://elsewhere.example.org/owner/name' },
    { server: 'x'.repeat(301) },
    { project: 'x'.repeat(1001) },
    { costs: 1 },
  ])
    assert.equal(await code(await send('POST', '/api/v1/costs/forget', body)), '400 bad-request');
  assert.deepEqual(acts, []);
});
