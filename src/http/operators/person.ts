/** The holder of a token as reservations know it. */
import { DEFAULT_QUOTA } from '../../core/reservations/quota.ts';
import type { Person } from '../../engine/reservations.ts';
import { roleOf, type AccessToken } from './roles.ts';

/** An operator has no quota. */
export function personOf({ name, quota, ...token }: AccessToken): Person {
  return { name, ...(roleOf(token) === 'teacher' && { quota: quota ?? DEFAULT_QUOTA }) };
}
