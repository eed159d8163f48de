/** The outages and drains of servers as they are saved over a restart. */
import { z } from 'zod';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Interval } from '../core/history/intervals.ts';
import { MAX_PERIODS, MAX_RUNS, type Recorded, type Timeline } from '../core/history/timeline.ts';
import { foreign, soundItems, type Foreign } from './document.ts';

const FORMAT = 'session-server/timeline';
const VERSION = 1;
const MAX_SERVERS = 20_000;

/** Rounded to seconds. A period that lasts has no end. */
export function saveTimeline({ recorded: { runs, servers } }: Timeline): unknown {
  const saved = (intervals: readonly Interval[]) =>
    intervals.map(({ from, to }) => (to === Infinity ? [Math.round(from)] : [Math.round(from), Math.round(to)]));
  return {
    format: FORMAT,
    version: VERSION,
    runs: saved(runs),
    servers: Array.from(servers, ([id, { since, periods }]) => ({
      id,
      since: Math.round(since),
      ...(periods.down.length > 0 && { down: saved(periods.down) }),
      ...(periods.drained.length > 0 && { drained: saved(periods.drained) }),
    })).slice(0, MAX_SERVERS),
  };
}

/** Never throws. */
export function readTimeline(value: unknown):
  | {
      readonly kind: 'timeline';
      readonly runs: readonly Interval[];
      readonly servers: readonly (readonly [ServerId, Recorded])[];
    }
  | Foreign {
  const read = document.safeParse(value);
  if (!read.success) return foreign(read.error);
  const { runs, servers } = read.data;
  return {
    kind: 'timeline',
    runs: ordered(runs),
    servers: servers.map(({ id, since, down, drained }) => [
      id,
      { since, periods: { down: ordered(down), drained: ordered(drained) } },
    ]),
  };
}

const time = z.number().min(0).max(1e11);
const interval = z
  .union([z.tuple([time]), z.tuple([time, time])])
  .refine(([from, to = from]) => from <= to)
  .transform(([from, to = Infinity]): Interval => ({ from, to }));
const server = z.object({
  id: z.string().max(300),
  since: time,
  down: soundItems(interval, MAX_PERIODS).default([]),
  drained: soundItems(interval, MAX_PERIODS).default([]),
});
const document = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  runs: soundItems(interval, MAX_RUNS),
  servers: soundItems(server, MAX_SERVERS),
});

/** Those that overlap what is before them are left out, and so is what follows one that has no end. */
function ordered(intervals: readonly Interval[]): Interval[] {
  const kept: Interval[] = [];
  for (const interval of intervals) if (interval.from >= (kept.at(-1)?.to ?? -Infinity)) kept.push(interval);
  return kept;
}
