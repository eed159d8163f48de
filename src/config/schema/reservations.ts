/** Seats that are reserved for classes. */
import { z } from 'zod';
import type { Problem } from '../problem.ts';

export const reservations = z
  .strictObject({
    announcedEnds: z
      .boolean()
      .default(false)
      .describe(
        'With `waiting.relay`: a client that a coming class would keep out gets a session that ends before the class, and learns the time at once.',
      ),
  })
  .prefault({})
  .describe('Seats that are reserved for classes. See `docs/how-to/reserve-seats.md`.');

/** The keys that have to fit together. */
interface Around {
  readonly reservations?: { readonly announcedEnds: boolean } | undefined;
  readonly waiting?: { readonly relay: boolean } | undefined;
}

export function checkReservations({ reservations, waiting }: Around): Problem[] {
  return reservations?.announcedEnds === true && waiting?.relay === false ? [endsWithoutRelay] : [];
}

const endsWithoutRelay: Problem = {
  key: 'reservations.announcedEnds',
  value: 'true',
  expected: '"waiting.relay", because only the gateway can end a session',
  fix: 'no session is ended until "waiting.relay" is true; set it, or remove "reservations.announcedEnds"',
};
