import type { Settings } from './config/settings.ts';
import { createNotifiers } from './notifiers/index.ts';
import type { Clock, Log, Notifier } from './ports.ts';

/** The notifiers that the settings ask for. What is configured by half is told in the log. */
export function configuredNotifiers(
  { mail, webhooks, ssl, server, port, portRewrite }: Settings,
  { clock, log }: { clock: Clock; log: Pick<Log, 'warn'> },
): Notifier[] {
  const monitorUrl = `${ssl ? 'https' : 'http'}://${server}${portRewrite ? '/' : ':'}${port}/monitor`;
  const {
    administrator,
    server: mailServer,
    port: mailServerPort,
    sender: mailSender,
    user: mailSenderUser,
    password: mailSenderPassword,
  } = mail ?? {};
  const settings = { administrator, mailServer, mailServerPort, mailSender, mailSenderUser, mailSenderPassword, webhooks };
  const { notifiers, remarks } = createNotifiers(settings, { monitorUrl, wallTime: () => clock.wallTime() });
  for (const remark of remarks) log.warn(remark);
  return notifiers;
}
