/** The table of the channels: one line each. How to add one: docs/how-to/write-a-notifier.md. */
import type { LookupFunction } from 'node:net';
import type { WebhookFormat } from '../core/incidents/webhook-format.ts';
import type { Notifier, OutgoingProxies } from '../ports.ts';
import { createEmailNotifier } from './email.ts';
import { createWebhookNotifier } from './webhook.ts';

/** The configuration keys for notifications. */
export interface NotifierSettings {
  readonly administrator?: string | undefined;
  readonly mailServer?: string | undefined;
  readonly mailServerPort?: number | undefined;
  readonly mailServerTls?: boolean | undefined;
  readonly mailSender?: string | undefined;
  readonly mailSenderUser?: string | undefined;
  readonly mailSenderPassword?: string | undefined;
  readonly webhooks: readonly {
    readonly url: string;
    readonly secret?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly format?: WebhookFormat | undefined;
  }[];
}

export interface NotifierSurroundings {
  /** Link to the monitor page, for the texts. */
  readonly monitorUrl: string;
  /** Seconds since the epoch. */
  readonly wallTime: () => number;
  /** How the hosts of webhooks and mail servers are resolved. */
  readonly lookup: LookupFunction;
  /** For webhooks. */
  readonly proxies?: OutgoingProxies | undefined;
}

export interface Channel {
  readonly notifiers: readonly Notifier[];
  /** Why the channel is disabled although some of its keys are set; a sentence for the log. */
  readonly remark?: string;
}

type CreateChannel = (settings: NotifierSettings, surroundings: NotifierSurroundings) => Channel;

const channels: readonly CreateChannel[] = [email, webhooks];

/** The notifiers of a configuration, with distinct names, and a remark for the log about each channel that is incomplete. */
export function createNotifiers(
  settings: NotifierSettings,
  surroundings: NotifierSurroundings,
): { readonly notifiers: Notifier[]; readonly remarks: string[] } {
  const created = channels.map((create) => create(settings, surroundings));
  return {
    notifiers: created.flatMap(({ notifiers }) => notifiers),
    remarks: created.flatMap(({ remark }) => remark ?? []),
  };
}

function email(settings: NotifierSettings, { monitorUrl, wallTime, lookup }: NotifierSurroundings): Channel {
  const { administrator, mailServer, mailServerPort, mailServerTls, mailSender, mailSenderUser, mailSenderPassword } = settings;
  if (administrator === undefined) return { notifiers: [] };
  if (mailServer === undefined || mailSender === undefined) {
    const missing = Object.entries({ mailServer, mailSender }).flatMap(([key, value]) => (value === undefined ? key : []));
    const verb = missing.length === 1 ? 'is' : 'are';
    return { notifiers: [], remark: `e-mail is disabled: administrator is set, but ${missing.join(' and ')} ${verb} missing` };
  }
  const notifier = createEmailNotifier({
    host: mailServer,
    port: mailServerPort,
    tlsFromStart: mailServerTls,
    sender: mailSender,
    recipient: administrator,
    user: mailSenderUser,
    password: mailSenderPassword,
    monitorUrl,
    wallTime,
    lookup,
  });
  return { notifiers: [notifier] };
}

function webhooks(settings: NotifierSettings, { monitorUrl, lookup, proxies }: NotifierSurroundings): Channel {
  const named = new Map<string, number>();
  const notifiers = settings.webhooks.map(({ url, secret, headers, format }) => {
    // The path of a URL is often a secret, so the host alone is the name.
    const host = `webhook ${new URL(url).host}`;
    const count = (named.get(host) ?? 0) + 1;
    named.set(host, count);
    const name = count === 1 ? host : `${host} (${count})`;
    return createWebhookNotifier({ name, url, secret, headers, format, monitorUrl, lookup, proxies });
  });
  return { notifiers };
}
