import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Hono } from 'hono';
import { hashOf } from '../../config/token.ts';
import type { RefusalView, ViewerView } from '../../core/views/monitor-view.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { CSRF_HEADER } from '../../core/views/csrf-header.ts';
import { createAccess } from './access.ts';
import { createAddressOf, parseNetworks } from '../server/client-address.ts';
import type { Env } from '../server/routes.ts';
import type { AccessToken } from './roles.ts';

const ADA: AccessToken = { name: 'ada', hash: hashOf('the token of ada'), readOnly: false };
const BOB: AccessToken = { name: 'bob', hash: hashOf('the token of bob'), readOnly: false };
const PROMETHEUS: AccessToken = { name: 'prometheus', hash: hashOf('the token of prometheus'), readOnly: true };

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly address?: string;
}

interface Setting {
  readonly tokens?: AccessToken[];
  readonly reading?: 'open' | 'token';
  readonly port?: number;
  readonly origin?: string;
  readonly shared?: boolean;
}

function setUp({ tokens = [ADA, BOB], reading = 'open', port = 1999, origin, shared = false }: Setting = {}) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const state = { tokens, reading };
  let ids = 0;
  const access = createAccess({
    tokens: () => state.tokens,
    reading: () => state.reading,
    port: () => port,
    origin: () => origin,
    sharesSite: () => shared,
    addressOf: createAddressOf(parseNetworks(['127.0.0.0/8']).networks),
    clock,
    newId: () => `id-${++ids}`,
    log,
  });
  const app = new Hono<Env>();
  app.route('/', access.routes);
  app.get('/read', access.mayRead, (c) => c.text('read'));
  app.get('/reads-on', (c) => c.text(String(access.readsOn(c))));
  app.post('/reserve', access.mayReserve, (c) => c.text(c.get('token').name));
  app.get('/see-reservations', access.maySeeReservations, (c) => c.text(c.get('token').name));
  app.post('/act', access.mayAct, (c) => c.text(c.get('actor')));
  const send = (path: string, { address = '192.0.2.1', ...init }: Sent = {}) => {
    const headers = init.headers ?? {};
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const rawHeaders = Object.entries(headers).flat();
    const incoming = { socket: { remoteAddress: address }, headers: lower, rawHeaders } as unknown as IncomingMessage;
    return app.request(path, init, { incoming });
  };
  const enter = async (token: string, sent: Sent = {}) =>
    send('/monitor/enter', {
      method: 'POST',
      body: JSON.stringify({ token }),
      ...sent,
      headers: { 'Content-Type': 'application/json', ...sent.headers },
    });
  return { clock, log, state, send, enter };
}

const bearer = (token: string) => ({ method: 'POST', headers: { Authorization: `Bearer ${token}` } });

async function refusal(response: Response): Promise<string> {
  const { code, reason } = (await response.json()) as RefusalView;
  assert.ok(reason.length > 10);
  return `${response.status} ${code}`;
}

test('the holder of a token acts under its name', async () => {
  const { send } = setUp();
  assert.equal(await (await send('/act', bearer('the token of bob'))).text(), 'bob');
});

test('actions are refused without a token, with a wrong one, and with the hash of one', async () => {
  const { send } = setUp();
  assert.equal(await refusal(await send('/act', { method: 'POST' })), '401 token-missing');
  for (const wrong of ['x', '', ADA.hash, 'the token of ada '.repeat(2), 'a'.repeat(5000)]) {
    const response = await send('/act', bearer(wrong));
    assert.equal(response.status, 401, wrong.slice(0, 20));
  }
});

test('a read-only token opens what is closed and changes nothing, sent by a program or entered on the page', async () => {
  const { send, enter, state } = setUp({ tokens: [ADA, PROMETHEUS], reading: 'token' });
  const { headers } = bearer('the token of prometheus');
  assert.equal((await send('/read', { headers })).status, 200);
  const refused = await send('/act', { method: 'POST', headers });
  assert.match(((await refused.clone().json()) as RefusalView).reason, /token of prometheus is read-only/);
  assert.equal(await refusal(refused), '403 token-read-only');

  const entered = await enter('the token of prometheus');
  const { name, actions, csrf } = (await entered.json()) as ViewerView;
  assert.deepEqual([name, actions], ['prometheus', 'locked']);
  const Cookie = entered.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  const ofPage = { Cookie, [CSRF_HEADER]: csrf ?? '' };
  assert.equal((await send('/read', { headers: { Cookie } })).status, 200);
  assert.equal(await refusal(await send('/act', { method: 'POST', headers: ofPage })), '403 token-read-only');
  assert.equal(await refusal(await send('/act', { method: 'POST', headers: { Cookie } })), '403 csrf');

  state.tokens = [PROMETHEUS];
  const alone = (await (await send('/monitor/viewer', { headers: { Cookie } })).json()) as ViewerView;
  assert.deepEqual([alone.name, alone.actions], ['prometheus', 'none'], 'no token allows actions');
  state.tokens = [ADA, { ...PROMETHEUS, readOnly: false }];
  assert.equal((await send('/act', { method: 'POST', headers: ofPage })).status, 200, 'what it may is as configured now');
  assert.equal(await refusal(await send('/monitor/leave', { method: 'POST', headers: { Cookie } })), '403 csrf');
  state.tokens = [ADA, PROMETHEUS];
  assert.equal((await send('/monitor/leave', { method: 'POST', headers: ofPage })).status, 200);
  assert.equal((await send('/read', { headers: { Cookie } })).status, 401);
});

test('a teacher reserves and does nothing else; an operator may do both, a reader neither', async () => {
  const noether: AccessToken = { name: 'noether', hash: hashOf('the token of noether'), role: 'teacher' };
  const { send, enter } = setUp({ tokens: [ADA, noether, { ...PROMETHEUS, readOnly: false, role: 'reader' }], reading: 'token' });
  const reserve = (token: string) => send('/reserve', bearer(token));
  assert.equal(await (await reserve('the token of noether')).text(), 'noether');
  assert.equal(await (await reserve('the token of ada')).text(), 'ada');
  assert.equal(await refusal(await reserve('the token of prometheus')), '403 token-read-only');
  const see = (token: string) => send('/see-reservations', { headers: bearer(token).headers });
  assert.equal(await (await see('the token of noether')).text(), 'noether');
  assert.equal(await refusal(await see('the token of prometheus')), '403 token-read-only');
  assert.equal(await refusal(await send('/act', bearer('the token of noether'))), '403 token-teacher');
  const { headers } = bearer('the token of noether');
  assert.equal(await refusal(await send('/read', { headers })), '403 token-teacher');
  assert.equal(await (await send('/reads-on', { headers })).text(), 'false');
  assert.equal(await refusal(await enter('the token of noether')), '403 token-teacher');
  assert.equal(((await (await send('/monitor/viewer')).json()) as ViewerView).actions, 'locked');
});

test('a token in the URL is refused even when it is right', async () => {
  const { send } = setUp();
  for (const word of ['token', 'access_token', 'api_key']) {
    const query = `?${word}=${encodeURIComponent('the token of ada')}`;
    assert.equal(await refusal(await send(`/act${query}`, { method: 'POST' })), '400 token-in-query');
    assert.equal(await refusal(await send(`/read${query}`)), '400 token-in-query');
    assert.equal(await refusal(await send(`/act${query}`, bearer('the token of ada'))), '400 token-in-query');
    assert.equal(await refusal(await send(`/monitor/viewer${query}`)), '400 token-in-query');
    for (const path of ['/monitor/enter', '/monitor/leave'])
      assert.equal(await refusal(await send(`${path}${query}`, { method: 'POST' })), '400 token-in-query');
  }
});

test('without configured tokens actions are refused, and the refusal says how to get a token', async () => {
  const { send, enter } = setUp({ tokens: [] });
  const response = await send('/act', { method: 'POST' });
  assert.match(((await response.clone().json()) as RefusalView).reason, /session-server token NAME/);
  assert.equal(await refusal(response), '403 no-tokens');
  assert.equal(await refusal(await enter('x')), '403 no-tokens');
  assert.equal(((await (await send('/monitor/viewer')).json()) as ViewerView).actions, 'none');
});

test('after ten wrong tries an address is asked to wait, others are not, and the right token is accepted at any time', async () => {
  const { send, enter, clock } = setUp();
  for (let count = 0; count < 10; count++) assert.equal((await send('/act', bearer('wrong'))).status, 401);
  const blocked = await send('/act', bearer('wrong'));
  assert.equal(blocked.headers.get('Retry-After'), '6');
  assert.equal(await refusal(blocked), '429 too-many-tries');
  assert.equal((await send('/act', { ...bearer('wrong'), address: '192.0.2.2' })).status, 401);
  assert.equal(await (await send('/act', bearer('the token of ada'))).text(), 'ada');
  assert.equal((await enter('the token of ada')).status, 200);
  await clock.advance(60);
  for (let count = 0; count < 10; count++) assert.equal((await send('/act', bearer('wrong'))).status, 401);
  assert.equal((await send('/act', bearer('wrong'))).status, 429);
});

test('wrong tries on the page and by programs count together, right ones do not count', async () => {
  const { send, enter } = setUp();
  for (let count = 0; count < 50; count++) assert.equal((await send('/act', bearer('the token of ada'))).status, 200);
  for (let count = 0; count < 5; count++) {
    assert.equal((await send('/act', bearer('wrong'))).status, 401);
    assert.equal((await enter('wrong')).status, 401);
  }
  assert.equal((await enter('wrong')).status, 429);
});

test('attempts through one reverse proxy are counted by client, not by proxy', async () => {
  const { send } = setUp();
  const from = (client: string) => ({
    method: 'POST',
    address: '127.0.0.1',
    headers: { Authorization: 'Bearer wrong', 'x-forwarded-for': client },
  });
  for (let count = 0; count < 11; count++) await send('/act', from('198.51.100.1'));
  assert.equal((await send('/act', from('198.51.100.1'))).status, 429);
  assert.equal((await send('/act', from('198.51.100.2'))).status, 401);
});

async function entered({ enter }: ReturnType<typeof setUp>, sent: Sent = {}) {
  const response = await enter('the token of ada', sent);
  assert.equal(response.status, 200);
  const cookie = response.headers.get('Set-Cookie') ?? '';
  return { cookie, pair: cookie.split(';')[0] ?? '', viewer: (await response.json()) as ViewerView };
}

test('a token entered on the page gives a cookie that scripts cannot read and other sites cannot send', async () => {
  const set = setUp();
  const { cookie, viewer } = await entered(set);
  assert.match(cookie, /; Path=\/monitor; HttpOnly; SameSite=Strict$/, 'the browser sends it to the page alone');
  assert.match(cookie, /Max-Age=43200/);
  assert.ok(!cookie.includes('the token of ada'));
  assert.equal(viewer.name, 'ada');
  assert.equal(viewer.actions, 'ready');
  assert.match((await entered(set, { headers: { 'X-Forwarded-Proto': 'https' } })).cookie, /; Secure/);
});

test('two session servers of one machine do not sign each other out, although cookies do not know ports', async () => {
  const [one, other] = [setUp(), setUp({ port: 2999 })];
  const jar = new Map<string, string>();
  for (const set of [one, other, one]) {
    const [name = '', value = ''] = (await entered(set)).pair.split('=');
    jar.set(name, value);
  }
  const Cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ');
  for (const set of [one, other]) {
    const viewer = (await (await set.send('/monitor/viewer', { headers: { Cookie } })).json()) as ViewerView;
    assert.equal(viewer.name, 'ada');
  }
});

test('the cookie alone does not act: the CSRF token of the page must come with it', async () => {
  const set = setUp();
  const { pair, viewer } = await entered(set);
  const act = (csrf?: string) =>
    set.send('/act', { method: 'POST', headers: { Cookie: pair, ...(csrf !== undefined && { [CSRF_HEADER]: csrf }) } });
  assert.equal(await refusal(await act()), '403 csrf');
  assert.equal(await refusal(await act('guess')), '403 csrf');
  assert.equal(await (await act(viewer.csrf ?? '')).text(), 'ada');
  const other = await entered(set);
  assert.equal(await refusal(await act(other.viewer.csrf ?? '')), '403 csrf', "another session's word");
});

test('a page of another site cannot make a browser enter a token', async () => {
  const set = setUp();
  const response = await set.enter('the token of ada', { headers: { 'Sec-Fetch-Site': 'cross-site' } });
  assert.equal(await refusal(response), '403 csrf');
  assert.equal(response.headers.get('Set-Cookie'), null);
});

test('where browsers send no more than an origin, a page of another port or host neither signs in nor acts', async () => {
  const set = setUp();
  const Host = 'webots.example.org:1999';
  const { pair, viewer } = await entered(set, { headers: { Host, Origin: `http://${Host}` } });
  const act = { Cookie: pair, Host, [CSRF_HEADER]: viewer.csrf ?? '' };
  for (const Origin of ['http://webots.example.org:2000', 'http://evil.example', 'null', 'x']) {
    assert.equal(await refusal(await set.enter('the token of ada', { headers: { Host, Origin } })), '403 csrf', Origin);
    assert.equal(await refusal(await set.send('/act', { method: 'POST', headers: { ...act, Origin } })), '403 csrf', Origin);
  }
  assert.equal((await set.send('/act', { method: 'POST', headers: { ...act, Origin: `http://${Host}` } })).status, 200);
});

test('where pages of simulation servers share the origin, a browser session reads, and each action needs the token', async () => {
  const set = setUp({ shared: true, reading: 'token' });
  const { pair, viewer } = await entered(set);
  assert.deepEqual([viewer.actions, viewer.confirms], ['ready', true]);
  const headers = { Cookie: pair, [CSRF_HEADER]: viewer.csrf ?? '' };
  assert.equal((await set.send('/read', { headers })).status, 200);
  assert.equal(await refusal(await set.send('/act', { method: 'POST', headers })), '401 token-again');
  assert.equal(await refusal(await set.send('/reserve', { method: 'POST', headers })), '401 token-again');
  assert.equal(await (await set.send('/see-reservations', { headers })).text(), 'ada');
  assert.equal(await refusal(await set.send('/see-reservations', { headers: { Cookie: pair } })), '403 csrf');
  assert.equal(await refusal(await set.send('/see-reservations')), '401 token-missing');
  const confirmed = { ...headers, Authorization: 'Bearer the token of bob' };
  assert.equal(await (await set.send('/act', { method: 'POST', headers: confirmed })).text(), 'bob');
});

test('with an origin of their own, operators sign in and act there alone, and their cookie is worth nothing elsewhere', async () => {
  const origin = 'https://webots.example.org:8443';
  const set = setUp({ origin, shared: true, reading: 'token' });
  const there = { Host: 'webots.example.org:8443', Origin: origin };
  // Cookies ignore ports, so the browser sends this one to the site of the clients, too.
  const site = { Host: 'webots.example.org', Origin: 'https://webots.example.org', 'Sec-Fetch-Site': 'same-origin' };
  const { pair, viewer } = await entered(set, { headers: there });
  assert.deepEqual([viewer.confirms, viewer.signInAt], [false, null]);
  const act = (headers: Record<string, string>) =>
    set.send('/act', { method: 'POST', headers: { Cookie: pair, [CSRF_HEADER]: viewer.csrf ?? '', ...headers } });
  assert.equal((await act(there)).status, 200);
  assert.equal(await refusal(await act(site)), '401 token-missing');
  assert.equal(await refusal(await act({ ...site, 'X-Forwarded-Host': there.Host })), '401 token-missing', 'a script can set it');
  assert.equal(await refusal(await act({ ...there, Origin: site.Origin, 'Sec-Fetch-Site': 'same-site' })), '403 csrf');
  assert.equal((await set.send('/read', { headers: { Cookie: pair, ...site } })).status, 401);
  const { name, csrf, signInAt } = (await (
    await set.send('/monitor/viewer', { headers: { Cookie: pair, ...site } })
  ).json()) as ViewerView;
  assert.deepEqual({ name, csrf, signInAt }, { name: null, csrf: null, signInAt: `${origin}/monitor` });
  assert.equal(await refusal(await set.enter('the token of ada', { headers: site })), '403 other-origin');
  const form = { method: 'POST', headers: { ...site, 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'token=x' };
  assert.equal((await set.send('/monitor/enter', form)).headers.get('Location'), `${origin}/monitor`);
});

test('a browser without scripts enters its token by the form and lands on the page again', async () => {
  const { send } = setUp();
  const form = (token: string) =>
    send('/monitor/enter', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }).toString(),
    });
  const right = await form('the token of ada');
  assert.deepEqual([right.status, right.headers.get('Location')], [303, '../monitor']);
  assert.match(right.headers.get('Set-Cookie') ?? '', /^session-server-1999=/);
  const wrong = await form('x');
  assert.deepEqual([wrong.status, wrong.headers.get('Location')], [303, '../monitor?refused=token-wrong']);
});

test('a session ends when its holder leaves, when its token is removed, and after twelve hours', async () => {
  const set = setUp();
  const viewerOf = async (pair: string) =>
    (await (await set.send('/monitor/viewer', { headers: { Cookie: pair } })).json()) as ViewerView;

  const left = await entered(set);
  assert.equal((await viewerOf(left.pair)).name, 'ada');
  const leaving = { method: 'POST', headers: { Cookie: left.pair, [CSRF_HEADER]: left.viewer.csrf ?? '' } };
  assert.equal((await set.send('/monitor/leave', leaving)).status, 200);
  assert.equal((await viewerOf(left.pair)).name, null);

  const removed = await entered(set);
  set.state.tokens = [BOB];
  assert.equal((await viewerOf(removed.pair)).name, null);
  set.state.tokens = [ADA, BOB];

  const old = await entered(set);
  await set.clock.advance(12 * 3600 + 1);
  assert.deepEqual(await viewerOf(old.pair), { name: null, actions: 'locked', csrf: null, confirms: false, signInAt: null });
});

test('signing out of a session that is over already succeeds; a current one ends only with the CSRF token', async () => {
  const set = setUp();
  const { pair } = await entered(set);
  const leave = (headers: Record<string, string>) => set.send('/monitor/leave', { method: 'POST', headers });
  assert.equal(await refusal(await leave({ Cookie: pair })), '403 csrf');
  await set.clock.advance(12 * 3600 + 1);
  for (const headers of [{ Cookie: pair }, { Cookie: 'session-server-1999=of-the-last-run' }, {}]) {
    const left = await leave(headers);
    assert.equal(left.status, 200);
    assert.equal(((await left.json()) as ViewerView).actions, 'locked');
    assert.match(left.headers.get('Set-Cookie') ?? '', /^session-server-1999=; Max-Age=0/);
  }
});

test('reading is open to all, or closed to all without a token', async () => {
  const { send, state } = setUp();
  assert.equal((await send('/read')).status, 200);
  state.reading = 'token';
  assert.equal(await refusal(await send('/read')), '401 token-missing');
  assert.equal((await send('/read', { headers: { Authorization: 'Bearer the token of ada' } })).status, 200);
});

test('an admitted reader reads until reading is closed, or its session or token ends, and never counts as an attempt', async () => {
  const set = setUp();
  const { clock, log, state, send } = set;
  const page = { headers: { Cookie: (await entered(set)).pair } };
  const program = { headers: bearer('the token of bob').headers };
  const readOn = async () => Promise.all([{}, page, program].map(async (reader) => (await send('/reads-on', reader)).text()));
  assert.deepEqual(await readOn(), ['true', 'true', 'true']);
  state.reading = 'token';
  for (let tick = 0; tick < 20; tick++) assert.deepEqual(await readOn(), ['false', 'true', 'true']);
  state.tokens = [ADA];
  for (let tick = 0; tick < 20; tick++) assert.deepEqual(await readOn(), ['false', 'true', 'false']);
  await clock.advance(12 * 3600);
  assert.deepEqual(await readOn(), ['false', 'false', 'false']);
  assert.equal((await send('/read', { headers: bearer('the token of ada').headers })).status, 200);
  assert.deepEqual(log.complaints, []);
});

test('a session in the browser reads when reading is closed', async () => {
  const set = setUp({ reading: 'token' });
  const { pair } = await entered(set);
  assert.equal((await set.send('/read', { headers: { Cookie: pair } })).status, 200);
});

test('any text may be entered as a token', async () => {
  const { send, log } = setUp();
  const bodies = ['', '{', 'null', '[]', '"x"', '{"token":1}', '{"token":null}', `{"token":"${'x'.repeat(3000)}"}`];
  for (const [index, body] of bodies.entries()) {
    const response = await send('/monitor/enter', {
      method: 'POST',
      body,
      address: `192.0.2.${index}`,
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(response.status, 401, body.slice(0, 20));
  }
  const large = await send('/monitor/enter', {
    method: 'POST',
    body: `{"token":"${'x'.repeat(100_000)}"}`,
    headers: { 'Content-Type': 'application/json' },
  });
  assert.equal(large.status, 413);
  assert.ok(!JSON.stringify(log.lines).includes('xxx'), 'nothing that was entered is logged');
});
