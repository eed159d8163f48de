/** Maintenance that is planned ahead: from a time on, some servers are drained, until another time. Pure. */
import type { ServerId } from './endpoint.ts';
import type { Drain } from './fleet.ts';

export interface Maintenance {
  readonly id: string;
  /** Empty when there is a label. */
  readonly servers: readonly ServerId[];
  /** `name=value`: the servers that have this label when it begins. */
  readonly label?: string;
  /** Seconds since the epoch; `from` < `until`. */
  readonly from: number;
  readonly until: number;
  readonly by: string;
  readonly reason?: string;
}

export type MaintenanceStep = 'planned' | 'due' | 'missed';

/** `missed`: the session server did not run in all of its time. `now`: seconds since the epoch. */
export function stepOf({ from, until }: Maintenance, now: number): MaintenanceStep {
  if (now < from) return 'planned';
  return now < until ? 'due' : 'missed';
}

/** Whether a drain of a server already lasts as long: maintenance must not offer a server again that was drained for longer. */
export function isCovered(drain: Drain | undefined, { until }: Maintenance): boolean {
  return drain !== undefined && (drain.until ?? Infinity) >= until;
}
