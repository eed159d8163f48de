/**
 * What sessions cost, measured: load points of each, by the formula of `/load` on the session's own share, so that the points of all add up to what `/load`
 * shows. Pure.
 */

export interface SessionShare {
  /** Percent of all processors together. */
  readonly cpu: number;
  /** Percent of this machine's memory. */
  readonly memory: number;
}

/** Load points of a session. */
export function pointsOf({ cpu, memory }: SessionShare): number {
  return Math.max(cpu, memory / 3);
}

export interface ProjectCosts {
  readonly key: string;
  /** Sessions that were measured. */
  readonly sessions: number;
  /** Load points while the simulation runs; absent until there are some. */
  readonly busy?: { readonly p50: number; readonly p90: number };
  /** Load points while it is paused. */
  readonly idle?: { readonly p50: number };
  /** Seconds from the start message to the address. */
  readonly start?: { readonly p50: number };
  /** Bytes at most. */
  readonly memory: number;
}

/** Values of each kind that are kept of a project; the oldest is replaced. */
const KEPT = 200;
/** Projects that are kept; the one used longest ago is forgotten. */
const MAX_PROJECTS = 500;
/** What a session is expected to cost before anything was measured, as in the session server. */
const DEFAULT_POINTS = 8;

interface Known {
  sessions: number;
  readonly busy: number[];
  readonly idle: number[];
  readonly start: number[];
  memory: number;
}

export class Costs {
  readonly #projects = new Map<string, Known>();

  /** A session of a project streams, so many seconds after its start message. */
  started(key: string, seconds: number): void {
    const known = this.#known(key);
    known.sessions += 1;
    keep(known.start, seconds);
  }

  measured(key: string, points: number, memory: number, busy: boolean): void {
    const known = this.#known(key);
    keep(busy ? known.busy : known.idle, points);
    known.memory = Math.max(known.memory, memory);
  }

  /** Load points that a session of this project will probably cost when it runs. */
  expected(key: string): number {
    const own = percentile(this.#projects.get(key)?.busy ?? [], 0.5);
    if (own !== undefined) return own;
    const all = [...this.#projects.values()].flatMap(({ busy }) => percentile(busy, 0.5) ?? []);
    return percentile(all, 0.5) ?? DEFAULT_POINTS;
  }

  list(): readonly ProjectCosts[] {
    return [...this.#projects].map(([key, { sessions, busy, idle, start, memory }]) => {
      const [busyMedian, busyHigh] = [percentile(busy, 0.5), percentile(busy, 0.9)];
      const [idleMedian, startMedian] = [percentile(idle, 0.5), percentile(start, 0.5)];
      return {
        ...{ key, sessions, memory },
        ...(busyMedian !== undefined && busyHigh !== undefined && { busy: { p50: busyMedian, p90: busyHigh } }),
        ...(idleMedian !== undefined && { idle: { p50: idleMedian } }),
        ...(startMedian !== undefined && { start: { p50: startMedian } }),
      };
    });
  }

  #known(key: string): Known {
    const known = this.#projects.get(key) ?? { sessions: 0, busy: [], idle: [], start: [], memory: 0 };
    // Map keeps the order of insertion: the first is the one used longest ago.
    this.#projects.delete(key);
    this.#projects.set(key, known);
    if (this.#projects.size > MAX_PROJECTS) for (const [oldest] of [...this.#projects].slice(0, 1)) this.#projects.delete(oldest);
    return known;
  }
}

export interface LoadFacts {
  readonly starting: number;
  readonly running: number;
  readonly idle: number;
  /** Sessions that began since the server started. */
  readonly begun: number;
  /** Load points that all sessions cost now. */
  readonly points: number;
  /** Load points that the starting ones will probably add. */
  readonly pending: number;
  /** Grows when the costs changed. */
  readonly version: number;
}

/** Headers of `/load`; readers that do not know them are not disturbed. */
export function loadHeaders({
  starting,
  running,
  idle,
  begun,
  points,
  pending,
  version,
}: LoadFacts): Readonly<Record<string, string>> {
  return {
    'Session-Count': `${starting + running + idle}; starting=${starting}; idle=${idle}; begun=${begun}`,
    'Session-Load': `${points.toFixed(1)}; pending=${pending.toFixed(1)}`,
    'Session-Costs': String(version),
  };
}

function keep(values: number[], value: number): void {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

/** `undefined` of nothing. */
function percentile(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}
