/** The servers that may take a session: what routing hands to the waiting line and to the ledger. */
import type { ServerId } from './endpoint.ts';

/**
 * The servers that may take a session, best tier first: a later tier is used only when the earlier ones have no room. The same object is passed as
 * long as the same servers may take it, so that what was looked up for it can be kept.
 */
export interface Candidates {
  readonly tiers: readonly (readonly ServerId[])[];
}
