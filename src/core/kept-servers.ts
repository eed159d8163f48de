/**
 * The servers that are kept for tickets that may not be passed, and what is left of others' candidates beside them.
 *
 * The next place on a kept server belongs to whom it is kept for, whichever of them comes free first; every other server is open to those behind. What is
 * left is the same object as long as the same servers are kept, so that the ledger resolves it once, and a walk along a long line asks for it as cheaply as
 * for the candidates themselves.
 */
import type { ServerId } from './endpoint.ts';
import type { Candidates } from './candidates.ts';

export class KeptServers {
  /** Disjoint: there are never more than servers, however many tickets they are kept for. */
  readonly #kept: Candidates[] = [];
  readonly #left = new Map<Candidates, { readonly beside: number; readonly left: Candidates }>();

  /** From now on these are kept. */
  keep(candidates: Candidates): void {
    const left = this.leftOf(candidates);
    if (left.tiers.length > 0) this.#kept.push(left);
  }

  /** The candidates without the servers that are kept; no tiers: none is left. Tiers stand at their places, so one between others may be empty. */
  leftOf(candidates: Candidates): Candidates {
    const known = this.#left.get(candidates);
    if (known?.beside === this.#kept.length) return known.left;
    let left = known?.left ?? candidates;
    for (const kept of this.#kept.slice(known?.beside ?? 0)) left = without(left, kept);
    this.#left.set(candidates, { beside: this.#kept.length, left });
    return left;
  }
}

/** The candidates that are not left, because they are kept. */
export function keptOf(candidates: Candidates, left: Candidates): ReadonlySet<ServerId> {
  if (candidates === left) return NOTHING;
  const kept = new Set(candidates.tiers.flat());
  for (const tier of left.tiers) for (const id of tier) kept.delete(id);
  return kept;
}

const NOTHING: ReadonlySet<ServerId> = new Set();
const NONE: Candidates = { tiers: [] };

const remembered = new WeakMap<Candidates, WeakMap<Candidates, Candidates>>();

/** The same object when nothing is taken away. Remembered as long as the two objects live. */
function without(candidates: Candidates, kept: Candidates): Candidates {
  if (candidates === kept || candidates.tiers.length === 0) return NONE;
  let known = remembered.get(kept);
  if (known === undefined) remembered.set(kept, (known = new WeakMap()));
  let left = known.get(candidates);
  if (left === undefined) known.set(candidates, (left = subtracted(candidates, new Set(kept.tiers.flat()))));
  return left;
}

function subtracted(candidates: Candidates, kept: ReadonlySet<ServerId>): Candidates {
  const tiers = candidates.tiers.map((tier) => tier.filter((id) => !kept.has(id)));
  if (tiers.every(({ length }) => length === 0)) return NONE;
  return tiers.every(({ length }, index) => length === candidates.tiers[index]?.length) ? candidates : { tiers };
}
