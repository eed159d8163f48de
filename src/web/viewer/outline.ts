/** The outline of points as seen from above. */

export interface PlanPoint {
  readonly x: number;
  readonly y: number;
}

/** The smallest convex polygon around the points, counterclockwise (Andrew's monotone chain). */
export function outlineOf(points: readonly PlanPoint[]): readonly PlanPoint[] {
  const sorted = [...points].sort((one, other) => one.x - other.x || one.y - other.y);
  return [...halfOf(sorted), ...halfOf(sorted.reverse())];
}

/** From the first to before the last point, without turns to the right. */
function halfOf(points: readonly PlanPoint[]): PlanPoint[] {
  const half: PlanPoint[] = [];
  for (const point of points) {
    while (half.length >= 2 && !turnsLeft(half.at(-2), half.at(-1), point)) half.pop();
    half.push(point);
  }
  half.pop();
  return half;
}

function turnsLeft(a: PlanPoint | undefined, b: PlanPoint | undefined, c: PlanPoint): boolean {
  return a !== undefined && b !== undefined && (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 1e-12;
}
