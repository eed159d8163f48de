/** What every notifier must do, whatever its channel. A new one runs this suite over a real receiver of its kind: docs/how-to/write-a-notifier.md. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Affected, Notification } from '../../src/core/incidents/incidents.ts';
import { NOTIFICATION_KINDS, type NotificationKind } from '../../src/core/incidents/notification-kinds.ts';
import { textOf } from '../../src/core/incidents/notification-text.ts';
import type { Notifier } from '../../src/ports.ts';

export interface NotifierUnderTest {
  readonly notifier: Notifier;
  /** The texts that arrived at the receiver, decoded, once there are so many. */
  readonly received: (count: number) => Promise<readonly string[]>;
  /** The next message is not accepted. */
  readonly failOnce: () => void;
  /** The next message gets no answer. */
  readonly hangOnce: () => void;
}

const never = new AbortController().signal;

function notification(id: string, kind: NotificationKind = 'down', ...servers: Affected[]): Notification {
  const affected = servers.length > 0 || kind === 'test' ? servers : [{ id: 's:2000', address: 's.example.org/2000', load: 12 }];
  return { id, kind, at: 1_795_360_704, servers: affected };
}

export function describeNotifier(name: string, setUp: (t: TestContext) => Promise<NotifierUnderTest>): void {
  describe(`the notifier ${name}`, () => {
    test('has a name of one line that fits into a log', async (t) => {
      const { notifier } = await setUp(t);
      assert.match(notifier.name, /^[\x20-\x7e]{1,300}$/);
    });

    for (const kind of NOTIFICATION_KINDS) {
      test(`brings the whole text of the kind ${kind}`, async (t) => {
        const { notifier, received } = await setUp(t);
        const sent = notification('n', kind);
        await notifier.notify(sent, never);
        const [text = ''] = await received(1);
        for (const sentence of textOf(sent).sentences) assert.ok(text.includes(sentence), text);
      });
    }

    test('brings names in all letters, and none can begin a line of its own', async (t) => {
      const { notifier, received } = await setUp(t);
      const address = '\u65e5\u672c \u{1f916} <b>&amp;"\\\r\nforged: line\r\n.\r\n\u2028forged again';
      await notifier.notify(notification('n', 'down', { id: 'x', address, reason: 'line\nfeed' }), never);
      const [text = ''] = await received(1);
      assert.ok(text.includes('\u65e5\u672c \u{1f916} <b>&amp;"\\'), text);
      assert.doesNotMatch(text, /^(forged|feed|\.)/mu);
    });

    test('brings a message about thousands of servers', async (t) => {
      const { notifier, received } = await setUp(t);
      const servers = Array.from({ length: 5000 }, (_, index) => ({ id: `s${index}`, address: `s${index}.example.org/2000` }));
      await notifier.notify(notification('n', 'down', ...servers), never);
      const [text = ''] = await received(1);
      assert.ok(text.includes('s0.example.org/2000') && text.includes('4800 more'));
      assert.ok(text.length < 200_000);
    });

    test('brings messages that are given at the same time', async (t) => {
      const { notifier, received } = await setUp(t);
      await Promise.all(Array.from({ length: 5 }, (_, index) => notifier.notify(notification(`n${index}`), never)));
      assert.equal((await received(5)).length, 5);
    });

    test('fails with a code and a sentence on one line, and works again afterwards', async (t) => {
      const { notifier, received, failOnce } = await setUp(t);
      failOnce();
      await assert.rejects(notifier.notify(notification('n'), never), (error) => {
        assert.ok(error instanceof Error && 'code' in error && 'permanent' in error);
        assert.match(String(error.code), /^[a-z][a-z0-9-]+$/);
        assert.equal(typeof error.permanent, 'boolean');
        assert.match(error.message, /^[^\r\n]{10,1000}$/);
        return true;
      });
      await notifier.notify(notification('n'), never);
      assert.equal((await received(1)).length, 1);
    });

    test('gives up at once when it is aborted, before or during the attempt', async (t) => {
      const { notifier, hangOnce } = await setUp(t);
      await assert.rejects(notifier.notify(notification('n'), AbortSignal.abort()));
      hangOnce();
      const aborting = new AbortController();
      const sending = notifier.notify(notification('n'), aborting.signal);
      setImmediate(() => {
        aborting.abort();
      });
      await assert.rejects(sending);
    });

    test('can be closed twice', async (t) => {
      const { notifier } = await setUp(t);
      await notifier.notify(notification('n'), never);
      await notifier.close();
      await notifier.close();
    });
  });
}
