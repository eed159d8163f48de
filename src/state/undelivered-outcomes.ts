/** Servers that were given to clients which may not know it yet, as replicas share them. Their clients show resume tokens. */
import { z } from 'zod';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { foreign, soundItems, type Foreign } from './document.ts';

export interface SharedOutcome {
  readonly token: string;
  /** Seconds since the epoch. */
  readonly until: number;
  readonly projectUrl?: string;
  readonly outcome: {
    readonly kind: 'allocated';
    readonly id: string;
    readonly url: string;
    readonly server: ServerId;
    readonly bookingId: string;
    /** Seconds since the epoch. */
    readonly expiresAt: number;
    readonly endsAt?: number;
  };
}

const MAX_OUTCOMES = 20_000;
const name = z.string().min(1).max(600);
const time = z.number().min(0).max(1e12);

const outcome: z.ZodType<SharedOutcome> = z.object({
  token: name,
  until: time,
  projectUrl: z.string().max(2000).exactOptional(),
  outcome: z.object({
    kind: z.literal('allocated'),
    id: name,
    url: z.string().max(2000),
    server: name,
    bookingId: name,
    expiresAt: time,
    endsAt: time.exactOptional(),
  }),
});

/** Damaged outcomes are left out. Never throws. */
export function readOutcomes(
  value: unknown,
): { readonly kind: 'outcomes'; readonly outcomes: readonly SharedOutcome[] } | Foreign {
  const read = soundItems(outcome, MAX_OUTCOMES).safeParse(value);
  return read.success ? { kind: 'outcomes', outcomes: read.data } : foreign(read.error);
}
