/** Which decisions are listed: the last ones, and beside them the last refusals, which people ask about when hundreds of sessions have long been handed out since. */
import type { DecisionKind } from './monitor-view.ts';

/** Decisions of any kind, and as many that were refused. Incidents too. */
export const mostListed = 200;

/** Newest first, before and after. Listing again what was listed, with newer ones in front, gives the same as listing all of them at once. */
export function listed<T extends { readonly kind: DecisionKind }>(decisions: readonly T[]): readonly T[] {
  let refused = 0;
  return decisions.filter(({ kind }, index) => (kind === 'refused' ? (refused += 1) <= mostListed : index < mostListed));
}
