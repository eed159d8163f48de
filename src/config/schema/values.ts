/** Kinds of values that several sections use. Patterns have no flags, because a JSON Schema cannot carry them. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { asciiHostName } from '../../core/fleet/host-name.ts';

export const seconds = (min: number, max: number) => z.number().min(min).max(max).meta({ unit: 'seconds' });
export const bytes = (min: number, max: number) => z.int().min(min).max(max).meta({ unit: 'bytes' });
export const percent = (min: number, max: number) => z.number().min(min).max(max).meta({ unit: 'percent' });
export const points = (min: number, max: number) => z.number().min(min).max(max).meta({ unit: 'load points' });
export const count = (min: number, max: number) => z.int().min(min).max(max);
export const text = (max: number) => z.string().min(1).max(max);

/** A port to listen on; 0 picks a free one. */
export const listenPort = () => z.int().min(0).max(65_535);

/** A path of this machine. The operating system would end it at a zero character. */
export const path = text(1000).regex(/^[^\x00]+$/);

export function listenAddress(description: string) {
  return z
    .string()
    .max(253)
    .refine((value) => isIP(value) !== 0 || asciiHostName(value) === value, {
      message: 'write the address alone, without brackets; the port has a key of its own',
    })
    .default('::')
    .describe(description)
    .meta({ restart: true, expected: 'an IP address such as "::" or "127.0.0.1"' });
}
