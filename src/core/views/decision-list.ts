/** Which decisions are listed: the last ones, and in addition the last refusals, which people ask about after hundreds of other sessions were handed out. */
import type { DecisionKind } from './monitor-view.ts';

/** Decisions of any kind, and as many refusals. Incidents too. */
export const MAX_LISTED = 200;

/** Input and output are newest first. Listing a list again, with newer ones prepended, gives the same as listing all of them at once. */
export function listed<T extends { readonly kind: DecisionKind }>(decisions: readonly T[]): readonly T[] {
  let refused = 0;
  return decisions.filter(({ kind }, index) => (kind === 'refused' ? (refused += 1) <= MAX_LISTED : index < MAX_LISTED));
}
