/** What people of a class see of it: everyone who has its code. No names of persons. */
import type { ReservationState } from '../reservations/reservation.ts';

export interface ClassView {
  /** As it was chosen; `ROBO101`. */
  readonly code: string;
  readonly title: string;
  /** URL of the repository, folder or world. Null: any. */
  readonly project: string | null;
  readonly state: ReservationState;
  /** ISO 8601: when seats can be taken, when it begins, when it ends. */
  readonly doors: string;
  readonly start: string;
  readonly end: string;
  readonly seats: number;
  readonly taken: number;
}
