import { hostInUrl } from '../core/fleet/endpoint.ts';
import { createNotifiers } from '../notifiers/index.ts';
import type { Clock, Log, NameLookup, Notifier, OutgoingProxies } from '../ports.ts';
import type { Chosen } from './settings-keys.ts';

export type NotifierSettings = Chosen<'mail' | 'webhooks' | LinkKey>;
type LinkKey =
  'server' | 'ssl' | 'port' | 'portRewrite' | 'gateway.enabled' | 'gateway.port' | 'gateway.publicPort' | 'gateway.tls';

/** The notifiers that are configured. Incomplete configurations are reported in the log. */
export function configuredNotifiers(
  settings: NotifierSettings,
  {
    clock,
    log,
    names,
    proxies,
  }: { clock: Clock; log: Pick<Log, 'warn'>; names: NameLookup; proxies?: OutgoingProxies | undefined },
): Notifier[] {
  const { mail, webhooks } = settings;
  const {
    administrator,
    server: mailServer,
    port: mailServerPort,
    tls: mailServerTls,
    sender: mailSender,
    user: mailSenderUser,
    password: mailSenderPassword,
  } = mail ?? {};
  const keys = {
    administrator,
    mailServer,
    mailServerPort,
    mailServerTls,
    mailSender,
    mailSenderUser,
    mailSenderPassword,
    webhooks,
  };
  const { notifiers, remarks } = createNotifiers(keys, {
    monitorUrl: monitorUrl(settings),
    wallTime: () => clock.wallTime(),
    lookup: names.lookup,
    proxies,
  });
  for (const remark of remarks) log.warn(remark);
  return notifiers;
}

/** The URL of the monitor page (docs/design/protocol.md, "Configuration file", `portRewrite`). With the gateway it is at the gateway's port, or at that of a reverse proxy before it. */
function monitorUrl({ ssl, server, port, portRewrite, gateway }: Chosen<LinkKey>): string {
  const host = hostInUrl(server);
  if (gateway.enabled) {
    const publicPort = gateway.publicPort ?? gateway.port;
    // A gateway without TLS may be behind a reverse proxy that has it, at the port of HTTPS.
    const [scheme, usual] = gateway.tls !== undefined || gateway.publicPort === 443 ? ['https', 443] : ['http', 80];
    return `${scheme}://${host}${publicPort === usual ? '' : `:${publicPort}`}/monitor`;
  }
  return `${ssl ? 'https' : 'http'}://${host}${portRewrite ? '/' : ':'}${port}/monitor`;
}
