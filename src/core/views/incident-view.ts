/** Incidents as the monitor page and `/api/v1` show them. */
import type { Incident, IncidentKind } from '../incidents/incidents.ts';
import type { IncidentView } from './monitor-view.ts';

const kinds = { 'not-responding': 'down', full: 'full', suspect: 'suspect' } as const satisfies Record<
  IncidentKind,
  IncidentView['kind']
>;

/**
 * The youngest `most`, newest first.
 * @param offset Seconds to add to the engine's clock to have seconds since the epoch.
 */
export function incidentViews(incidents: Iterable<Incident>, offset: number, most: number): IncidentView[] {
  return [...incidents]
    .sort((a, b) => b.began - a.began)
    .slice(0, most)
    .map((incident) => view(incident, offset));
}

function view({ id, kind, server, address, began, ended, reason, notices }: Incident, offset: number): IncidentView {
  return {
    id,
    kind: kinds[kind],
    serverId: server,
    server: address,
    began: began + offset,
    ended: ended === undefined ? null : ended + offset,
    reason: reason ?? null,
    notices: notices.map(({ notifier, at, outcome }) => ({ notifier, at: at ?? null, outcome })),
  };
}
