/** This machine: file descriptors, and the mail server as it is reached from here. */
import type { Settings } from '../../config/settings.ts';
import { budgetDescriptors, budgetRelays, readDescriptorLimit } from '../../http/server/descriptors.ts';
import { verifyMailServer } from '../../notifiers/email.ts';
import { fault, ok, warning, type Finding } from './finding.ts';
import type { RunningResult } from './running.ts';

/** Whose limit it is: that of the session server, or of the shell that the doctor was started in, which may be another. */
export type LimitOf = 'session server' | 'shell';

export interface DescriptorLimit {
  readonly of: LimitOf;
  /** `undefined`: the machine does not tell. */
  readonly limit: number | undefined;
}

/** Of the session server when it could be asked. */
export function descriptorLimit(running: RunningResult): DescriptorLimit {
  if (running.kind === 'running') return { of: 'session server', limit: running.running.descriptors };
  return { of: 'shell', limit: readDescriptorLimit() };
}

export function examineDescriptors({ limits, gateway }: Settings, servers: number, { of, limit }: DescriptorLimit): Finding {
  const subject = 'file descriptors';
  if (limit === undefined) return ok('descriptors', subject, 'the machine does not tell their limit');
  const relays = gateway.enabled ? budgetRelays(limit, servers, gateway.limits.relays) : 0;
  const { clients } = budgetDescriptors(limit, servers + relays, limits.clients);
  const whose =
    of === 'session server'
      ? `the ${limit} of the session server`
      : `the ${limit} of this shell (the session server, which may have others, could not be asked)`;
  if (clients >= limits.clients) return ok('descriptors', subject, `${whose} are enough for ${limits.clients} clients`);
  const wanted = limits.clients + servers + (gateway.enabled ? gateway.limits.relays : 0) + SPARE_DESCRIPTORS;
  return warning(
    'descriptors',
    subject,
    `${whose} are enough for ${clients} clients, and limits.clients is ${limits.clients}`,
    of === 'session server'
      ? `set LimitNOFILE=${wanted} in its unit and start it again (when it runs in a shell: ulimit -n ${wanted}), or lower limits.clients`
      : 'look at its own: systemctl show --property LimitNOFILE session-server',
  );
}

/** For the log, state files, the program itself. */
const SPARE_DESCRIPTORS = 1000;

export interface MailOptions {
  /** Configuration file; a test message without it would be sent by another one. */
  readonly path: string;
  /** Seconds. */
  readonly timeout: number;
}

export async function examineMail({ mail }: Settings, { path, timeout }: MailOptions): Promise<Finding> {
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
      `try again with: session-server test-notification ${path}`,
    );
  }
}
