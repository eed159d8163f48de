/** This machine: file descriptors, and the mail server as seen from here. */
import type { Settings } from '../../config/settings.ts';
import { hostInUrl } from '../../core/fleet/endpoint.ts';
import { budgetDescriptors, budgetRelays, readDescriptorLimit } from '../../http/server/descriptors.ts';
import { verifyMailServer } from '../../notifiers/email.ts';
import type { ReadProxies } from '../../system/outgoing-proxies.ts';
import { fault, ok, warning, type Finding } from './finding.ts';
import type { RunningResult } from './running.ts';

/** The process with the limit: the session server, or the shell that started the doctor, which may have a different one. */
export type LimitOf = 'session server' | 'shell';

export interface DescriptorLimit {
  readonly of: LimitOf;
  /** `undefined`: unknown on this machine. */
  readonly limit: number | undefined;
}

/** Of the session server when it could be asked. */
export function descriptorLimit(running: RunningResult): DescriptorLimit {
  if (running.kind === 'running') return { of: 'session server', limit: running.running.descriptors };
  return { of: 'shell', limit: readDescriptorLimit() };
}

export function examineDescriptors({ limits, gateway }: Settings, servers: number, { of, limit }: DescriptorLimit): Finding {
  const subject = 'file descriptors';
  if (limit === undefined) return ok('descriptors', subject, 'the limit is unknown on this machine');
  const relays = gateway.enabled ? budgetRelays(limit, servers, gateway.limits.relays) : 0;
  const { clients } = budgetDescriptors(limit, servers + relays, limits.clients);
  const whichLimit =
    of === 'session server'
      ? `the limit of the session server (${limit})`
      : `the limit of this shell (${limit}; that of the session server is unknown)`;
  if (clients >= limits.clients) return ok('descriptors', subject, `${whichLimit} is enough for ${limits.clients} clients`);
  const wanted = limits.clients + servers + (gateway.enabled ? gateway.limits.relays : 0) + SPARE_DESCRIPTORS;
  return warning(
    'descriptors',
    subject,
    `${whichLimit} is enough for ${clients} clients only, and limits.clients is ${limits.clients}`,
    of === 'session server'
      ? `set LimitNOFILE=${wanted} in its unit and restart it (in a shell: ulimit -n ${wanted}), or lower limits.clients`
      : 'check its own limit: systemctl show --property LimitNOFILE session-server',
  );
}

/** For the log, state files, the program itself. */
const SPARE_DESCRIPTORS = 1000;

/** The session server may run with other variables than the shell of the doctor. */
export function examineProxies({ proxies, problems }: ReadProxies): Finding[] {
  const fix = 'correct the variable in the unit of the session server, and here';
  const ignored = problems.map((problem) => warning('proxies', 'environment', problem, fix));
  if (proxies === undefined) return ignored;
  const text = 'HTTP_PROXY or HTTPS_PROXY is set here: polls and webhooks use it, except for the hosts in NO_PROXY';
  return [...ignored, ok('proxies', 'environment', text)];
}

export interface MailOptions {
  /** Configuration file, for the command that sends a test message. */
  readonly path: string;
  /** Seconds. */
  readonly timeout: number;
}

export async function examineMail({ mail, server: ownName }: Settings, { path, timeout }: MailOptions): Promise<Finding> {
  if (mail === undefined)
    return warning(
      'mail',
      'e-mail',
      'is not configured: no notification is sent by e-mail',
      'set "administrator", "mailServer" and "mailSender", or "webhooks"',
    );
  const { server, port, tls, sender, administrator, user, password } = mail;
  const subject = `${server}:${port}`;
  try {
    await verifyMailServer({
      ...{ host: server, port, tlsFromStart: tls, sender, recipient: administrator, user, password, patience: timeout },
      ...{ monitorUrl: `http://${hostInUrl(ownName)}/`, wallTime: () => 0 },
    });
    return ok('mail', subject, password === undefined ? 'accepts mail without a login' : `accepts the login of ${user}`);
  } catch (error) {
    return fault(
      'mail',
      subject,
      error instanceof Error ? error.message : String(error),
      `try again with: session-server test-notification ${path}`,
    );
  }
}
