/** What the documents that survive a restart have in common. They may come from another version, another program or a broken disk. */
import { z } from 'zod';

/** Not written by this program, by another version of it, or damaged as a whole. It should not be overwritten, because it may still be wanted. */
export interface Foreign {
  readonly kind: 'foreign';
  readonly reason: string;
}

export type Restored = { readonly kind: 'restored' } | Foreign;

/** A list of at most `max` items. Damaged items are left out, so that one of them does not cost the others. */
export function soundItems<T>(item: z.ZodType<T>, max: number) {
  return z.array(z.unknown()).transform((values) => values.slice(0, max).flatMap((value) => soundItem(item, value)));
}

/** The item, or nothing if it is damaged. */
export function soundItem<T>(item: z.ZodType<T>, value: unknown): readonly T[] {
  const { success, data } = item.safeParse(value);
  return success ? [data] : [];
}

/** What is wrong with a document as a whole. Its schema has `format` and `version` first. */
export function foreign({ issues }: z.ZodError): Foreign {
  const key = issues[0]?.path[0];
  if (key === undefined || key === 'format') return { kind: 'foreign', reason: 'it was not written by a session server' };
  return { kind: 'foreign', reason: key === 'version' ? 'it was written by another version' : 'it is damaged' };
}
