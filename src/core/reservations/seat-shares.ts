/** Reserved seats by server, for people who read: seats are held in the fleet as a whole, and no machine is named in a reservation. */

export interface SeatShare {
  /** Seats of classes that will probably be taken here by people who have not come yet. */
  readonly held: number;
  /** Seats of classes that are taken here. */
  readonly taken: number;
  /** Load points of the held ones. */
  readonly points: number;
}

/**
 * Shares seats out over servers, in proportion to those that will be free on each, in whole seats (largest remainder). If fewer will be free than are
 * wanted, all of them are shared out.
 */
export function sharesOf(seats: number, free: readonly number[]): readonly number[] {
  const all = free.reduce((sum, count) => sum + count, 0);
  const wanted = Math.min(seats, all);
  const exact = free.map((count) => (all === 0 ? 0 : (wanted * count) / all));
  const shares = exact.map(Math.floor);
  const rest = Math.round(wanted - shares.reduce((sum, count) => sum + count, 0));
  const byRemainder = exact.map((share, index) => ({ index, remainder: share % 1 })).sort((a, b) => b.remainder - a.remainder);
  for (const { index } of byRemainder.slice(0, rest)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}
