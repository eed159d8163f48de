import type { ServerId } from './endpoint.ts';

/** A session request as the ledger sees it. */
export interface BookingRequest {
  /** The same when a client asks again. */
  readonly id: string;
  /** Key of the project, when the client said what it wants to run. */
  readonly project?: string;
}

/**
 * The servers that may take a session, best tier first: a later tier is used only when the earlier ones have no room. The same object is passed as
 * long as the same servers may take it, so that what was looked up for it can be kept.
 */
export interface Candidates {
  readonly tiers: readonly (readonly ServerId[])[];
}

export type BookingOutcome =
  | {
      readonly kind: 'booked';
      readonly bookingId: string;
      readonly server: ServerId;
      /** Percent, as last reported. */
      readonly load: number;
      /** Percent: reported load, booked load and the new session. */
      readonly predicted: number;
      /** Load points booked for this session. */
      readonly cost: number;
    }
  | { readonly kind: 'no-room' };
