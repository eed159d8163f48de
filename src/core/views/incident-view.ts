/** Incidents as the monitor page and `/api/v1` show them. */
import type { Incident } from '../incidents/incidents.ts';
import { incidentKinds } from '../incidents/notification-kinds.ts';
import type { IncidentView } from './monitor-view.ts';

/**
 * The youngest `max`, newest first.
 * @param offset Seconds to add to the engine's clock to have seconds since the epoch.
 */
export function incidentViews(incidents: Iterable<Incident>, offset: number, max: number): IncidentView[] {
  return [...incidents]
    .sort((a, b) => b.began - a.began)
    .slice(0, max)
    .map((incident) => view(incident, offset));
}

function view({ id, kind, server, address, began, ended, reason, notices }: Incident, offset: number): IncidentView {
  return {
    id,
    kind: incidentKinds[kind].begin,
    serverId: server,
    server: address,
    began: began + offset,
    ended: ended === undefined ? null : ended + offset,
    reason: reason ?? null,
    notices: notices.map(({ notifier, at, outcome }) => ({ notifier, at: at ?? null, outcome })),
  };
}
