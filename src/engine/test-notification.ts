import type { Notification } from '../core/incidents.ts';
import type { Clock, NewId, Notifier } from '../ports.ts';
import { withDeadline } from './deadline.ts';

export type TestOutcome =
  | { readonly kind: 'accepted'; readonly notifier: string }
  | {
      readonly kind: 'failed';
      readonly notifier: string;
      readonly code: string;
      /** What is wrong and how to mend it. */ readonly reason: string;
    };

/** Sends one test message through each channel, all at once and without a second attempt. Each has `deadline` seconds. */
export async function sendTestNotification(
  notifiers: readonly Notifier[],
  { clock, newId, deadline = 30 }: { clock: Clock; newId: NewId; deadline?: number },
): Promise<TestOutcome[]> {
  const notification: Notification = { id: newId(), kind: 'test', at: clock.wallTime(), servers: [] };
  const never = new AbortController().signal;
  return Promise.all(
    notifiers.map(async (notifier): Promise<TestOutcome> => {
      try {
        await withDeadline(clock, deadline, never, (signal) => notifier.notify(notification, signal));
        return { kind: 'accepted', notifier: notifier.name };
      } catch (error) {
        const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
        return { kind: 'failed', notifier: notifier.name, code, reason: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
