import type { ServerId } from './endpoint.ts';

export type NotificationKind = 'down' | 'recovered' | 'full' | 'available' | 'suspect' | 'certificate' | 'test';

/** One server in a notification. */
export interface Affected {
  readonly id: ServerId;
  readonly address: string;
  /** Percent, when it answered. */
  readonly load?: number;
  /** Why, in a sentence. */
  readonly reason?: string;
  /** Seconds the incident lasted, when it is over. */
  readonly lasted?: number;
}

/** A message worth sending to a person: one kind, one or many servers. */
export interface Notification {
  readonly id: string;
  readonly kind: NotificationKind;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly servers: readonly Affected[];
}
