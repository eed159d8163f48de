/**
 * Incidents and undelivered notifications as they are kept over a restart, and the reading of them. A file may be older than this program, or
 * somebody's work: what does not have the expected shape is left out, piece by piece, and never throws.
 *
 * Times in the document are seconds since the epoch, because the engine's clock begins anew at each start.
 */
import type {
  Affected,
  Incident,
  IncidentKind,
  Incidents,
  Notice,
  NoticeOutcome,
  Notification,
  NotificationKind,
  OpenIncident,
} from './incidents.ts';
import type { Outgoing } from './outbox.ts';

export interface NotificationDocument {
  readonly version: 1;
  readonly open: readonly OpenIncident[];
  readonly ended: readonly Incident[];
  /** By name of the notifier. */
  readonly outboxes: Readonly<Record<string, readonly Outgoing[]>>;
}

/** @param offset Seconds to add to the engine's clock to have seconds since the epoch. */
export function toDocument(
  incidents: Incidents,
  outboxes: Iterable<readonly [string, readonly Outgoing[]]>,
  offset: number,
): NotificationDocument {
  return {
    version: 1,
    open: [...incidents.open()].map((open) => shiftedOpen(open, offset)),
    ended: incidents.ended.map((incident) => shifted(incident, offset)),
    outboxes: Object.fromEntries(outboxes),
  };
}

/** What can be used of a document, in the time of the engine's clock. */
export function fromDocument(document: unknown, offset: number): NotificationDocument {
  const { version, open, ended, outboxes } = record(document);
  if (version !== 1) return { version: 1, open: [], ended: [], outboxes: {} };
  return {
    version: 1,
    open: list(open, readOpen, MAX_OPEN).map((one) => shiftedOpen(one, -offset)),
    ended: list(ended, readIncident, MAX_ENDED).map((incident) => shifted(incident, -offset)),
    outboxes: Object.fromEntries(
      Object.entries(record(outboxes))
        .slice(0, MAX_OUTBOXES)
        .map(([name, outbox]) => [name, list(outbox, readOutgoing, MAX_OUTGOING)]),
    ),
  };
}

const MAX_OPEN = 300_000;
const MAX_ENDED = 500;
const MAX_OUTBOXES = 100;
const MAX_OUTGOING = 200;
const MAX_NOTICES = 100;
const MAX_SERVERS = 100_000;
const MAX_CARRIED = 1000;
const MAX_TEXT = 2000;
const INCIDENT_KINDS: ReadonlySet<IncidentKind> = new Set(['not-responding', 'full', 'suspect']);
const NOTIFICATION_KINDS: ReadonlySet<NotificationKind> = new Set([
  'down',
  'recovered',
  'full',
  'available',
  'suspect',
  'certificate',
  'test',
]);
const OUTCOMES: ReadonlySet<NoticeOutcome> = new Set(['sent', 'waiting', 'failed']);

function shifted(incident: Incident, by: number): Incident {
  const { ended } = incident;
  return {
    ...incident,
    began: incident.began + by,
    confirmed: incident.confirmed + by,
    ...(ended !== undefined && { ended: ended + by }),
  };
}

/** Nothing is due of it before its server is heard again, so the due times are left out. */
function shiftedOpen({ incident, active, over, load }: OpenIncident, by: number): OpenIncident {
  return {
    incident: shifted(incident, by),
    active,
    ...(over !== undefined && { over: over + by }),
    ...(load !== undefined && { load }),
  };
}

/** Suspicions begin anew, and so does what nobody was told of: it will be seen again if it still is so. */
function readOpen(value: unknown): OpenIncident | undefined {
  const { incident: from, active, over, load } = record(value);
  const incident = readIncident(from);
  if (incident?.told === undefined || incident.kind === 'suspect' || typeof active !== 'boolean') return undefined;
  return { incident, active, ...optional('over', number(over)), ...optional('load', number(load)) };
}

function readIncident(value: unknown): Incident | undefined {
  const from = record(value);
  const id = text(from['id']);
  const server = text(from['server']);
  const address = text(from['address']);
  const began = number(from['began']);
  const kind = word(from['kind'], INCIDENT_KINDS);
  if (id === undefined || server === undefined || address === undefined || began === undefined || kind === undefined)
    return undefined;
  return {
    id,
    kind,
    server,
    address,
    began,
    confirmed: number(from['confirmed']) ?? began,
    relapses: number(from['relapses']) ?? 0,
    ...optional('ended', number(from['ended'])),
    ...optional('reason', text(from['reason'])),
    ...optional('told', text(from['told'])),
    ...optional('toldEnd', text(from['toldEnd'])),
    notices: list(from['notices'], readNotice, MAX_NOTICES),
  };
}

function readNotice(value: unknown): Notice | undefined {
  const from = record(value);
  const notification = text(from['notification']);
  const notifier = text(from['notifier']);
  const kind = word(from['kind'], NOTIFICATION_KINDS);
  const outcome = word(from['outcome'], OUTCOMES);
  if (notification === undefined || notifier === undefined || kind === undefined || outcome === undefined) return undefined;
  return { notification, kind, notifier, outcome, ...optional('at', number(from['at'])) };
}

function readOutgoing(value: unknown): Outgoing | undefined {
  const from = record(value);
  const notification = readNotification(from['notification']);
  if (notification === undefined) return undefined;
  const carries = list(from['carries'], text, MAX_CARRIED);
  return { notification, carries: carries.length > 0 ? carries : [notification.id], attempts: number(from['attempts']) ?? 0 };
}

function readNotification(value: unknown): Notification | undefined {
  const from = record(value);
  const id = text(from['id']);
  const at = number(from['at']);
  const kind = word(from['kind'], NOTIFICATION_KINDS);
  if (id === undefined || at === undefined || kind === undefined) return undefined;
  return { id, kind, at, servers: list(from['servers'], readAffected, MAX_SERVERS) };
}

function readAffected(value: unknown): Affected | undefined {
  const from = record(value);
  const id = text(from['id']);
  const address = text(from['address']);
  if (id === undefined || address === undefined) return undefined;
  return {
    id,
    address,
    ...optional('load', number(from['load'])),
    ...optional('reason', text(from['reason'])),
    ...optional('began', number(from['began'])),
    ...optional('lasted', number(from['lasted'])),
  };
}

function list<T>(value: unknown, read: (item: unknown) => T | undefined, most: number): T[] {
  if (!Array.isArray(value)) return [];
  return value
    .slice(-most)
    .map(read)
    .filter((item) => item !== undefined);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_TEXT ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function word<T extends string>(value: unknown, words: ReadonlySet<T>): T | undefined {
  for (const known of words) if (known === value) return known;
  return undefined;
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
