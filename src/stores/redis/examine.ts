/** Looks at a store as `doctor` does: everything that replicas do there, under keys of its own that it removes. */
import type { StoreFacts } from '../../ports.ts';
import { caller, connect } from './connection.ts';
import { readInfo } from './info.ts';
import { createRedisStore, type RedisStoreOptions } from './store.ts';

export interface ExaminedStore {
  readonly facts: StoreFacts;
  /** Seconds since the epoch by its clock, when half of `latency` had passed. */
  readonly time: number;
  /** Seconds. */
  readonly latency: number;
  /** As in `Beaten`. */
  readonly members: readonly { readonly text: string; readonly age: number }[];
}

/** Members of a fleet that are read. */
const MAX_MEMBERS = 100;

/** `now`: seconds. Throws an error with the code `store-unreachable`. */
export async function examineRedis(options: RedisStoreOptions, now: () => number): Promise<ExaminedStore> {
  const redis = connect(options);
  const trial = createRedisStore({ ...options, scope: 'doctor:' });
  const call = caller(redis, options);
  const key = (name: string) => `{${options.prefix}}:${name}`;
  try {
    const began = await call(() => redis.info()).then(() => now());
    const [seconds, microseconds] = await call(() => redis.time());
    const latency = now() - began;
    const time = Number(seconds) + Number(microseconds) / 1e6;
    const facts = readInfo(await call(() => redis.info()));
    const beats = await call(() => redis.zrevrange(key('beats'), 0, MAX_MEMBERS - 1, 'WITHSCORES'));
    const members: { text: string; age: number }[] = [];
    for (let i = 0; i < beats.length; i += 2) {
      const text = await call(() => redis.hget(key('members'), beats[i] ?? ''));
      if (text !== null) members.push({ text, age: time - Number(beats[i + 1]) / 1000 });
    }
    const { term } = await trial.beat({ id: 'doctor', member: '', wants: true, lease: 1, term: 0 });
    const changes = [['key', 'text']] as const;
    await trial.commit({ leader: 'doctor', term, number: 1, changes, replaces: true });
    await trial.commit({ leader: 'doctor', term, number: 2, changes: [['key', null]], replaces: false });
    await trial.report('[]');
    await Promise.all([trial.list(), trial.journal({ term, number: 1 }), trial.read(['key']), trial.reports()]);
    await trial.leave('doctor');
    await call(() =>
      redis.del(['meta', 'members', 'beats', 'state', 'journal', 'reports', 'lease'].map((name) => key(`doctor:${name}`))),
    );
    return { facts, time, latency, members };
  } finally {
    redis.disconnect();
    await trial.close();
  }
}
