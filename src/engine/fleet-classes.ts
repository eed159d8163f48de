/** Classes as the monitor shows them. */
import type { FleetClassView } from '../core/views/monitor-view.ts';
import { doorsOf } from '../core/reservations/reservation.ts';
import type { ReservationView } from './reservations.ts';

/** Those that affect other clients now. */
export function fleetClasses(views: readonly ReservationView[]): readonly FleetClassView[] {
  return views.filter(({ status: { state } }) => state !== 'planned' && state !== 'over').map(fleetClass);
}

function fleetClass({ reservation, status, predicted }: ReservationView): FleetClassView {
  const { id, start, end, seats, grace } = reservation;
  const { state, taken, outstanding: held } = status;
  return {
    id,
    doors: doorsOf(reservation),
    start,
    end,
    heldUntil: start + grace,
    state,
    seats,
    taken,
    held,
    predicted: predicted ?? null,
  };
}
