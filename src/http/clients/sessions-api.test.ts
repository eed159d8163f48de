import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { FakeAdmission } from '../../../test/support/fake-admission.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { PROJECT_RULES } from '../../core/fleet/project.ts';
import type { RefusalView } from '../../core/views/monitor-view.ts';
import { allocated, waitingSession } from '../server/api-schemas.ts';
import { SESSION_CODES, TICKET_CODES } from '../server/api-codes.ts';
import { createApi } from '../server/openapi.ts';
import { createRoutes, toListener } from '../server/routes.ts';
import { SessionTickets } from './session-tickets.ts';
import { createSessionsApi } from './sessions-api.ts';

const PATH = '/api/v1/sessions';
const BODY_BYTES = 65_536;
type Context = { after(done: () => Promise<void>): void };

function setUp(context: Context, { ready = Promise.resolve(), isReady = true } = {}) {
  const admission = new FakeAdmission();
  const clock = new FakeClock();
  const log = new MemoryLog();
  let serial = 0;
  const tickets = new SessionTickets({
    requests: admission,
    queue: admission,
    clock,
    log,
    newId: () => `ticket-${(serial += 1)}`,
    resume: () => 30,
  });
  context.after(() => tickets.stop());
  const sent: [string, string][] = [];
  const sessions = createSessionsApi({
    sent: ({ bookingId }, address) => sent.push([bookingId, address]),
    tickets,
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    ready,
    isReady: () => isReady,
    bodyBytes: () => BODY_BYTES,
  });
  const routes = createRoutes({ log, groups: [createApi({ version: '1.2.3', groups: [sessions] })] });
  const send = async (
    method: string,
    path = PATH,
    body?: BodyInit,
    headers: Record<string, string> = {},
    outgoing: unknown = new EventEmitter(),
  ) =>
    await routes.request(
      path,
      {
        method,
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
        ...(body !== undefined && { body }),
      },
      { incoming: undefined, outgoing },
    );
  const post = (body: unknown) => send('POST', PATH, typeof body === 'string' ? body : JSON.stringify(body));
  return { admission, clock, log, routes, send, post, sent };
}

async function refusalOf(response: Response): Promise<string> {
  const body = (await response.json()) as RefusalView;
  assert.deepEqual(Object.keys(body), ['code', 'reason']);
  assert.match(body.reason, /[.?!)]$/);
  return `${response.status} ${body.code}`;
}

/** Bodies that are refused before any decision. */
async function refusals(context: Context, bodies: readonly unknown[]): Promise<string[]> {
  const { admission, log, post } = setUp(context);
  const answers: string[] = [];
  for (const body of bodies) answers.push(await refusalOf(await post(body)));
  assert.deepEqual(admission.requests, []);
  assert.deepEqual(log.complaints, []);
  return answers;
}

test('a session that can start now is answered with 201 and all a client needs', async (t) => {
  const { admission, post } = setUp(t);
  const response = await post({ project: 'https://github.com/a/b', labels: { room: 'B12' }, clientId: 'c' });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('Location'), 'sessions/ticket-1');
  assert.equal(response.headers.get('Cache-Control'), 'no-store');
  const body: unknown = await response.json();
  allocated.strict().parse(body);
  assert.deepEqual(body, {
    type: 'allocated',
    id: 'request-1',
    ticket: 'ticket-1',
    url: 'wss://sim1.example.org/2000',
    server: 'sim1.example.org:2000',
    expiresAt: '2023-11-14T22:14:20.000Z',
  });
  assert.deepEqual(admission.requests, [
    {
      address: { address: '192.0.2.1', limitKey: '192.0.2.1' },
      projectUrl: 'https://github.com/a/b',
      labels: { room: 'B12' },
      clientId: 'c',
    },
  ]);
});

test('a client may refuse a session that ends early, and learns the end of one', async (t) => {
  const { admission, post } = setUp(t);
  const allocated = admission.allocated();
  assert.ok(allocated.kind === 'allocated');
  admission.next.push({ ...allocated, endsAt: 1_700_003_540 });
  const body = (await (await post({ ends: 'accept' })).json()) as { readonly until?: string };
  assert.equal(body.until, '2023-11-14T23:12:20.000Z');
  await post({ ends: 'refuse' });
  assert.deepEqual(
    admission.requests.map(({ ends }) => ends),
    [undefined, 'refuse'],
  );
});

test('the gateway expects a client that was sent to a server, at once or at the end of the waiting', async (t) => {
  const { admission, sent, post, send } = setUp(t);
  await post({});
  assert.deepEqual(sent, [['booking-1', '192.0.2.1']]);
  const { ticket } = (await (await post({ wait: true })).json()) as { readonly ticket: string };
  assert.equal(sent.length, 1);
  admission.settle();
  await send('GET', `${PATH}/${ticket}`);
  assert.deepEqual(sent[1]?.[1], '192.0.2.1');
});

test('a request needs no body and no field', async (t) => {
  const { admission, send, post } = setUp(t);
  assert.equal((await send('POST')).status, 201);
  assert.equal((await post({})).status, 201);
  const bare = { address: { address: '192.0.2.1', limitKey: '192.0.2.1' } };
  assert.deepEqual(admission.requests, [bare, bare]);
});

test('a client that waits gets a ticket, asks again with it, and gets its session', async (t) => {
  const { admission, post, send } = setUp(t);
  const first = await post({ wait: true });
  assert.equal(first.status, 202);
  const body = waitingSession.strict().parse(await first.json());
  const expected = { type: 'waiting', ticket: 'token-1', position: 1, estimateSeconds: { from: 5, to: 20 }, askAgainSeconds: 2 };
  assert.deepEqual(body, expected);
  assert.equal(first.headers.get('Location'), 'sessions/token-1');

  const second = await send('GET', `${PATH}/token-1`);
  assert.equal(second.status, 200);
  assert.deepEqual(await second.json(), expected);
  admission.settle();
  const third = await send('GET', `${PATH}/token-1`);
  assert.equal(third.status, 200);
  assert.equal(allocated.parse(await third.json()).url, 'wss://sim1.example.org/2000');
  assert.equal(third.headers.get('Cache-Control'), 'no-store');
});

test('giving up answers 204, and 404 from then on', async (t) => {
  const { admission, post, send } = setUp(t);
  await post({ wait: true });
  const response = await send('DELETE', `${PATH}/token-1`);
  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
  assert.deepEqual(admission.line, []);
  assert.equal(await refusalOf(await send('DELETE', `${PATH}/token-1`)), '404 unknown-ticket');
  assert.equal(await refusalOf(await send('GET', `${PATH}/token-1`)), '404 unknown-ticket');
});

test('a page that is left asks for a grace of at most a minute, in which its place can be continued', async (t) => {
  const { admission, post, send } = setUp(t);
  await post({ wait: true });
  for (const grace of ['-1', '61', 'x', '1.5'])
    assert.equal(await refusalOf(await send('DELETE', `${PATH}/token-1?grace=${grace}`)), '400 bad-request', grace);
  assert.equal((await send('DELETE', `${PATH}/token-1?grace=10`)).status, 204);
  assert.deepEqual(admission.leaving, [['token-1', 10]]);
  assert.equal((await send('GET', `${PATH}/token-1`)).status, 200);
  assert.equal(await refusalOf(await send('DELETE', `${PATH}/token-2?grace=10`)), '404 unknown-ticket');
});

test('the public decision does not reveal the ticket', async (t) => {
  const { post, send } = setUp(t);
  const { id, ticket } = allocated.parse(await (await post({})).json());
  assert.notEqual(id, ticket);
  assert.equal(await refusalOf(await send('DELETE', `${PATH}/${id}`)), '404 unknown-ticket');
});

test('every refusal of the admission keeps its code and reason, with the status of the code', async (t) => {
  const { admission, post, send } = setUp(t);
  for (const [code, { status, retryAfter }] of Object.entries(SESSION_CODES)) {
    if (code === 'bad-request' || [404, 405, 413, 415, 417, 426, 500].includes(status)) continue;
    admission.next.push({ kind: 'refused', code, reason: 'Because.' });
    const response = await post({});
    assert.deepEqual([response.status, await response.json()], [status, { code, reason: 'Because.' }]);
    assert.equal(response.headers.get('Retry-After'), retryAfter === undefined ? null : String(retryAfter), code);
    assert.ok([403, 409, 422, 429, 503].includes(response.status), `${code} has a status that POST does not describe`);
    if (response.status === 429 || response.status === 503) assert.ok(response.headers.get('Retry-After'), code);
  }
  for (const [code, { status }] of Object.entries(TICKET_CODES)) {
    if (status !== 410 && status !== 403) continue;
    await post({ wait: true });
    const ticket = admission.line[0] ?? '';
    admission.settle({ kind: 'refused', code, reason: 'Because.' });
    assert.equal(await refusalOf(await send('GET', `${PATH}/${ticket}`)), `${status} ${code}`);
  }
});

test('a client that asks too often gets the time to ask again', async (t) => {
  const { admission, post } = setUp(t);
  admission.next.push({ kind: 'refused', code: 'too-many-requests', reason: 'Too many.', retryAfter: 17 });
  const response = await post({});
  assert.equal(response.headers.get('Retry-After'), '17');
  assert.equal(await refusalOf(response), '429 too-many-requests');
});

test('an unknown code is answered as an error of the server, not of the client', async (t) => {
  const { admission, post } = setUp(t);
  for (const code of ['brand-new', 'constructor', '__proto__']) {
    admission.next.push({ kind: 'refused', code, reason: 'Because.' });
    assert.equal((await post({})).status, 503, code);
  }
});

test('every rule about projects has its code', () => {
  for (const rule of PROJECT_RULES) assert.equal(SESSION_CODES[`project-${rule}`]?.status, 422, rule);
});

test('the first answer waits for the first round of probes', async (t) => {
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (begin = resolve));
  const { admission, post } = setUp(t, { ready, isReady: false });
  const answer = post({});
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(admission.requests.length, 0);
  begin();
  assert.equal((await answer).status, 201);
});

test('a client that left before the first answers gets no session, and one that stayed does', async (t) => {
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (begin = resolve));
  const { admission, send } = setUp(t, { ready, isReady: false });
  const [left, goneBefore] = [new EventEmitter(), Object.assign(new EventEmitter(), { destroyed: true })];
  const ask = (clientId: string, outgoing: unknown) => send('POST', PATH, JSON.stringify({ clientId }), {}, outgoing);
  const answers = [ask('left', left), ask('gone before', goneBefore), ask('stayed', new EventEmitter())];
  await new Promise((resolve) => setImmediate(resolve));
  left.emit('close');
  begin();
  await Promise.all(answers);
  assert.deepEqual(
    admission.requests.map(({ clientId }) => clientId),
    ['stayed'],
  );
});

test('a poll that comes before the first answers waits for them', async (t) => {
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (begin = resolve));
  const { send } = setUp(t, { ready, isReady: false });
  let answered = false;
  const answer = send('GET', `${PATH}/token-1`).then(({ status }) => {
    answered = true;
    return status;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  begin();
  assert.equal(await answer, 404);
});

test('wrong types are refused with the place of the mistake', async (t) => {
  const bodies = [
    ...[[], null, 'x', 1, true, [{}]],
    ...[{ project: 1 }, { project: null }, { project: ['https://github.com/a/b'] }, { project: {} }],
    ...[{ clientId: 7 }, { clientId: '' }, { wait: 'yes' }, { wait: 1 }, { wait: null }],
    ...[{ labels: 'B12' }, { labels: ['B12'] }, { labels: { room: 12 } }, { labels: { room: null } }, { labels: { '': 'x' } }],
  ];
  assert.deepEqual(
    await refusals(
      t,
      bodies.map((body) => JSON.stringify(body)),
    ),
    bodies.map(() => '400 bad-request'),
  );
  const { post } = setUp(t);
  const reason = async (body: unknown) => ((await (await post(body)).json()) as RefusalView).reason;
  assert.match(await reason({ wait: 'yes' }), /^"wait": .*boolean/);
  assert.match(await reason({ labels: { room: 12 } }), /^"labels\.room": .*string/);
});

test('a body that is not JSON is refused', async (t) => {
  const bodies = [
    '',
    ' ',
    '{',
    '{"wait":true',
    '{wait:true}',
    "{'wait':true}",
    '{"wait":true}}',
    'NaN',
    '\u0000',
    '{"wait":tru}',
    '<x/>',
    '{"a":1,}',
  ];
  assert.deepEqual(
    await refusals(t, bodies),
    bodies.map(() => '400 bad-request'),
  );
});

test('deep nesting is refused without harm', async (t) => {
  const depth = 10_000;
  const arrays = '['.repeat(depth) + ']'.repeat(depth);
  const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
  const bodies = [
    arrays,
    objects,
    '['.repeat(depth),
    `{"labels":${arrays}}`,
    `{"project":${objects}}`,
    `{"labels":{"a":${arrays}}}`,
  ];
  assert.deepEqual(
    await refusals(t, bodies),
    bodies.map(() => '400 bad-request'),
  );
});

test('a body beyond the limit is refused, announced or not', async (t) => {
  const { admission, send } = setUp(t);
  const large = JSON.stringify({ project: 'x'.repeat(10_000_000) });
  assert.equal(await refusalOf(await send('POST', PATH, large, { 'Content-Length': String(large.length) })), '413 too-large');
  assert.equal(await refusalOf(await send('POST', PATH, large)), '413 too-large');
  const fits = JSON.stringify({ project: 'x'.repeat(BODY_BYTES - 14) });
  assert.equal(fits.length, BODY_BYTES);
  assert.equal((await send('POST', PATH, fits)).status, 201);
  assert.equal(await refusalOf(await send('POST', PATH, `${fits} `)), '413 too-large');
  assert.equal(admission.requests.length, 1);
});

test('the last of two fields of the same name counts', async (t) => {
  const { admission, post } = setUp(t);
  await post('{"project":"https://github.com/a/first","project":"https://github.com/a/last"}');
  assert.equal(admission.requests[0]?.projectUrl, 'https://github.com/a/last');
  assert.equal(await refusalOf(await post('{"wait":true,"wait":"no"}')), '400 bad-request');
});

test('names that reach into prototypes are refused and change nothing', async (t) => {
  const bodies = [
    '{"__proto__":{"wait":true}}',
    '{"constructor":{"prototype":{"wait":true}}}',
    '{"prototype":{}}',
    '{"labels":{"__proto__":"x"}}',
    '{"labels":{"\\u005f_proto__":"x"}}',
    '{"labels":{"__proto__":{"polluted":"yes"}}}',
    '{"labels":{"a":"1","__proto__":null}}',
  ];
  assert.deepEqual(
    await refusals(t, bodies),
    bodies.map(() => '400 bad-request'),
  );
  assert.equal(({} as { polluted?: string; wait?: boolean }).polluted, undefined);
});

test('a label may be called like something every object has', async (t) => {
  const { admission, post } = setUp(t);
  assert.equal((await post('{"labels":{"constructor":"x","toString":"y","hasOwnProperty":"z"}}')).status, 201);
  assert.deepEqual(Object.entries(admission.requests[0]?.labels ?? {}), [
    ['constructor', 'x'],
    ['toString', 'y'],
    ['hasOwnProperty', 'z'],
  ]);
});

test('labels and client ids have limits', async (t) => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`label-${i}`, 'x']));
  const bodies = [
    { clientId: 'x'.repeat(10_000) },
    { clientId: 'x'.repeat(201) },
    { labels: { ['x'.repeat(61)]: 'y' } },
    { labels: { x: 'y'.repeat(201) } },
    { labels: labels(21) },
    { labels: labels(3000) },
  ];
  assert.deepEqual(
    await refusals(t, bodies),
    bodies.map(() => '400 bad-request'),
  );
  const { post } = setUp(t);
  const most = { clientId: 'x'.repeat(200), labels: { ...labels(19), ['x'.repeat(60)]: 'y'.repeat(200) } };
  assert.equal((await post(most)).status, 201);
});

test('the refusal of a long label name shows a part of it, without unusual characters, and the limit', async (t) => {
  const { post } = setUp(t);
  const { reason } = (await (await post({ labels: { [`<b>\u202e${'x'.repeat(50_000)}`]: 'y' } })).json()) as RefusalView;
  assert.match(reason, /^"labels\.\\u\{3c\}b\\u\{3e\}\\u\{202e\}x+\.\.\.": the name of a label must have 1 to 60 characters\.$/);
  assert.equal(reason.length < 200, true, `${reason.length} characters`);
});

test('hostile text in labels, client ids and projects travels on as it is and breaks nothing', async (t) => {
  const { admission, post } = setUp(t);
  const hostile = [
    '$(reboot)',
    "'; DROP TABLE x; --",
    '<script>alert(1)</script>',
    '\u0000\u001b[2J\r\nSet-Cookie: x',
    '\ud800',
    '../../etc/passwd',
    '%s%n',
  ];
  for (const text of hostile)
    assert.equal((await post({ labels: { [text]: text }, clientId: text, project: text })).status, 201, JSON.stringify(text));
  assert.deepEqual(
    admission.requests.map(({ projectUrl }) => projectUrl),
    hostile,
  );
});

test('an unknown field is refused with a list of the known ones', async (t) => {
  const { post } = setUp(t);
  const response = await post({ projct: 'https://github.com/a/b' });
  assert.equal(response.status, 400);
  const { reason } = (await response.json()) as RefusalView;
  assert.match(reason, /unknown field "projct"; the fields are project, clientId, labels, code, ends and wait\.$/);
  const long = (await (await post({ [`<b>${'x'.repeat(50_000)}`]: 1 })).json()) as RefusalView;
  assert.ok(long.reason.length < 200);
  assert.doesNotMatch(long.reason, /<b>/);
});

test('another content type is refused as such', async (t) => {
  const { admission, send } = setUp(t);
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'text/json',
    'application/json; ',
    'x',
  ];
  for (const type of types)
    assert.equal(await refusalOf(await send('POST', PATH, '{}', { 'Content-Type': type })), '415 unsupported-media-type', type);
  assert.deepEqual(admission.requests, []);
  for (const type of ['application/json', 'application/json;charset=utf-8', 'Application/JSON; charset="UTF-8"'])
    assert.equal((await send('POST', PATH, '{"project":"x"}', { 'Content-Type': type })).status, 201, type);
  assert.deepEqual(
    admission.requests.map(({ projectUrl }) => projectUrl),
    ['x', 'x', 'x'],
  );
});

test('tickets that were never given out are unknown, however they look', async (t) => {
  const { log, send } = setUp(t);
  for (const ticket of ['x', '%20', '..%2f..%2fetc', '%00', '__proto__', 'constructor', '%F0%9F%A4%96', 'a'.repeat(200)])
    for (const method of ['GET', 'DELETE'])
      assert.equal(await refusalOf(await send(method, `${PATH}/${ticket}`)), '404 unknown-ticket', ticket);
  for (const ticket of ['%zz', '%', '%E0%A4', 'a'.repeat(201)])
    for (const method of ['GET', 'DELETE'])
      assert.equal(await refusalOf(await send(method, `${PATH}/${ticket}`)), '400 bad-request', ticket);
  assert.deepEqual(log.complaints, []);
});

test('pages of other sites may ask for sessions, ask again, and give up', async (t) => {
  const { post, send } = setUp(t);
  const asks = { Origin: 'https://robots.example', 'Access-Control-Request-Headers': 'content-type' };
  for (const [path, method] of [
    [PATH, 'POST'],
    [`${PATH}/x`, 'DELETE'],
  ] as const) {
    const preflight = await send('OPTIONS', path, undefined, { ...asks, 'Access-Control-Request-Method': method });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('Access-Control-Allow-Origin'), '*');
    assert.ok(preflight.headers.get('Access-Control-Allow-Methods')?.split(',').includes(method));
    assert.match(preflight.headers.get('Access-Control-Allow-Headers') ?? '', /Content-Type/);
    assert.equal(preflight.headers.get('Access-Control-Allow-Credentials'), null);
  }
  for (const response of [await post({}), await post('{'), await send('GET', `${PATH}/x`), await send('PUT')]) {
    assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*');
    assert.match(response.headers.get('Access-Control-Expose-Headers') ?? '', /Location,Retry-After/);
    assert.equal(response.headers.get('Cache-Control'), 'no-store');
  }
});

test('other methods are refused with those that exist', async (t) => {
  const { admission, send } = setUp(t);
  for (const [method, path, allow] of [
    ['GET', PATH, 'POST, OPTIONS'],
    ['HEAD', PATH, 'POST, OPTIONS'],
    ['PUT', PATH, 'POST, OPTIONS'],
    ['DELETE', PATH, 'POST, OPTIONS'],
    ['POST', `${PATH}/x`, 'GET, HEAD, DELETE, OPTIONS'],
    ['PATCH', `${PATH}/x`, 'GET, HEAD, DELETE, OPTIONS'],
  ] as const) {
    const response = await send(method, path);
    assert.equal(response.status, 405, `${method} ${path}`);
    assert.equal(response.headers.get('Allow'), allow);
    if (method !== 'HEAD') assert.equal(await refusalOf(response), '405 method-not-allowed');
  }
  assert.deepEqual(admission.requests, []);
});

test('over a real connection a body of 10 MB is refused and the server continues', async (t) => {
  const { routes } = setUp(t);
  const server = createServer(toListener(routes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const send = (body: string, headers: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path: PATH,
        method: 'POST',
        agent: false,
        headers: { 'Content-Type': 'application/json', ...headers },
      };
      const request = httpRequest(options, (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve(`${response.statusCode} ${(JSON.parse(text) as { code?: string }).code ?? ''}`);
        });
      });
      let answered = false;
      request.on('response', () => (answered = true));
      // The server may hang up on what it does not want to read.
      request.on('error', (error) => {
        if (!answered) reject(error);
      });
      request.end(body);
    });
  const large = JSON.stringify({ project: 'x'.repeat(10_000_000) });
  assert.equal(await send(large, { 'Content-Length': String(large.length) }), '413 too-large');
  assert.equal(await send(large, { 'Transfer-Encoding': 'chunked' }), '413 too-large');
  assert.equal(await send('{}', {}), '201 ');
});
