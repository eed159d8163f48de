import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notification } from './incidents.ts';
import type { NotificationKind } from './notification-kinds.ts';
import { appended, compacted, type Outgoing } from './outbox.ts';

function notification(id: number, kind: NotificationKind, ...servers: string[]): Notification {
  return { id: `n${id}`, kind, at: id, servers: servers.map((server) => ({ id: server, address: `${server}/2000`, load: id })) };
}

function outbox(most: number, ...notifications: Notification[]): Outgoing[] {
  return notifications.reduce<Outgoing[]>((before, one) => appended(before, one, most), []);
}

function summaries(outgoing: readonly Outgoing[]): string[] {
  return outgoing.map(({ notification: { kind, servers } }) => `${kind} ${servers.map(({ id }) => id).join(',')}`);
}

test('notifications stay in order', () => {
  assert.deepEqual(
    summaries(outbox(50, notification(1, 'down', 'a'), notification(2, 'recovered', 'a'), notification(3, 'down', 'a'))),
    ['down a', 'recovered a', 'down a'],
  );
});

test('similar notifications in a row become one, with the latest message about each server', () => {
  const [merged, ...rest] = outbox(50, notification(1, 'down', 'a', 'b'), notification(2, 'down', 'b', 'c'));
  assert.deepEqual(rest, []);
  assert.ok(merged);
  assert.deepEqual(
    merged.notification.servers.map(({ id, load }) => [id, load]),
    [
      ['a', 1],
      ['b', 2],
      ['c', 2],
    ],
  );
  assert.deepEqual(merged.carries, ['n1', 'n2']);
  assert.equal(merged.notification.at, 1);
});

test('a notification that was tried already is not changed, because the receiver may have it', () => {
  const tried = outbox(50, notification(1, 'down', 'a')).map((one) => ({ ...one, attempts: 1 }));
  assert.deepEqual(summaries(appended(tried, notification(2, 'down', 'b'), 50)), ['down a', 'down b']);
});

test('when there are too many, only the last message about each server remains, in their order', () => {
  const kept = compacted(
    outbox(
      50,
      notification(1, 'down', 'a', 'b'),
      notification(2, 'full', 'c'),
      notification(3, 'recovered', 'a'),
      notification(4, 'down', 'd'),
      notification(5, 'available', 'c'),
      notification(6, 'test'),
    ),
  );
  assert.deepEqual(summaries(kept), ['down b,d', 'recovered a', 'available c', 'test ']);
  assert.deepEqual(kept.flatMap(({ carries }) => carries).sort(), ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
});

test('however many come, the outbox stays short and has the last message about every server', () => {
  const kinds = ['down', 'recovered', 'full', 'available', 'suspect'] as const;
  const news = fc.record({
    kind: fc.constantFrom(...kinds),
    servers: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(news, { maxLength: 60 }), fc.integer({ min: 5, max: 10 }), (all, most) => {
      const notifications = all.map(({ kind, servers }, index) => notification(index, kind, ...servers));
      const result = outbox(most, ...notifications);
      assert.ok(result.length <= most);
      const theme = (kind: string) => (['down', 'recovered'].includes(kind) ? 'answers' : kind === 'suspect' ? kind : 'room');
      const lastOf = (list: readonly Notification[]) => {
        const last = new Map<string, string>();
        for (const { kind, servers } of list)
          for (const { id, load = -1 } of servers) last.set(`${theme(kind)} ${id}`, `${kind} ${load}`);
        return last;
      };
      const kept = result.map((one) => one.notification);
      const expected = lastOf(notifications);
      const actual = lastOf(kept);
      assert.deepEqual([...actual].sort(), [...expected].sort());
      assert.deepEqual(new Set(result.flatMap(({ carries }) => carries)), new Set(notifications.map(({ id }) => id)));
    }),
  );
});
