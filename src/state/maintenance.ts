/** Planned maintenance as it is saved over a restart. */
import { z } from 'zod';
import type { Maintenance } from '../core/fleet/maintenance.ts';
import { foreign, soundItems, type Foreign } from './document.ts';

const FORMAT = 'session-server/maintenance';
const VERSION = 1;
export const MAX_MAINTENANCES = 200;
export const MAX_SERVERS_OF_ONE = 1000;

export function saveMaintenance(planned: readonly Maintenance[]): unknown {
  return { format: FORMAT, version: VERSION, planned };
}

/** Never throws. */
export function readMaintenance(
  value: unknown,
): { readonly kind: 'maintenance'; readonly planned: readonly Maintenance[] } | Foreign {
  const read = saved.safeParse(value);
  return read.success ? { kind: 'maintenance', planned: read.data.planned } : foreign(read.error);
}

const time = z.number().min(0).max(1e11);
const item: z.ZodType<Maintenance> = z
  .object({
    id: z.string().max(200),
    servers: z.array(z.string().max(300)).max(MAX_SERVERS_OF_ONE),
    label: z.string().max(300).exactOptional(),
    from: time,
    until: time,
    by: z.string().max(200),
    reason: z.string().max(1000).exactOptional(),
  })
  .refine(({ from, until }) => from < until);
const saved = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  planned: soundItems(item, MAX_MAINTENANCES),
});
