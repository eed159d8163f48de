/** Session requests of programs from the route down to the ledger: real admission, real waiting line, real ledger, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ALLOCATION } from '../../src/core/allocation/allocation-parameters.ts';
import type { ServerState } from '../../src/core/fleet/fleet.ts';
import { explain, type Situation } from '../../src/core/views/explanation.ts';
import { Ledger } from '../../src/core/allocation/ledger.ts';
import type { ExplainView, RefusalView } from '../../src/core/views/monitor-view.ts';
import { Router, type RoutingRules } from '../../src/core/fleet/routing.ts';
import { TokenBuckets } from '../../src/core/limits/token-bucket.ts';
import { WaitingLine } from '../../src/core/queue/waiting-line.ts';
import { createAdmission, type AdmissionOptions } from '../../src/engine/admission.ts';
import { ledgerBookings } from '../../src/engine/bookings.ts';
import { Decisions } from '../../src/engine/decisions.ts';
import { createApiRoutes } from '../../src/http/operators/api-routes.ts';
import { explainView } from '../../src/http/operators/explain-view.ts';
import { createApi } from '../../src/http/server/openapi.ts';
import { createRoutes } from '../../src/http/server/routes.ts';
import { SessionTickets } from '../../src/http/clients/session-tickets.ts';
import { createSessionsApi } from '../../src/http/clients/sessions-api.ts';
import { endpointOf } from '../support/endpoints.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { DemoFleet } from '../support/monitor-source.ts';

const RULES: RoutingRules = { shareIdleTime: 0, labels: {} };
const RESUME = 30;

interface Body {
  readonly type: 'allocated' | 'waiting';
  readonly ticket: string;
  readonly server: string;
  readonly position: number;
}

interface Context {
  after(done: () => Promise<void>): void;
}

/** Servers with the load they report; `rules` by address. */
function setUp(context: Context, loads: Record<string, number>, rules: Record<string, Partial<RoutingRules>> = {}) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0);
  const router = new Router();
  const endpoints = new Map(Object.keys(loads).map((address) => [endpointOf(address).id, endpointOf(address)]));
  let serial = 0;
  const newId = () => `id-${(serial += 1)}`;

  const report = (address: string, load: number, state: ServerState = 'available') => {
    const { id } = endpointOf(address);
    ledger.report(id, load, clock.now());
    router.update({ id, state, load, ...RULES, ...rules[address] });
  };
  for (const [address, load] of Object.entries(loads)) {
    ledger.add(endpointOf(address).id, {}, clock.now());
    report(address, load);
  }

  /** A session server; a second one is the same after a restart. */
  const start = () => {
    const line = new WaitingLine({ maxLength: 50, maxPerAddress: 20, resume: RESUME, passing: 120 });
    const explained: AdmissionOptions['explain'] = (project, labels, handOut) =>
      explain(
        [...endpoints.values()].map(({ id, address }): Situation => {
          const admittance = router.admittance(id, project, labels) ?? 'open';
          return { id, address, admittance, state: 'available', since: 0, loadThreshold: 95, booked: 0, shareIdleTime: 0 };
        }),
        handOut?.server,
      );
    const { requests, queue, prospects } = createAdmission({
      ...{ clock, newId, log, router, line, explain: explained },
      bookings: ledgerBookings(ledger, clock),
      buckets: new TokenBuckets({ burst: 100, rate: 1, maxKeys: 1000 }),
      decisions: new Decisions(),
      costOf: () => 8,
      settings: () => ({ handOutSsl: true, otherHosts: [], settle: 60, resume: RESUME }),
      endpoint: (id) => endpoints.get(id),
    });
    const tickets = new SessionTickets({ requests, queue, clock, newId, log, resume: () => RESUME });
    context.after(() => tickets.stop());
    context.after(() => queue.stop());
    let address = 'unknown';
    const fleet = new DemoFleet();
    const api = createApi({
      version: '1',
      groups: [
        createSessionsApi({
          sent: () => undefined,
          ...{ tickets, ready: Promise.resolve(), isReady: () => true, bodyBytes: () => 65_536 },
          addressOf: () => ({ address, limitKey: address }),
        }),
        createApiRoutes({
          source: fleet,
          clock,
          addressOf: () => ({ address, limitKey: address }),
          availability: () => fleet.snapshot().fleet,
          explain: (url, labels) =>
            explainView(
              {
                otherHosts: () => [],
                route: (project, labels) => router.route(project, labels),
                prospect: (project, labels) => prospects.prospect(project, labels),
                explain: (project, labels) => explained(project, labels, undefined),
              },
              url,
              labels,
            ),
          mayRead: (_c, next) => next(),
        }),
      ],
    });
    const routes = createRoutes({ log, groups: [api] });
    const send = async (method: string, path: string, body?: unknown, from = 'school') => {
      address = from;
      const headers = { 'Content-Type': 'application/json' };
      const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
      return await routes.request(`/api/v1${path}`, init, { incoming: undefined });
    };
    return {
      ...{ queue, line, send },
      ask: async (body: unknown = {}, from?: string) => await send('POST', '/sessions', body, from),
      look: async (ticket: string) => await send('GET', `/sessions/${ticket}`),
    };
  };
  return { clock, log, ledger, report, start };
}

async function bodyOf(response: Response, status: number): Promise<Body> {
  assert.equal(response.status, status, JSON.stringify(await response.clone().json()));
  return (await response.json()) as Body;
}

async function refusalOf(response: Response): Promise<string> {
  const { code, reason } = (await response.json()) as RefusalView;
  assert.ok(reason.length > 10);
  return `${response.status} ${code}`;
}

test('a class gets what fits, spread evenly; the others wait in order and get what comes free, by asking', async (t) => {
  const { clock, log, ledger, report, start } = setUp(t, { 'a:1': 10, 'b:1': 10, 'c:1': 10 });
  const { ask, look, line } = start();
  const answers = [];
  for (let i = 0; i < 40; i += 1) answers.push(await ask({ wait: true }));
  const allocated = await Promise.all(answers.filter(({ status }) => status === 201).map((answer) => bodyOf(answer, 201)));
  const waiting = await Promise.all(answers.filter(({ status }) => status === 202).map((answer) => bodyOf(answer, 202)));
  assert.equal(allocated.length, 27, 'nine sessions of 8 points each fit below 90 on each');
  assert.deepEqual(
    ['a:1', 'b:1', 'c:1'].map((id) => allocated.filter(({ server }) => server === id).length),
    [9, 9, 9],
  );
  assert.deepEqual(
    waiting.map(({ position }) => position),
    waiting.map((_, index) => index + 1),
  );

  // A session ends every ten seconds; every client asks every two.
  const order: string[] = [];
  let load = 82;
  for (let second = 0; second < 300 && order.length < waiting.length; second += 2) {
    if (second % 10 === 0) load -= 8;
    for (const address of ['a:1', 'b:1', 'c:1']) report(address, address === 'a:1' ? Math.max(20, load) : 82);
    await clock.advance(2);
    for (const { ticket } of waiting) {
      if (order.includes(ticket)) continue;
      const body = await bodyOf(await look(ticket), 200);
      if (body.type === 'allocated') order.push(ticket);
    }
  }
  assert.deepEqual(
    order,
    waiting.map(({ ticket }) => ticket),
  );
  assert.equal(line.length, 0);
  assert.ok((ledger.account('a:1')?.predicted ?? 100) < 90);
  assert.deepEqual(log.complaints, []);
});

test('without waiting, the refusal says why, and leaves nothing behind', async (t) => {
  const { start } = setUp(t, { 'a:1': 88 });
  const { ask, line } = start();
  const response = await ask({ wait: false });
  assert.equal(response.headers.get('Retry-After'), '5');
  assert.equal(await refusalOf(response), '503 no-room');
  assert.equal(line.length, 0);
});

test('the same client asking five times at once and later again has one booking', async (t) => {
  const { clock, ledger, start } = setUp(t, { 'a:1': 10 });
  const { ask } = start();
  const request = { clientId: '7d444840-9dc0-11d1-b245-5ffdce74fad2', project: 'https://github.com/a/b' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(request)));
  await clock.advance(20);
  answers.push(await ask(request));
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  assert.equal(new Set(bodies).size, 1);
  assert.equal(ledger.account('a:1')?.bookings, 1);
  await ask(request, 'elsewhere');
  assert.equal(ledger.account('a:1')?.bookings, 2);
});

test('a session that is given up makes room at once', async (t) => {
  const { ledger, start } = setUp(t, { 'a:1': 80 });
  const { ask, send } = start();
  const { ticket } = await bodyOf(await ask(), 201);
  assert.equal(await refusalOf(await ask()), '503 no-room');
  assert.equal((await send('DELETE', `/sessions/${ticket}`)).status, 204);
  assert.equal(ledger.account('a:1')?.bookings, 0);
  await bodyOf(await ask(), 201);
});

test('a silent client is skipped, has its place for a while, and then loses it', async (t) => {
  const { clock, ledger, report, start } = setUp(t, { 'a:1': 88 });
  const { ask, look, line } = start();
  const silent = await bodyOf(await ask({ wait: true }), 202);
  const patient = await bodyOf(await ask({ wait: true }), 202);
  for (let i = 0; i < 10; i += 1) {
    report('a:1', 75);
    await clock.advance(2);
    await look(patient.ticket);
  }
  assert.equal((await bodyOf(await look(patient.ticket), 200)).type, 'allocated');
  assert.equal(ledger.account('a:1')?.bookings, 1);
  assert.equal((await bodyOf(await look(silent.ticket), 200)).position, 1);
  await clock.advance(10 + RESUME + 2);
  assert.equal(await refusalOf(await look(silent.ticket)), '404 unknown-ticket');
  assert.equal(line.length, 0);
});

test('a server that came free for a client that does not come goes to the next', async (t) => {
  const { clock, ledger, report, start } = setUp(t, { 'a:1': 88 });
  const { ask, look } = start();
  const { ticket } = await bodyOf(await ask({ wait: true }), 202);
  await clock.advance(16);
  await look(ticket);
  report('a:1', 75);
  await clock.advance(2);
  assert.equal(ledger.account('a:1')?.bookings, 1);
  assert.equal(await refusalOf(await ask()), '503 no-room');
  await clock.advance(RESUME);
  report('a:1', 75);
  assert.equal(ledger.account('a:1')?.bookings, 0);
  await bodyOf(await ask(), 201);
  assert.equal(await refusalOf(await look(ticket)), '410 lapsed');
});

test('a place in line survives a restart of the session server', async (t) => {
  const { clock, report, start } = setUp(t, { 'a:1': 88 });
  const before = start();
  const tickets = [];
  for (let i = 0; i < 3; i += 1) tickets.push((await bodyOf(await before.ask({ wait: true }), 202)).ticket);
  const saved: unknown = JSON.parse(JSON.stringify(before.queue.save()));
  await before.queue.stop();
  const after = start();
  after.queue.restore(saved);
  await clock.advance(5);
  const positions = [];
  for (const ticket of tickets) positions.push((await bodyOf(await after.look(ticket), 200)).position);
  assert.deepEqual(positions, [1, 2, 3]);
  for (let i = 0; i < 10; i += 1) {
    report('a:1', 70);
    await clock.advance(2);
    for (const ticket of tickets) await after.look(ticket);
  }
  const types = [];
  for (const ticket of tickets) types.push((await bodyOf(await after.look(ticket), 200)).type);
  assert.deepEqual(types, ['allocated', 'allocated', 'waiting']);
});

test('a client that asks again after a restart has one place in line, and others have theirs', async (t) => {
  const { start } = setUp(t, { 'a:1': 88 }, { 'a:1': { labels: { room: 'B12', gpu: 'yes' } } });
  const before = start();
  const request = { clientId: 'k', project: 'HTTPS://github.com/bob/two', labels: { room: 'B12', gpu: 'yes' }, wait: true };
  const { ticket } = await bodyOf(await before.ask(request), 202);
  const saved: unknown = JSON.parse(JSON.stringify(before.queue.save()));
  await before.queue.stop();
  const after = start();
  after.queue.restore(saved);
  const others = [{ ...request, clientId: 'l' }, { ...request, project: 'https://github.com/bob/three' }, { wait: true }];
  for (const other of others) assert.notEqual((await bodyOf(await after.ask(other), 202)).ticket, ticket);
  assert.notEqual((await bodyOf(await after.ask(request, 'elsewhere'), 202)).ticket, ticket);
  const again = { ...request, labels: { gpu: 'yes', room: 'B12' } };
  for (const asked of [again, request]) {
    const { ticket: same, position } = await bodyOf(await after.ask(asked), 202);
    assert.deepEqual([same, position], [ticket, 1]);
  }
  assert.equal(after.line.length, 5);
});

test('an impossible request is refused at once with the rule, and not queued', async (t) => {
  const { start } = setUp(
    t,
    { 'a:1': 10 },
    { 'a:1': { allowedRepositories: ['github.com/cyberbotics'], labels: { room: 'B12' } } },
  );
  const { ask, line } = start();
  for (const [body, refusal] of [
    [{ project: 'https://github.com/cyberbotics-evil/x' }, '403 no-server-allows-repository'],
    [{ project: 'https://example.org/a/b' }, '422 project-host'],
    [{ project: 'https://github.com/a/b;reboot' }, '422 project-shell-metacharacter'],
    [{ project: '' }, '422 project-empty'],
    [{ project: 'x'.repeat(20_000) }, '422 project-too-long'],
    [{ labels: { room: 'B13' } }, '422 no-server-has-labels'],
    [{ labels: { constructor: 'x' } }, '422 no-server-has-labels'],
  ] as const)
    assert.equal(await refusalOf(await ask({ ...body, wait: true })), refusal);
  assert.equal(line.length, 0);
  await bodyOf(await ask({ project: 'https://github.com/cyberbotics/webots', labels: { room: 'B12' } }), 201);
});

test('the explanation says how a request would then be answered', async (t) => {
  const rules = { 'a:1': { allowedRepositories: ['github.com/cyberbotics'] }, 'b:1': { labels: { room: 'B12' } } };
  const { start } = setUp(t, { 'a:1': 70, 'b:1': 70 }, rules);
  const { ask, send } = start();
  const wishes: [string, Record<string, string> | undefined][] = [
    ['https://github.com/cyberbotics/webots', undefined],
    ['https://github.com/other/x', undefined],
    ['https://github.com/other/x', { room: 'B12' }],
    ['https://github.com/other/x', { room: 'B13' }],
    ['https://example.org/x', undefined],
    ['not a url', undefined],
  ];
  const heard = new Set<string>();
  for (let round = 0; round < 4; round += 1) {
    for (const [url, labels] of wishes) {
      const label = labels === undefined ? '' : `&label=room=${labels['room'] ?? ''}`;
      const { open, code, reason } = (await (
        await send('GET', `/explain?url=${encodeURIComponent(url)}${label}`)
      ).json()) as ExplainView;
      const answer = await ask({ project: url, ...(labels && { labels }) });
      assert.equal(open, answer.status === 201, `${url}: ${reason}`);
      if (!open) assert.equal(code, ((await answer.json()) as RefusalView).code);
      heard.add(code);
    }
  }
  assert.deepEqual([...heard].sort(), ['no-room', 'no-server-has-labels', 'open', 'project-host', 'project-white-space']);
});

test('one address may ask a hundred times at once, then once a second, and learns when; others are not affected', async (t) => {
  const { clock, start } = setUp(t, { 'a:1': 88 });
  const { ask } = start();
  for (let i = 0; i < 100; i += 1) assert.equal((await ask()).status, 503);
  const response = await ask();
  assert.equal(response.headers.get('Retry-After'), '1');
  assert.equal(await refusalOf(response), '429 too-many-requests');
  assert.equal((await ask({}, 'elsewhere')).status, 503);
  await clock.advance(1);
  assert.equal((await ask()).status, 503);
});

test('one address has so many places in line, and the line has an end', async (t) => {
  const { start } = setUp(t, { 'a:1': 88 });
  const { ask } = start();
  for (let i = 0; i < 20; i += 1) assert.equal((await ask({ wait: true })).status, 202);
  const many = await ask({ wait: true });
  assert.ok(many.headers.get('Retry-After'));
  assert.equal(await refusalOf(many), '429 too-many-waiting');
  for (let i = 0; i < 30; i += 1) assert.equal((await ask({ wait: true }, `home ${i}`)).status, 202);
  const full = await ask({ wait: true }, 'too late');
  assert.ok(full.headers.get('Retry-After'));
  assert.equal(await refusalOf(full), '503 waiting-line-full');
});
