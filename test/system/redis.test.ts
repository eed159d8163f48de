/** The shared store in a real Redis, and all that can go wrong there. Needs Debian's package `redis-server`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Commit, Heartbeat, SharedStore } from '../../src/ports.ts';
import { digestsOf } from '../../src/app/replicated.ts';
import { FORMAT } from '../../src/core/replicas/format.ts';
import { NO_STAMP } from '../../src/core/replicas/shared-state.ts';
import { examineReplicas } from '../../src/install/doctor/replicas.ts';
import { createRedisStore, type RedisStoreOptions } from '../../src/stores/redis/store.ts';
import { describeSharedStore } from '../conformance/shared-store.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { settingsOf } from '../support/settings.ts';
import { subfolder, temporary } from '../support/start-program.ts';
import { TcpRelay } from '../support/tcp-relay.ts';

const shared: { server?: Promise<RedisServer>; stores: number } = { stores: 0 };
const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});
const scope = { after: (end: () => Promise<void>) => void ends.push(end) };
const server = () => (shared.server ??= RedisServer.start(scope, ['--enable-protected-configs', 'yes']));

interface Fleet {
  readonly prefix: string;
  readonly store: SharedStore;
  readonly redis: RedisServer;
}

/** A fleet of its own in the Redis that all tests share. */
async function startFleet(t: TestContext, own: Partial<RedisStoreOptions> = {}): Promise<Fleet> {
  const redis = await server();
  const prefix = own.prefix ?? `fleet-${(shared.stores += 1)}`;
  const store = createRedisStore({ url: redis.url, ...own, prefix });
  t.after(() => store.close());
  await answers(store);
  return { prefix, store, redis };
}

const answers = (store: SharedStore) => eventually('the store answers', () => store.list().then(Boolean, () => false));

const heartbeat = (id: string, term = 0): Heartbeat => ({ id, member: id, wants: true, lease: 30, term });
const commitOf = (number: number, ...changes: Commit['changes']): Commit => {
  return { leader: 'a', term: 1, number, changes, replaces: number === 1 };
};

/** `a` leads, with one commit. */
async function startLeading(store: SharedStore): Promise<void> {
  assert.equal((await store.beat(heartbeat('a'))).role, 'elected');
  assert.equal(await store.commit(commitOf(1, ['k', '1'], ['l', '1'])), 'done');
}

describeSharedStore('in Redis', async (t) => {
  const { store, redis } = await startFleet(t);
  return {
    store,
    pass: (seconds) => delay(1000 * seconds + 20),
    forget: async () => {
      await redis.command('FLUSHALL');
    },
  };
});

test('what was evicted, or others wrote, is noticed before the next commit, and replaced by the leader', async (t) => {
  const damages: readonly (readonly [...[string, string], ...string[]])[] = [
    ['DEL', 'state'],
    ['HDEL', 'state', 'k'],
    ['HSET', 'state', 'foreign', 'x'],
    ['SET', 'state', 'x'],
  ];
  for (const [command, key, ...rest] of damages) {
    const { store, redis, prefix } = await startFleet(t);
    await startLeading(store);
    await redis.command(command, `{${prefix}}:${key}`, ...rest);
    assert.deepEqual(await store.list(), { term: 0, number: 0, texts: new Map() }, `${command} ${key}`);
    assert.equal(await store.commit(commitOf(2, ['m', '1'])), 'behind', `${command} ${key}`);
    assert.equal(await store.commit({ ...commitOf(3, ['k', '1'], ['m', '1']), replaces: true }), 'done');
    assert.deepEqual([...(await store.list()).texts.keys()].sort(), ['k', 'm']);
  }
});

test('a journal that others wrote into costs no commit', async (t) => {
  for (const write of [
    ['XADD', '9007199254740993-1', 'changes', 'null'],
    ['XADD', '5-1', 'changes', '{'],
    ['SET', 'x'],
  ] as const) {
    const { store, redis, prefix } = await startFleet(t);
    await startLeading(store);
    await redis.command(write[0], `{${prefix}}:journal`, ...write.slice(1));
    await store.journal({ term: 1, number: 1 }).catch(() => undefined);
    assert.equal(await store.commit(commitOf(2, ['k', '2'])), 'done');
    assert.deepEqual(await store.journal({ term: 1, number: 1 }), [{ term: 1, number: 2, changes: [['k', '2']] }]);
  }
});

test('reports that others wrote, or of a clock that was set back, are in the way of none that come later', async (t) => {
  for (const write of [
    ['XADD', '18446744073709551615-18446744073709551615', 'batch', '[]'],
    ['XADD', `${Date.now() + 3_600_000}-1`, 'batch', '[]'],
    ['XADD', '5-1', 'other', 'x'],
    ['SET', 'x'],
  ] as const) {
    const { store, redis, prefix } = await startFleet(t);
    await redis.command(write[0], `{${prefix}}:reports`, ...write.slice(1));
    let { cursor } = await store.reports().catch(() => ({ cursor: undefined }));
    await store.report('one');
    const read = await store.reports(cursor);
    assert.ok(read.entries.every(({ text }) => ['', 'one'].includes(text)));
    ({ cursor } = read);
    await store.report('two');
    const { entries } = await store.reports(cursor);
    assert.equal(entries.at(-1)?.text, 'two', write.join(' '));
    assert.ok(entries.every(({ age }) => age >= 0 && age < 5));
  }
});

test('a lease whose term was evicted is granted to its holder again, in a later term', async (t) => {
  const { store, redis, prefix } = await startFleet(t);
  await startLeading(store);
  await redis.command('DEL', `{${prefix}}:meta`);
  assert.equal((await store.beat(heartbeat('b', 1))).role, 'follows');
  const again = await store.beat(heartbeat('a', 1));
  assert.deepEqual([again.role, again.term, again.before], ['elected', 2, 0]);
});

test('heartbeats and numbers that no session server wrote are an error or left out, and never believed', async (t) => {
  const { store, redis, prefix } = await startFleet(t);
  const key = (name: string) => `{${prefix}}:${name}`;
  await redis.command('ZADD', key('beats'), 'inf', 'eternal');
  for (let i = 0; i < 150; i += 1) await redis.command('ZADD', key('beats'), '99', `old${i}`);
  await startLeading(store);
  const { members } = await store.beat(heartbeat('a'));
  assert.deepEqual(
    members.map(({ text }) => text),
    ['a'],
  );
  for (const number of ['x', '-', '1e300']) {
    await redis.command('HSET', key('meta'), 'number', number);
    await assert.rejects(store.list(), /no session server wrote/, number);
  }
  await redis.command('DEL', key('meta'));
  await redis.command('HSET', key('meta'), 'term', 'many', 'number', 'some');
  await assert.rejects(store.beat(heartbeat('a', 1)), /no session server wrote/);
});

test('an answer that is too long breaks the connection, and the next command has a new one', async (t) => {
  const { store, redis, prefix } = await startFleet(t, { maxAnswer: 1024 * 1024 });
  await startLeading(store);
  await redis.command('EVAL', "redis.call('HSET', KEYS[1], 'k', string.rep('x', 1100000))", '1', `{${prefix}}:state`);
  await assert.rejects(store.list(), /more than 1 MiB/);
  await redis.command('DEL', `{${prefix}}:state`);
  await answers(store);
});

test('fleets with different prefixes see nothing of each other', async (t) => {
  const [one, other] = [await startFleet(t), await startFleet(t)];
  await startLeading(one.store);
  assert.equal((await other.store.list()).texts.size, 0);
  assert.equal((await other.store.beat(heartbeat('b'))).role, 'elected');
  await startLeading((await startFleet(t)).store);
  assert.deepEqual((await one.store.beat(heartbeat('a'))).members.length, 1);
});

test('OOM, READONLY and MISCONF are errors with advice, nothing is half done, and all is well when they end', async (t) => {
  const { store, redis, prefix } = await startFleet(t);
  await startLeading(store);
  const evil: readonly (readonly [begin: () => Promise<unknown>, end: () => Promise<unknown>, message: RegExp])[] = [
    [
      () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
      /OOM .*"maxmemory"/,
    ],
    [
      () => redis.command('REPLICAOF', '127.0.0.1', '1'),
      () => redis.command('REPLICAOF', 'NO', 'ONE'),
      /READONLY .*"replicas\.sentinels"/,
    ],
    [
      async () => {
        const folder = subfolder(redis.folder, 'gone');
        await redis.command('CONFIG', 'SET', 'dir', folder);
        rmSync(folder, { recursive: true });
        await redis.command('CONFIG', 'SET', 'save', '3600 1');
        await redis.command('BGSAVE');
        await eventually('the failure', async () => String(await redis.command('INFO')).includes('rdb_last_bgsave_status:err'));
      },
      () => redis.command('CONFIG', 'SET', 'save', ''),
      /MISCONF .*its disk/,
    ],
  ];
  let number = 1;
  for (const [begin, end, message] of evil) {
    number += 1;
    await begin();
    await assert.rejects(store.commit(commitOf(number, ['k', String(number)])), (error: Error & { code?: string }) => {
      assert.match(error.message, message);
      return error.code === 'store-unreachable';
    });
    await answers(store);
    assert.notEqual((await store.list()).texts.get('k'), String(number));
    await assert.rejects(store.beat(heartbeat('a')), message);
    await end();
    const taken = await eventually('it takes commits', () =>
      store.commit(commitOf(number, ['k', String(number)])).catch(() => false),
    );
    assert.equal(taken, 'done');
  }
  assert.equal(await redis.command('HGET', `{${prefix}}:state`, 'k'), String(number));
});

test('a user with the rights of the documentation may do everything that is needed, and nothing else', async (t) => {
  const redis = await server();
  const documented = readFileSync(join(import.meta.dirname, '../../docs/how-to/replicas.md'), 'utf8');
  const rule = /^user session-server on (.+?)$/m.exec(documented.replace(/\\\n\s*/g, ''))?.[1];
  assert.ok(rule);
  await redis.command('ACL', 'SETUSER', 'fleet', 'on', ...rule.replaceAll('a-long-random-password', 'pw').split(/\s+/));
  const { store } = await startFleet(t, { user: 'fleet', password: 'pw', prefix: 'session-server' });
  await startLeading(store);
  assert.equal(await store.commit(commitOf(2, ['k', '2'], ['l', null])), 'done');
  assert.equal((await store.journal({ term: 1, number: 1 })).length, 1);
  assert.equal((await store.read(['k'])).get('k'), '2');
  assert.match((await store.facts()).version, /^(?:Redis|Valkey) \d/);
  await store.leave('a');
  const elsewhere = createRedisStore({ url: redis.url, user: 'fleet', password: 'pw', prefix: 'other' });
  t.after(() => elsewhere.close());
  await assert.rejects(elsewhere.beat(heartbeat('a')), /NOPERM|ACL failure|No permissions/i);
});

test('doctor looks at store, rights, clock and replicas, and leaves nothing behind', async (t) => {
  const redis = await server();
  const { store, prefix } = await startFleet(t);
  const settings = settingsOf({ replicas: { store: redis.url, prefix } });
  const member = { id: 'a-1', name: 'a', version: '0.2.0', format: FORMAT, settings: digestsOf(settings), stamp: NO_STAMP };
  const other = { ...member, id: 'b-1', name: 'b', settings: { ...member.settings, limits: 'x' }, address: 'http://b' };
  for (const one of [member, other]) await store.beat({ ...heartbeat(one.id), wants: false, member: JSON.stringify(one) });
  const keys = async () => ((await redis.command('KEYS', `{${prefix}}:*`)) as string[]).sort();
  const before = await keys();
  await redis.command('CONFIG', 'SET', 'maxmemory', '1gb', 'maxmemory-policy', 'allkeys-lru');
  const now = () => performance.now() / 1000;
  const findings = await examineReplicas(settings, { now, wallTime: () => Date.now() / 1000 + 180 });
  await redis.command('CONFIG', 'SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
  const texts = findings.map(({ level, subject, text }) => `${level} ${subject}: ${text}`).join('\n');
  assert.match(texts, /^ok unix:.* answers in \d+ ms, with all rights that are needed: Redis \d/m);
  assert.match(texts, /^warning unix:.*maxmemory-policy allkeys-lru/m);
  assert.match(texts, /^warning shared store: its clock and that of this machine differ by 180 s/m);
  assert.match(texts, /^warning a: has no "replicas\.address"/m);
  assert.match(texts, /^warning b: has other settings than this file: limits$/m);
  assert.deepEqual(await keys(), before);
  const wrong = settingsOf({ replicas: { store: redis.url, prefix, user: 'nobody', password: 'x' } });
  const [refused] = await examineReplicas(wrong, { now, wallTime: now });
  assert.equal(refused?.level, 'fault');
  assert.match(refused.text, /WRONGPASS.*"replicas\.user"/);
});

test('TLS with a certificate on both sides works; a store of another authority is rejected with advice', async (t) => {
  const folder = temporary(t);
  const own = makeCertificate({ names: ['127.0.0.1'] });
  const paths = { cert: join(folder, 'own.pem'), key: join(folder, 'own.key') };
  writeFileSync(paths.cert, own.cert);
  writeFileSync(paths.key, own.key);
  const port = await freePort();
  const tls = ['--tls-port', String(port), '--tls-cert-file', paths.cert, '--tls-key-file', paths.key];
  await RedisServer.start(t, [...tls, '--tls-ca-cert-file', paths.cert]);
  const url = `rediss://127.0.0.1:${port}/1`;
  const { store } = await startFleet(t, { url, tls: { authority: own.cert, certificate: own.cert, key: own.key } });
  await startLeading(store);
  const stranger = createRedisStore({ url, prefix: 'p', tls: { authority: makeCertificate({ names: ['x'] }).cert } });
  t.after(() => stranger.close());
  await assert.rejects(stranger.list(), /certificate.*"replicas\.authority"/);
});

test('Sentinel: replicas find the Redis that takes writes, also after a failover', async (t) => {
  const [one, two, watching] = [await freePort(), await freePort(), await freePort()];
  const own = (port: number) => ['--port', String(port), '--bind', '127.0.0.1', '--repl-diskless-sync-delay', '0'];
  const first = await RedisServer.start(t, own(one));
  const copy = await RedisServer.start(t, [...own(two), '--replicaof', '127.0.0.1', String(one)]);
  const path = join(temporary(t), 'sentinel.conf');
  writeFileSync(path, `port ${watching}\nbind 127.0.0.1\nsentinel monitor fleet 127.0.0.1 ${one} 1\n`);
  await RedisServer.start(t, [path, '--sentinel']);
  const { store, prefix } = await startFleet(t, { url: 'redis://fleet/0', sentinels: [`127.0.0.1:${watching}`] });
  await startLeading(store);
  await eventually('the copy has it', async () => (await copy.command('HGET', `{${prefix}}:state`, 'k')) === '1');
  const sentinel = new Redis(watching, '127.0.0.1');
  t.after(() => {
    sentinel.disconnect();
  });
  await eventually(
    'the sentinel knows the copy',
    async () => ((await sentinel.call('SENTINEL', 'REPLICAS', 'fleet')) as []).length,
  );
  await sentinel.call('SENTINEL', 'FAILOVER', 'fleet');
  const roleOf = async (redis: RedisServer) => /role:(\w+)/.exec(String(await redis.command('INFO')))?.[1];
  await eventually('both have changed', async () => (await roleOf(copy)) === 'master' && (await roleOf(first)) === 'slave');
  const again = await eventually('a heartbeat', () => store.beat(heartbeat('a', 1)).catch(() => undefined));
  assert.equal(again.role, 'leads');
  assert.equal(await store.commit(commitOf(2, ['k', '2'])), 'done');
  assert.equal(await copy.command('HGET', `{${prefix}}:state`, 'k'), '2');
});

test('a connection that delays, stalls or breaks gives errors in time, and is replaced', async (t) => {
  const redis = await server();
  const relay = await TcpRelay.start(t, redis.path);
  const { store } = await startFleet(t, { url: relay.url });
  await startLeading(store);
  relay.delay = 100;
  assert.equal(await store.commit(commitOf(2, ['k', '2'])), 'done');
  relay.delay = 0;
  const cut = store.commit(commitOf(3, ['k', '3']));
  relay.cut();
  await assert.rejects(cut, { code: 'store-unreachable' });
  await answers(store);
  // It may have been done or not. The same commit again is harmless.
  assert.equal(await store.commit(commitOf(3, ['k', '3'])), 'done');
  relay.stalls = true;
  await assert.rejects(store.commit(commitOf(4, ['k', '4'])), /no answer within 1 s/);
  relay.stalls = false;
  await answers(store);
  assert.equal(await store.commit(commitOf(4, ['k', '4'])), 'done');
});
