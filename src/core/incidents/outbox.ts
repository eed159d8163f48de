/**
 * Notifications that wait for one channel, in order.
 *
 * While a channel fails, its outbox must neither grow without bound nor lose news. Notifications that were never tried may change: several of one kind in
 * a row become one, and when there are too many, only the latest message about each server remains, because that is what an administrator needs who reads them
 * all at once. Notifications that were tried stay as they are: the receiver may have them already, and knows them by their ids.
 */
import type { Affected, Notification } from './incidents.ts';
import { notificationKinds, type NotificationKind } from './notification-kinds.ts';

export interface Outgoing {
  readonly notification: Notification;
  /** Ids of all notifications whose news it contains, including its own. */
  readonly carries: readonly string[];
  /** How often it was tried. */
  readonly attempts: number;
}

/** `1 notification`, `2 notifications`. */
export function notificationsInWords(outbox: readonly Outgoing[]): string {
  return `${outbox.length} notification${outbox.length === 1 ? '' : 's'}`;
}

/** Adds a notification at the end. The result has at most `maxUntried` entries that were not tried yet. */
export function appended(outbox: readonly Outgoing[], notification: Notification, maxUntried: number): Outgoing[] {
  const last = outbox.at(-1);
  const added: Outgoing = { notification, carries: [notification.id], attempts: 0 };
  if (last !== undefined && last.attempts === 0 && last.notification.kind === notification.kind)
    return [...outbox.slice(0, -1), merged(last, added)];
  const all = [...outbox, added];
  return all.filter(({ attempts }) => attempts === 0).length > maxUntried ? compacted(all) : all;
}

/** Those that were tried, then one notification for each kind of the others, with each server only under the kind of its latest message. */
export function compacted(outbox: readonly Outgoing[]): Outgoing[] {
  const untried = outbox.filter(({ attempts }) => attempts === 0);
  const last = lastNews(untried);
  const byKind = new Map<NotificationKind, Outgoing>();
  for (const outgoing of untried) {
    const { kind, servers } = outgoing.notification;
    const current = servers.filter((server) => last.get(subjectOf(kind, server)) === server);
    const rest = { ...outgoing, notification: { ...outgoing.notification, servers: current } };
    const before = byKind.get(kind);
    byKind.set(kind, before === undefined ? rest : merged(before, rest));
  }
  const remaining = [...byKind.values()];
  const isEmpty = ({ notification: { kind, servers } }: Outgoing) => servers.length === 0 && kind !== 'test';
  const obsolete = remaining.filter(isEmpty).flatMap(({ carries }) => carries);
  const news = remaining.filter((outgoing) => !isEmpty(outgoing)).sort((a, b) => a.notification.at - b.notification.at);
  const tried = outbox.filter(({ attempts }) => attempts > 0);
  return [...tried, ...news.map((outgoing, index) => (index === 0 ? carrying(outgoing, obsolete) : outgoing))];
}

/** Ids that one entry remembers. The page does not show that older ones were sent. */
const MAX_CARRIED = 1000;

function subjectOf(kind: NotificationKind, server: Affected): string {
  return `${notificationKinds[kind].theme} ${server.id}`;
}

function lastNews(outbox: readonly Outgoing[]): Map<string, Affected> {
  const last = new Map<string, Affected>();
  for (const { notification } of outbox)
    for (const server of notification.servers) last.set(subjectOf(notification.kind, server), server);
  return last;
}

/** One notification with the servers of both, and the later news of a server that is in both. Its time is the earlier one. */
function merged(earlier: Outgoing, later: Outgoing): Outgoing {
  const servers = new Map<string, Affected>();
  for (const server of [...earlier.notification.servers, ...later.notification.servers]) servers.set(server.id, server);
  return carrying({ ...earlier, notification: { ...earlier.notification, servers: [...servers.values()] } }, later.carries);
}

function carrying(outgoing: Outgoing, more: readonly string[]): Outgoing {
  return { ...outgoing, carries: [...outgoing.carries, ...more].slice(-MAX_CARRIED) };
}
