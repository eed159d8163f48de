/** How many seats of several classes fit on servers of which not all may run all of them: a maximum flow from servers to classes. */

/** Servers that the same classes may use, together. */
export interface Supply {
  /** Load points, on a server of average power. */
  readonly points: number;
  /** Indices of the classes that may use them. */
  readonly usableBy: readonly number[];
}

/**
 * Load points that each class gets, at most what it needs. Classes are served in their order: none loses anything to a later one, which gets what remains,
 * however those before have to be shifted between servers for that.
 */
export function largestFlow(supplies: readonly Supply[], needs: readonly number[]): readonly number[] {
  const left = supplies.map(({ points }) => Math.max(0, points));
  const given = supplies.map(() => needs.map(() => 0));
  return needs.map((need, wanted) => {
    let got = 0;
    while (got < need - NOTHING) {
      const path = pathTo(wanted, supplies, left, given);
      if (path === undefined) break;
      got += shift(path, Math.min(need - got, widthOf(path, left, given)), left, given);
    }
    return got;
  });
}

/** Load points that make no difference. */
const NOTHING = 1e-9;

/** A supply with points left, then in turn a class that gives up points of the next supply; the last supply serves the wanted class. */
interface Path {
  readonly from: number;
  /** The class takes points from the supply before it in the path, and frees as many of this one. */
  readonly steps: readonly { readonly need: number; readonly frees: number }[];
  readonly wanted: number;
}

/** Searches backwards from the class, breadth first. */
function pathTo(
  wanted: number,
  supplies: readonly Supply[],
  left: readonly number[],
  given: readonly (readonly number[])[],
): Path | undefined {
  const seen = new Set<number>();
  let paths: Path[] = usableFor(supplies, wanted).map((from) => ({ from, steps: [], wanted }));
  while (paths.length > 0) {
    const next: Path[] = [];
    for (const path of paths) {
      if (seen.has(path.from)) continue;
      seen.add(path.from);
      if ((left[path.from] ?? 0) > NOTHING) return path;
      for (const [need, points] of (given[path.from] ?? []).entries())
        if (points > NOTHING)
          for (const from of usableFor(supplies, need))
            if (!seen.has(from)) next.push({ from, steps: [{ need, frees: path.from }, ...path.steps], wanted });
    }
    paths = next;
  }
  return undefined;
}

function usableFor(supplies: readonly Supply[], need: number): number[] {
  return [...supplies.keys()].filter((index) => supplies[index]?.usableBy.includes(need) === true);
}

function widthOf({ from, steps }: Path, left: readonly number[], given: readonly (readonly number[])[]): number {
  return Math.min(left[from] ?? 0, ...steps.map(({ need, frees }) => given[frees]?.[need] ?? 0));
}

function shift({ from, steps, wanted }: Path, points: number, left: number[], given: number[][]): number {
  left[from] = (left[from] ?? 0) - points;
  let supply = from;
  for (const { need, frees } of steps) {
    add(given, supply, need, points);
    add(given, frees, need, -points);
    supply = frees;
  }
  add(given, supply, wanted, points);
  return points;
}

function add(given: number[][], supply: number, need: number, points: number): void {
  const row = given[supply];
  if (row !== undefined) row[need] = (row[need] ?? 0) + points;
}
