import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, from, PROJECT, start } from '../../../test/support/admission-scene.ts';
import { endpointOf } from '../../../test/support/endpoints.ts';
import { SessionActions } from '../../engine/session-actions.ts';
import { SessionList, type RelayedSession } from '../../engine/session-list.ts';
import type { SessionListView, WaitingListView } from '../../core/views/session-views.ts';
import { createSessionRoutes } from './session-routes.ts';

function setUp(loads: Readonly<Record<string, number>>) {
  const scene = start(loads, { mostWaiting: 2000, mostWaitingOfOne: 2000 });
  const { clock, ledger, log, queue, waitingList } = scene;
  const sessions = new SessionList({ clock, ledger, endpoints: () => Object.keys(loads).map(endpointOf) });
  const actions = new SessionActions({ log, queue, sessions, serverOf: (id) => ledger.serverOf(id) });
  const routes = createSessionRoutes({
    ...{ clock, actions },
    waiting: (max) => waitingList.list(max),
    sessions: (max, server) => sessions.list(max, server),
    mayRead: (_, next) => next(),
    mayAct: async (c, next) => {
      c.set('actor', 'ada');
      return next();
    },
  });
  const send = async (method: string, path: string, body?: object) => {
    const response = await routes.request(`/api/v1/${path}`, {
      method,
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  const waiting = async () => (await send('GET', 'waiting-requests')).body as unknown as WaitingListView;
  const running = async (query = '') => (await send('GET', `running-sessions${query}`)).body as unknown as SessionListView;
  return { ...scene, sessions, send, waiting, running };
}

test('the list of the waiting line says since when, for what and why, and an operator removes one of them', async () => {
  const { clock, queue, send, waiting, report, log, decisions } = setUp({ 'a:2000': 97, 'b:2000': 97 });
  const [first, second] = [new Client(true), new Client()];
  await queue.wait({ ...from('192.0.2.1'), projectUrl: PROJECT, clientId: 'secret' }, first);
  await clock.advance(10);
  await queue.wait(from(), second);
  const list = await waiting();
  const wall = clock.wallTime();
  assert.deepEqual(
    list.clients.map(({ id: _, ...client }) => client),
    [
      {
        ...{ position: 1, ofClass: false, since: wall - 10, project: PROJECT, connected: true },
        reason: '2 servers: both are at 97%.',
      },
      { position: 2, ofClass: false, since: wall, project: null, connected: true, reason: '2 servers: both are at 97%.' },
    ],
  );
  assert.ok(!/192\.0\.2|secret|token/.test(JSON.stringify(list)), 'nothing that identifies a client');
  first.leave();
  await clock.advance(1);
  assert.match((await waiting()).clients[0]?.reason ?? '', /lost the connection/);

  const id = (await waiting()).clients[1]?.id ?? '';
  assert.equal((await send('DELETE', `waiting-requests/${id}`)).status, 200);
  assert.equal(second.outcome?.kind === 'refused' && second.outcome.code, 'removed-by-operator');
  assert.equal((await waiting()).total, 1);
  assert.deepEqual(decisions.last()[0]?.code, 'removed-by-operator');
  assert.ok(log.lines.some(({ message }) => message === 'a request was removed from the waiting line by ada'));
  assert.equal((await send('DELETE', `waiting-requests/${id}`)).status, 404);
  report('a:2000', 10);
  await queue.stop();
});

test('of 1,500 people in line at most a thousand are listed, and all of them are counted', async () => {
  const { queue, waiting, send } = setUp({ 'a:2000': 97 });
  for (let n = 0; n < 1500; n++) await queue.wait(from(), new Client());
  const { total, clients } = await waiting();
  assert.deepEqual([total, clients.length, clients.at(-1)?.position], [1500, 100, 100]);
  const { body } = await send('GET', 'waiting-requests?limit=1000');
  assert.equal((body['clients'] as readonly unknown[]).length, 1000);
  assert.equal((await send('GET', 'waiting-requests?limit=1001')).status, 400);
  await queue.stop();
});

test('sessions are estimated from the load, taken from the report of the server, or counted by the gateway', async () => {
  const { clock, ledger, requests, sessions, running, report } = setUp({ 'a:2000': 34, 'b:2000': 2 });
  assert.deepEqual(sessions.count('a:2000'), { basis: 'estimated', count: 4 });
  assert.deepEqual((await running()).sessions, [], 'who runs them is not known');
  ledger.report('b:2000', 2, clock.now(), clock.now(), { sessions: 3, starting: 0, begun: 3, points: 20 });
  assert.deepEqual(sessions.count('b:2000'), { basis: 'reported', count: 3 });
  const outcome = await requests.request({ ...from(), projectUrl: PROJECT });
  assert.ok(outcome.kind === 'allocated' && outcome.server === 'b:2000');
  assert.deepEqual((await running('?server=b:2000')).sessions, [
    {
      ...{ id: outcome.bookingId, serverId: 'b:2000', server: 'b:2000', state: 'handed-out', since: clock.wallTime() },
      ...{ project: 'github.com/school/robots/worlds/arm.wbt', basis: 'reported', closable: false },
    },
  ]);

  ledger.add('a:2000', { countsSessions: true });
  report('a:2000', 2);
  assert.deepEqual(sessions.count('a:2000'), { basis: 'counted', count: 0 }, 'safe to switch off');
  const relayed: RelayedSession = {
    ...{ id: 'r1', server: 'a:2000', isRunning: true, since: clock.now() - 60, project: PROJECT, bookingId: undefined },
  };
  sessions.addGateway({ sessions: () => [relayed], end: () => undefined, move: () => undefined });
  assert.deepEqual(sessions.count('a:2000', [relayed]), { basis: 'counted', count: 1 });
  const [listed] = (await running('?server=a:2000')).sessions;
  assert.deepEqual([listed?.state, listed?.closable, listed?.since], ['running', true, clock.wallTime() - 60]);
});

test('an operator ends a session of the gateway, releases the place of another one, and moves only what can be moved', async () => {
  const { ledger, requests, sessions, send, log } = setUp({ 'a:2000': 10 });
  const ended: string[] = [];
  sessions.addGateway({
    sessions: () => [],
    end: (id, reason) => (id === 'r1' ? (ended.push(reason), true) : undefined),
    move: (id) => (id === 'r1' ? 'closed' : undefined),
  });
  const outcome = await requests.request(from());
  assert.ok(outcome.kind === 'allocated');
  const { bookingId } = outcome;
  assert.deepEqual((await send('POST', 'running-sessions/r1/end', { reason: ' Maintenance. ' })).body, { done: 'closed' });
  assert.deepEqual(ended, ['Maintenance.']);
  assert.deepEqual((await send('POST', 'running-sessions/r1/move')).body, { done: 'closed' });
  const refused = await send('POST', `running-sessions/${bookingId}/move`);
  assert.deepEqual([refused.status, refused.body['code']], [409, 'not-through-gateway']);
  assert.ok(ledger.booked('a:2000') > 0);
  assert.deepEqual((await send('POST', `running-sessions/${bookingId}/end`, {})).body, { done: 'released' });
  assert.equal(ledger.booked('a:2000'), 0);
  for (const verb of ['end', 'move']) assert.equal((await send('POST', `running-sessions/${bookingId}/${verb}`, {})).status, 404);
  assert.equal((await send('POST', 'running-sessions/r1/end', { why: 'typo' })).status, 400);
  assert.deepEqual(
    log.lines.map(({ message }) => message).filter((message) => message.endsWith('by ada')),
    ['a session was ended by ada', 'a session was moved by ada', 'the booking of a session on a:2000 was released by ada'],
  );
});
