import type { Isolation } from '../ports.ts';

/** Whether a way to isolate sessions works on this machine: it was tried by running something. */
export type Tried = { readonly kind: 'works'; readonly isolation: Isolation } | { readonly kind: 'not'; readonly reason: string };
