import type { Settings } from '../config/settings.ts';
import { hostInUrl } from '../core/fleet/endpoint.ts';
import { createNotifiers } from '../notifiers/index.ts';
import type { Clock, Log, NameLookup, Notifier } from '../ports.ts';

/** The notifiers that the settings ask for. What is configured by half is told in the log. */
export function configuredNotifiers(
  settings: Settings,
  { clock, log, names }: { clock: Clock; log: Pick<Log, 'warn'>; names: NameLookup },
): Notifier[] {
  const { mail, webhooks } = settings;
  const {
    administrator,
    server: mailServer,
    port: mailServerPort,
    sender: mailSender,
    user: mailSenderUser,
    password: mailSenderPassword,
  } = mail ?? {};
  const keys = { administrator, mailServer, mailServerPort, mailSender, mailSenderUser, mailSenderPassword, webhooks };
  const { notifiers, remarks } = createNotifiers(keys, {
    monitorUrl: monitorUrl(settings),
    wallTime: () => clock.wallTime(),
    lookup: names.lookup,
  });
  for (const remark of remarks) log.warn(remark);
  return notifiers;
}

/**
 * Where people find the monitor page (docs/design/protocol.md, "Configuration file", `portRewrite`). The gateway has
 * it at its own port, or where a front leads there.
 */
function monitorUrl({ ssl, server, port, portRewrite, gateway }: Settings): string {
  const host = hostInUrl(server);
  if (gateway.enabled) {
    const publicPort = gateway.publicPort ?? gateway.port;
    // A gateway without TLS of its own may have it from the front that has the port of HTTPS.
    const [scheme, usual] = gateway.tls !== undefined || gateway.publicPort === 443 ? ['https', 443] : ['http', 80];
    return `${scheme}://${host}${publicPort === usual ? '' : `:${publicPort}`}/monitor`;
  }
  return `${ssl ? 'https' : 'http'}://${host}${portRewrite ? '/' : ':'}${port}/monitor`;
}
