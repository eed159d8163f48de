/** What the holder of a token may do. */
import type { Quota } from '../../core/reservations/quota.ts';

/** reader: see the monitor; teacher: reserve seats, and see own reservations alone; operator: everything. */
export type Role = 'reader' | 'teacher' | 'operator';

export interface AccessToken {
  readonly name: string;
  /** `sha256:` and the hash in hex. */
  readonly hash: string;
  /** From before there were roles: its holder is a reader. */
  readonly readOnly?: boolean;
  readonly role?: Role | undefined;
  /** Of a teacher. */
  readonly quota?: Quota;
}

export function roleOf({ role, readOnly = false }: Pick<AccessToken, 'role' | 'readOnly'>): Role {
  return role ?? (readOnly ? 'reader' : 'operator');
}
