import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { settingsOf } from '../../../test/support/settings.ts';
import { hashOf } from '../../config/token.ts';
import type { ReplicasView } from '../../core/views/replicas-view.ts';
import type { Channel } from '../../engine/replicas/channel.ts';
import type { Replication } from '../../engine/replicas/heartbeats.ts';
import type { LeaderAddress } from '../../engine/replicas/leader-link.ts';
import { WaitingClients } from '../../engine/replicas/waiting-clients.ts';
import { createStartupGate } from '../../engine/startup-gate.ts';
import { createTopic } from '../../engine/topic.ts';
import { systemClock } from '../../system/system-clock.ts';
import { startReplicaPort, type ReplicaPort } from './replica-port.ts';
import { connectLink, LINK_LIMITS, LINK_PROTOCOL } from './link-socket.ts';
import { forwardedFor, LINK_PATH, linkHeaders } from './peer-requests.ts';

const TOKEN = 'sst_a-token-of-prometheus';
const SECRET = 'the-secret-of-the-present-term';
const view: ReplicasView = {
  ...{ leader: 'a', term: 3, members: [], missing: [] },
  store: { answers: true, program: 'Redis 7.0.15', latency: 0.001, failures: 0, problems: [] },
};

class Site {
  state: Replication = {
    ...{ leads: false, reachesStore: true, term: 3, members: [], roundTrip: 0.001, failures: 2, takeovers: 0 },
    ...{ knownAt: 0, polls: 0 },
    ...{ leader: undefined, differing: new Map(), foreignFormat: undefined },
  };
  leader: LeaderAddress | undefined;
  serves = false;
  secret: string | undefined = SECRET;
  readonly links: { readonly channel: Channel; readonly replica: string }[] = [];
  readonly availability = createTopic(false);
  readonly answers = createStartupGate();
  readonly clients = new WaitingClients({ newId: () => 'id', log: new MemoryLog(), replica: 'own' });
  readonly replicaPort: Promise<ReplicaPort>;

  constructor(t: TestContext) {
    const settings = settingsOf({
      ...{ port: 0, listen: '127.0.0.1', monitor: { access: 'token' }, trustedProxies: ['127.0.0.1'] },
      admin: { tokens: [{ name: 'prometheus', hash: hashOf(TOKEN), role: 'reader' }] },
    });
    this.replicaPort = startReplicaPort({
      ...{ clock: systemClock, log: new MemoryLog(), newId: () => 'id', settings: () => settings },
      watch: { replication: () => this.state, view: () => view },
      ...{ clients: this.clients, availability: this.availability, answers: this.answers, whyClosed: () => undefined },
      ...{ secret: () => this.secret, leader: () => this.leader, serves: () => this.serves },
      linked: (channel, replica) => this.links.push({ channel, replica }),
    });
    t.after(async () => (await this.replicaPort).close(0));
  }

  async url(): Promise<string> {
    return `http://127.0.0.1:${(await this.replicaPort).edgePort.port}`;
  }

  async lead(handle: RequestListener): Promise<LeaderAddress> {
    (await this.replicaPort).edgePort.serve({
      ...{ handle, relayOf: () => undefined, sent: () => undefined, maxClients: () => 100 },
      ...{ turnedAway: () => undefined, otherConnections: () => 0 },
    });
    return { id: 'leader', address: await this.url(), secret: SECRET };
  }
}

async function ask(url: string, headers: Readonly<Record<string, string>> = {}, body?: string) {
  const response = await fetch(url, { headers, ...(body !== undefined && { method: 'POST', body }) });
  return [response.status, await response.text()] as const;
}

test('a follower without a leader answers health checks, metrics and the list of replicas, and sends everything else away', async (t) => {
  const site = new Site(t);
  const url = await site.url();
  const get = (path: string, token?: string) =>
    ask(`${url}${path}`, token === undefined ? {} : { Authorization: `Bearer ${token}` });
  assert.deepEqual(await get('/livez'), [200, 'ok\n']);
  assert.deepEqual(await get('/readyz'), [503, 'no replica leads at the moment\n']);
  assert.deepEqual(await get('/readyz?of=store'), [200, 'ok\n']);
  assert.deepEqual(await get('/session'), [503, 'no replica leads at the moment\n']);
  assert.equal((await get('/metrics'))[0], 401);
  const [status, metrics] = await get('/metrics', TOKEN);
  assert.equal(status, 200);
  for (const line of ['session_server_replica_leads 0', 'session_server_store_failures_total 2', 'session_server_store_up 1'])
    assert.ok(metrics.includes(`\n${line}\n`), line);
  assert.equal((await get('/api/v1/replicas'))[0], 401);
  assert.deepEqual(JSON.parse((await get('/api/v1/replicas', TOKEN))[1]), view);
  site.state = { ...site.state, foreignFormat: '2' };
  assert.match((await get('/readyz'))[1], /format that this version does not know/);
  site.state = { ...site.state, reachesStore: false };
  assert.deepEqual(await get('/readyz?of=store'), [503, 'the shared store does not answer\n']);
  const socket = new WebSocket(url.replace('http', 'ws'));
  const [refused] = await new Promise<[IncomingMessage]>((resolve) => {
    socket.once('unexpected-response', (_, response) => {
      resolve([response]);
      response.resume();
    });
    socket.on('error', () => undefined);
  });
  assert.equal(refused.statusCode, 503);
});

test('a follower forwards requests to the leader, which sees the client, and forwards no request of a replica', async (t) => {
  const [leading, following] = [new Site(t), new Site(t)];
  const seen: string[] = [];
  following.leader = await leading.lead((request, response) => {
    const { limitKey } = addressOf(request);
    void textOf(request).then((body) => {
      seen.push(`${request.method} ${request.url} from ${limitKey} for ${request.headers['host'] ?? ''}: ${body}`);
      response.writeHead(201, { 'X-Answer': 'yes', 'Set-Cookie': ['a=1', 'b=2'] }).end(`you sent ${body}`);
    });
  });
  const { of: addressOf } = (await leading.replicaPort).edgePort.addresses;
  following.serves = true;
  const url = await following.url();
  assert.deepEqual(await ask(`${url}/readyz`), [200, 'ok\n']);
  const response = await fetch(`${url}/api/v1/x?y=z`, {
    ...{ method: 'POST', body: 'a body' },
    headers: { 'X-Forwarded-For': '203.0.113.7' },
  });
  assert.deepEqual([response.status, await response.text()], [201, 'you sent a body']);
  assert.deepEqual([response.headers.get('x-answer'), response.headers.getSetCookie()], ['yes', ['a=1', 'b=2']]);
  assert.deepEqual(seen, [`POST /api/v1/x?y=z from 203.0.113.7 for ${url.slice('http://'.length)}: a body`]);
  assert.deepEqual(await ask(`${url}/`), [201, 'you sent ']);

  const claims = forwardedFor({ address: '198.51.100.1', limitKey: '198.51.100.1' }, SECRET);
  const asReplica = { [claims[0] ?? '']: SECRET, [claims[2] ?? '']: claims[3] ?? '' };
  // A follower that is taken for the leader.
  assert.equal((await ask(`${url}/session`, asReplica))[0], 503);
  assert.equal((await ask(`${following.leader.address}/session`, asReplica))[0], 201);
  assert.match(seen.at(-1) ?? '', /from 198\.51\.100\.1 /);
  const impostors: Readonly<Record<string, string>>[] = [
    { ...asReplica, [claims[0] ?? '']: 'a-guess' },
    { [claims[2] ?? '']: claims[3] ?? '' },
    linkHeaders('x', 'a-guess'),
  ];
  for (const headers of impostors)
    for (const to of [url, following.leader.address]) assert.equal((await ask(`${to}/session`, headers))[0], 421);
  // In the next term.
  leading.secret = undefined;
  assert.equal((await ask(`${url}/session`))[0], 421);
  assert.equal(seen.length, 3);
});

test('while no leader is known a request waits for one, and one that a stopped leader has is ended', async (t) => {
  const [leading, following] = [new Site(t), new Site(t)];
  const leader = await leading.lead((request, response) => {
    if (request.url === '/stands-still') response.write('half');
    else response.end('led');
  });
  following.serves = true;
  const url = await following.url();
  const early = ask(`${url}/session`);
  const replicaPort = await following.replicaPort;
  // Nothing listens there.
  following.leader = { ...leader, id: 'dead', address: 'http://127.0.0.1:1' };
  replicaPort.leaderChanged();
  const second = ask(`${url}/session`);
  following.leader = leader;
  replicaPort.leaderChanged();
  assert.deepEqual(await Promise.all([early, second]), [
    [200, 'led'],
    [200, 'led'],
  ]);
  const stopped = await fetch(`${url}/stands-still`);
  following.leader = undefined;
  replicaPort.leaderChanged();
  await assert.rejects(stopped.text());
  // A client that leaves does not stay in memory.
  const gone = httpRequest(`${url}/session`);
  gone.on('error', () => undefined);
  gone.end();
  // It leads itself from now on.
  const own = ask(`${url}/session`);
  gone.destroy();
  await following.lead((_, response) => {
    response.end('own');
  });
  assert.deepEqual(await own, [200, 'own']);
});

test('a link needs the secret, the version and a leader, carries texts both ways, and ends when a text is too long', async (t) => {
  const [leading, following] = [new Site(t), new Site(t)];
  const leader = await leading.lead((_, response) => {
    response.end();
  });
  const options = { clock: systemClock, log: new MemoryLog() };
  await assert.rejects(connectLink({ ...leader, secret: 'a-guess' }, 'f', options), /421/);
  await assert.rejects(connectLink({ ...leader, address: await following.url() }, 'f', options), /503/);
  await assert.rejects(connectLink({ ...leader, address: 'http://127.0.0.1:1' }, 'f', options));
  const open = (headers: Record<string, string>, protocol = LINK_PROTOCOL) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${leader.address.replace('http', 'ws')}${LINK_PATH}`, protocol, { headers });
      socket.once('error', ({ message }) => {
        resolve(message);
      });
      socket.once('open', () => {
        resolve('open');
      });
    });
  assert.match(String(await open({})), /421/);
  assert.match(String(await open(linkHeaders('f', SECRET), 'session-server.replicas.v0')), /400/);
  assert.equal(leading.links.length, 0);

  const channel = await connectLink(leader, 'r1-abc', options);
  const received: string[] = [];
  const state = { isEnded: false };
  channel.receive({
    text: (text) => received.push(text),
    ended: () => (state.isEnded = true),
  });
  const [link] = leading.links;
  assert.equal(link?.replica, 'r1-abc');
  link.channel.receive({
    text: (text) => link.channel.send(`${text} back`),
    ended: () => undefined,
  });
  channel.send('there and');
  await eventually('the answer', () => received.length === 1);
  assert.deepEqual(received, ['there and back']);
  channel.send('x'.repeat(LINK_LIMITS.maxPayload + 1));
  await eventually('its end', () => state.isEnded);
});
