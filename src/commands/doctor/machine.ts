/** This machine: file descriptors, and the mail server as it is reached from here. */
import type { Settings } from '../../config/settings.ts';
import { budgetDescriptors, readDescriptorLimit } from '../../http/descriptors.ts';
import { verifyMailServer } from '../../notifiers/email.ts';
import { fault, ok, warning, type Finding } from './finding.ts';

export function examineDescriptors({ simulationServers, limits }: Settings, limit = readDescriptorLimit()): Finding {
  const subject = 'file descriptors';
  if (limit === undefined) return ok('descriptors', subject, 'the machine does not tell their limit');
  const { clients } = budgetDescriptors(limit, simulationServers.length, limits.clients);
  if (clients >= limits.clients) return ok('descriptors', subject, `${limit} are enough for ${limits.clients} clients`);
  return warning(
    'descriptors',
    subject,
    `${limit} are enough for ${clients} clients, and limits.clients is ${limits.clients}`,
    `set LimitNOFILE=${limits.clients + simulationServers.length + 1000} in the unit (for a shell: ulimit -n), or lower limits.clients`,
  );
}

export async function examineMail({ mail }: Settings, timeout: number): Promise<Finding> {
  if (mail === undefined)
    return warning(
      'mail',
      'e-mail',
      'is not configured: nobody hears of failures',
      'set "administrator", "mailServer" and "mailSender", or "webhooks"',
    );
  const { server, port, sender, administrator, user, password } = mail;
  const subject = `${server}:${port}`;
  try {
    await verifyMailServer({
      ...{ host: server, port, sender, recipient: administrator, user, password, patience: timeout },
      ...{ monitorUrl: '', wallTime: () => 0 },
    });
    return ok('mail', subject, password === undefined ? 'takes mail without a login' : `accepts the login of ${user}`);
  } catch (error) {
    return fault(
      'mail',
      subject,
      error instanceof Error ? error.message : String(error),
      'try again with: session-server test-notification',
    );
  }
}
