/** The outcome of one session request, as it is recorded. */
import type { ServerId } from '../fleet/endpoint.ts';
import type { AnswerView, DecisionKind } from './monitor-view.ts';

export interface Decision {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly kind: DecisionKind;
  /** URL of the project, if the client named one; if it could not be read, the text that was sent, at most `MAX_PROJECT_URL` characters. */
  readonly project?: string | undefined;
  readonly server?: ServerId | undefined;
  readonly address?: string | undefined;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  /** Identity of the reservation of which it has a seat, or because of which it was refused. */
  readonly reservation?: string | undefined;
  /** The answers of the other servers; empty when decisions come too fast to record them all. */
  readonly others: readonly AnswerView[];
  readonly omitted: number;
}
