import { randomUUID } from 'node:crypto';
import { sendTestNotification } from '../engine/test-notification.ts';
import { createSharedLookup } from '../probes/shared-lookup.ts';
import { readOutgoingProxies } from '../system/outgoing-proxies.ts';
import { systemClock } from '../system/system-clock.ts';
import { readConfiguration } from './configuration.ts';

/** `session-server test-notification`: exit status 0 when every channel took the message, else 1. */
export async function testNotificationCommand(file: string | undefined): Promise<void> {
  const loaded = await readConfiguration(file);
  if (loaded === undefined) return;
  const { configuredNotifiers } = await import('../app/configured-notifiers.ts');
  const { proxies, problems } = readOutgoingProxies(process.env);
  for (const problem of problems) console.error(`warning: ${problem}`);
  const notifiers = configuredNotifiers(loaded.settings, {
    clock: systemClock,
    names: createSharedLookup(),
    ...(proxies !== undefined && { proxies }),
    log: { warn: (message) => console.error(`warning: ${message}`) },
  });
  if (notifiers.length === 0) {
    console.error(
      `error: ${loaded.path} names no receiver of notifications; set "administrator", "mailServer" and "mailSender", or "webhooks"`,
    );
    process.exitCode = 1;
    return;
  }
  const outcomes = await sendTestNotification(notifiers, { clock: systemClock, newId: randomUUID });
  for (const outcome of outcomes) {
    if (outcome.kind === 'accepted') console.log(`${outcome.notifier}: accepted`);
    else console.error(`${outcome.notifier}: failed (${outcome.code}): ${outcome.reason}`);
  }
  await Promise.all(notifiers.map((notifier) => notifier.close()));
  if (outcomes.some(({ kind }) => kind === 'failed')) process.exitCode = 1;
}
