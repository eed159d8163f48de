/** Reserved seats over time, for the chart of the fleet. Derived from the reservations as they are now. */
import { doorsOf, type Reservation } from './reservation.ts';

type Span = Pick<Reservation, 'seats' | 'start' | 'opens' | 'end'>;

/** The largest number of seats that could be taken at the same time within each bucket. Times are seconds since the epoch, `step` is seconds. */
export function seatsOverTime(reservations: readonly Span[], times: readonly number[], step: number): readonly number[] {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const seen = reservations.filter((one) => doorsOf(one) < last + step && one.end > first);
  const seatsAt = (time: number) =>
    seen.reduce((sum, one) => (doorsOf(one) <= time && time < one.end ? sum + one.seats : sum), 0);
  return times.map((from) => {
    const doors = seen.map(doorsOf).filter((time) => time > from && time < from + step);
    return Math.max(...[from, ...doors].map(seatsAt));
  });
}
