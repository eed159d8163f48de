/**
 * Incidents and undelivered notifications as they are saved over a restart. Times in the document are seconds since the epoch, because the zero of the
 * engine's clock changes.
 */
import { z } from 'zod';
import { NOTICE_OUTCOMES, type Affected, type Incident, type Incidents, type OpenIncident } from '../core/incidents/incidents.ts';
import { INCIDENT_KINDS, NOTIFICATION_KINDS } from '../core/incidents/notification-kinds.ts';
import type { Outgoing } from '../core/incidents/outbox.ts';
import { soundItems } from './document.ts';

export interface SavedNotifications {
  readonly open: readonly OpenIncident[];
  readonly ended: readonly Incident[];
  /** By name of the notifier. */
  readonly outboxes: Readonly<Record<string, readonly Outgoing[]>>;
}

/** @param offset Seconds to add to the engine's clock to have seconds since the epoch. */
export function saveNotifications(
  incidents: Incidents,
  outboxes: Iterable<readonly [string, readonly Outgoing[]]>,
  offset: number,
): object {
  return {
    version: 1,
    open: Array.from(incidents.open(), ({ incident, active, over, load }) => ({
      ...{ incident: saved(incident, offset), active, load },
      over: over === undefined ? undefined : over + offset,
    })),
    ended: incidents.ended.map((incident) => saved(incident, offset)),
    outboxes: Object.fromEntries(outboxes),
  };
}

/** What can be used of a document, in times of the engine's clock. Never throws. */
export function readNotifications(value: unknown, offset: number): SavedNotifications {
  const { data } = savedNotifications.safeParse(value);
  if (data === undefined) return { open: [], ended: [], outboxes: {} };
  return {
    open: data.open.filter(isContinued).map((open) => ({
      ...open,
      incident: shifted(open.incident, -offset),
      ...(open.over !== undefined && { over: open.over - offset }),
    })),
    ended: data.ended.map((incident) => shifted(incident, -offset)),
    outboxes: data.outboxes,
  };
}

/** Suspicions start from zero, and so does an incident that was not reported: it will be seen again if it still lasts. */
function isContinued({ incident }: OpenIncident): boolean {
  return incident.beginNotification !== undefined && incident.kind !== 'suspect';
}

/** The file calls the notifications `told` and `toldEnd`. */
function saved(incident: Incident, offset: number): object {
  const { beginNotification, endNotification, ...rest } = shifted(incident, offset);
  return { ...rest, told: beginNotification, toldEnd: endNotification };
}

function shifted(incident: Incident, by: number): Incident {
  const { began, confirmed, ended } = incident;
  return { ...incident, began: began + by, confirmed: confirmed + by, ...(ended !== undefined && { ended: ended + by }) };
}

const MAX_OPEN = 300_000;
const MAX_ENDED = 500;
const MAX_OUTGOING = 200;
const MAX_NOTICES = 100;
const MAX_SERVERS = 100_000;
const MAX_CARRIED = 1000;
const text = z.string().max(2000);
const optionalText = text.exactOptional();
const number = z.number();
const optionalNumber = number.exactOptional();

const notice = z.object({
  notification: text,
  kind: z.enum(NOTIFICATION_KINDS),
  notifier: text,
  at: optionalNumber,
  outcome: z.enum(NOTICE_OUTCOMES),
});

const incident: z.ZodType<Incident> = z
  .object({
    ...{ id: text, kind: z.enum(INCIDENT_KINDS), server: text, address: text },
    ...{ began: number, confirmed: number, ended: optionalNumber, relapses: number },
    ...{ reason: optionalText, told: optionalText, toldEnd: optionalText },
    notices: soundItems(notice, MAX_NOTICES),
  })
  .transform(({ told, toldEnd, ...rest }) => ({
    ...rest,
    ...(told !== undefined && { beginNotification: told }),
    ...(toldEnd !== undefined && { endNotification: toldEnd }),
  }));

const open: z.ZodType<OpenIncident> = z.object({ incident, active: z.boolean(), over: optionalNumber, load: optionalNumber });

const affected: z.ZodType<Affected> = z.object({
  ...{ id: text, address: text, load: optionalNumber, reason: optionalText, began: optionalNumber, lasted: optionalNumber },
});

const outgoing: z.ZodType<Outgoing> = z.object({
  notification: z.object({
    id: text,
    kind: z.enum(NOTIFICATION_KINDS),
    at: number,
    servers: soundItems(affected, MAX_SERVERS),
  }),
  carries: soundItems(text, MAX_CARRIED),
  attempts: number,
});

const savedNotifications = z.object({
  version: z.literal(1),
  open: soundItems(open, MAX_OPEN).catch([]),
  ended: soundItems(incident, MAX_ENDED).catch([]),
  outboxes: z.record(z.string(), soundItems(outgoing, MAX_OUTGOING).catch([])).catch({}),
});
