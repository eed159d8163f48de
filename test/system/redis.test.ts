/** The shared store in a real Redis. Needs Debian's package `redis-server`: `npm run test:system`. */
import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRedisStore } from '../../src/stores/redis/store.ts';
import { describeSharedStore } from '../conformance/shared-store.ts';
import { eventually } from '../support/eventually.ts';
import { RedisServer } from '../support/redis-server.ts';

const shared: { server?: Promise<RedisServer>; stores: number } = { stores: 0 };
const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends.reverse()) await end();
});
const scope = { after: (end: () => Promise<void>) => void ends.push(end) };

describeSharedStore('in Redis', async (t) => {
  shared.server ??= RedisServer.start(scope);
  const server = await shared.server;
  const store = createRedisStore({ url: server.url, prefix: `fleet-${(shared.stores += 1)}` });
  t.after(() => store.close());
  await eventually('the connection', () =>
    store
      .list()
      .then(() => true)
      .catch(() => undefined),
  );
  return {
    store,
    pass: (seconds) => delay(1000 * seconds + 20),
    forget: async () => {
      await server.command('FLUSHALL');
    },
  };
});
