import type { Maintenance } from '../core/fleet/maintenance.ts';
import type { MaintenanceView } from '../core/views/monitor-view.ts';

export function maintenanceView({ id, servers, label, from, until, by, reason }: Maintenance): MaintenanceView {
  return { id, servers, label: label ?? null, from, until, by, reason: reason ?? null };
}
