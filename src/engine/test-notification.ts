import type { Notification } from '../core/incidents/incidents.ts';
import type { Clock, NewId, Notifier } from '../ports.ts';
import { withDeadline } from './deadline.ts';

export type TestOutcome =
  | { readonly kind: 'accepted'; readonly notifier: string }
  | {
      readonly kind: 'failed';
      readonly notifier: string;
      readonly code: string;
      /** What is wrong and how to fix it. */
      readonly reason: string;
    };

export interface TestOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly deadline?: number;
  /** Aborted when the outcome is no longer needed. */
  readonly signal?: AbortSignal;
}

/** Sends one test message through each channel, all at once and without a second attempt. Each has `deadline` seconds. */
export async function sendTestNotification(
  notifiers: readonly Notifier[],
  { clock, newId, deadline = 30, signal = new AbortController().signal }: TestOptions,
): Promise<TestOutcome[]> {
  const notification: Notification = { id: newId(), kind: 'test', at: clock.wallTime(), servers: [] };
  return Promise.all(
    notifiers.map(async (notifier): Promise<TestOutcome> => {
      try {
        await withDeadline(clock, deadline, signal, (until) => notifier.notify(notification, until));
        return { kind: 'accepted', notifier: notifier.name };
      } catch (error) {
        const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
        return { kind: 'failed', notifier: notifier.name, code, reason: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}
