/**
 * Notifications that wait for one channel, in order.
 *
 * While a channel is dead its outbox must neither grow without bound nor forget. What was never tried yet may change: like notifications in a row become
 * one, and when there are too many, of each server only the last news is kept, because that is what an administrator needs who reads them all at once. What was
 * tried stays as it is: the receiver may have it already, and knows it by its id.
 */
import type { Affected, Notification, NotificationKind } from './incidents.ts';

export interface Outgoing {
  readonly notification: Notification;
  /** Ids of all notifications whose news are in it, its own included. */
  readonly carries: readonly string[];
  /** How often it was tried. */
  readonly attempts: number;
}

/** `1 notification`, `2 notifications`. */
export function notificationsInWords(outbox: readonly Outgoing[]): string {
  return `${outbox.length} notification${outbox.length === 1 ? '' : 's'}`;
}

/** Adds a notification at the end. The result holds at most `most` entries more than were tried before. */
export function appended(outbox: readonly Outgoing[], notification: Notification, most: number): Outgoing[] {
  const last = outbox.at(-1);
  const added: Outgoing = { notification, carries: [notification.id], attempts: 0 };
  if (last !== undefined && last.attempts === 0 && last.notification.kind === notification.kind)
    return [...outbox.slice(0, -1), merged(last, added)];
  const all = [...outbox, added];
  return all.filter(({ attempts }) => attempts === 0).length > most ? compacted(all) : all;
}

/** What was tried, then of the rest one notification of each kind, with each server only under the kind of its last news. */
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
  const kept = [...byKind.values()];
  const isEmpty = ({ notification: { kind, servers } }: Outgoing) => servers.length === 0 && kind !== 'test';
  const overtaken = kept.filter(isEmpty).flatMap(({ carries }) => carries);
  const news = kept.filter((outgoing) => !isEmpty(outgoing)).sort((a, b) => a.notification.at - b.notification.at);
  const tried = outbox.filter(({ attempts }) => attempts > 0);
  return [...tried, ...news.map((outgoing, index) => (index === 0 ? carrying(outgoing, overtaken) : outgoing))];
}

/** Ids that one entry remembers; of older ones the page never learns that they were sent. */
const MAX_CARRIED = 1000;

/** Kinds that speak of the same thing, so that the later one makes the earlier one old. */
const themes: Readonly<Record<NotificationKind, string>> = {
  down: 'answers',
  recovered: 'answers',
  full: 'room',
  available: 'room',
  suspect: 'suspect',
  certificate: 'certificate',
  test: 'test',
};

function subjectOf(kind: NotificationKind, server: Affected): string {
  return `${themes[kind]} ${server.id}`;
}

function lastNews(outbox: readonly Outgoing[]): Map<string, Affected> {
  const last = new Map<string, Affected>();
  for (const { notification } of outbox)
    for (const server of notification.servers) last.set(subjectOf(notification.kind, server), server);
  return last;
}

/** One notification with the servers of both; of a server in both, the later news. Its time is the earlier one. */
function merged(earlier: Outgoing, later: Outgoing): Outgoing {
  const servers = new Map<string, Affected>();
  for (const server of [...earlier.notification.servers, ...later.notification.servers]) servers.set(server.id, server);
  return carrying({ ...earlier, notification: { ...earlier.notification, servers: [...servers.values()] } }, later.carries);
}

function carrying(outgoing: Outgoing, more: readonly string[]): Outgoing {
  return { ...outgoing, carries: [...outgoing.carries, ...more].slice(-MAX_CARRIED) };
}
