/** Changes of bookings since the learned costs were saved last, as replicas share it. */
import { z } from 'zod';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { foreign, soundItems, type Foreign } from './document.ts';

export interface SharedBooking {
  readonly id: string;
  /** Absent: it was made before. */
  readonly made?: {
    readonly server: ServerId;
    /** Seconds since the epoch. */
    readonly at: number;
    /** The same when a client asks again. */
    readonly request?: string;
    readonly project?: string;
  };
  readonly connected?: true;
  readonly released?: true;
}

const MAX_BOOKINGS = 100_000;
const name = z.string().min(1).max(600);

const booking: z.ZodType<SharedBooking> = z.object({
  id: name,
  made: z
    .object({
      server: name,
      at: z.number().min(0).max(1e12),
      request: name.exactOptional(),
      project: name.exactOptional(),
    })
    .exactOptional(),
  connected: z.literal(true).exactOptional(),
  released: z.literal(true).exactOptional(),
});

/** Damaged bookings are left out. Never throws. */
export function readBookings(
  value: unknown,
): { readonly kind: 'bookings'; readonly bookings: readonly SharedBooking[] } | Foreign {
  const read = soundItems(booking, MAX_BOOKINGS).safeParse(value);
  return read.success ? { kind: 'bookings', bookings: read.data } : foreign(read.error);
}
