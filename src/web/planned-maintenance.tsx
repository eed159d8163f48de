/** @jsxRuntime automatic @jsxImportSource preact */
/** Maintenance that is planned and has not begun. */
import type { MaintenanceView, ServerView } from '../core/views/monitor-view.ts';
import { cancelMaintenance } from './api-people.ts';
import { ConfirmedButton, useResults } from './confirmed-button.tsx';
import { plural, type Format } from './format.ts';
import { useFormat } from './format-context.ts';
import type { Viewing } from './use-viewer.ts';

interface PlannedMaintenanceProps {
  readonly planned: readonly MaintenanceView[];
  readonly servers: readonly ServerView[];
  /** A time of the present day, in seconds since the epoch. */
  readonly today: number;
  /** Absent: nothing can be done about it here. */
  readonly viewing?: Viewing | undefined;
}

export function PlannedMaintenance({ planned, servers, today, viewing }: PlannedMaintenanceProps) {
  if (planned.length === 0) return null;
  return (
    <ul class="planned" aria-label="Planned maintenance">
      {planned.map((maintenance) => (
        <Planned key={maintenance.id} {...{ maintenance, servers, today, viewing }} />
      ))}
    </ul>
  );
}

interface PlannedProps extends Omit<PlannedMaintenanceProps, 'planned'> {
  readonly maintenance: MaintenanceView;
}

function Planned({ maintenance, servers, today, viewing }: PlannedProps) {
  const format = useFormat();
  return (
    <li>
      <span class="text" dir="auto">
        {plannedInWords(maintenance, servers, today, format)}
      </span>
      {viewing !== undefined && <CancelButton maintenance={maintenance} viewing={viewing} />}
    </li>
  );
}

function CancelButton({
  maintenance: { id, by },
  viewing,
}: {
  readonly maintenance: MaintenanceView;
  readonly viewing: Viewing;
}) {
  const { viewer, act, said } = useResults(viewing, () => undefined);
  if (viewer === undefined) return null;
  return (
    <>
      <ConfirmedButton
        name="Cancel"
        of={`the maintenance planned by ${by}`}
        question="Cancel this planned maintenance?"
        onConfirmed={() => act(cancelMaintenance(id, viewer), () => '')}
      />
      {said !== '' && <span role="alert">{said}</span>}
    </>
  );
}

/** `Maintenance of sim01/2000 from 08:00:00 until 09:00:00, planned by ada: new disks`. */
export function plannedInWords(
  { servers: ids, label, from, until, by, reason }: MaintenanceView,
  servers: readonly ServerView[],
  today: number,
  format: Format,
): string {
  const [only] = ids;
  const one = ids.length === 1 ? (servers.find(({ id }) => id === only)?.address ?? only) : plural(ids.length, 'server');
  const subject = label === null ? one : `all servers with ${label}`;
  const times = `from ${format.moment(from, today)} until ${format.moment(until, today)}`;
  return `Maintenance of ${subject ?? ''} ${times}, planned by ${by}${reason === null ? '' : `: ${reason}`}`;
}

/** Whether the maintenance is of this server, as far as that is known before it begins. */
export function concerns({ servers, label }: MaintenanceView, { id, labels }: ServerView): boolean {
  if (label === null) return servers.includes(id);
  return Object.entries(labels).some(([name, value]) => `${name}=${value}` === label);
}
