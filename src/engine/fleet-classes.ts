/** Classes as the monitor shows them. */
import type { FleetClassView } from '../core/views/monitor-view.ts';
import type { ReservationView } from './reservations.ts';

/** Those that affect other clients now. */
export function fleetClasses(views: readonly ReservationView[]): readonly FleetClassView[] {
  return views
    .filter(({ status: { state } }) => state !== 'planned' && state !== 'over')
    .map(({ reservation: { start, end, seats }, status: { state, taken, outstanding: held }, predicted = null }) => ({
      ...{ start, end, state, seats, taken, held, predicted },
    }));
}
