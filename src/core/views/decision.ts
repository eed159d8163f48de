/** What became of one session request, as it is written down. */
import type { ServerId } from '../fleet/endpoint.ts';
import type { AnswerView, DecisionKind } from './monitor-view.ts';

export interface Decision {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly kind: DecisionKind;
  /** URL of the project, when the client said what it wants to run; of one that could not be read the text it sent, at most `MAX_PROJECT_URL` characters. */
  readonly project?: string | undefined;
  readonly server?: ServerId | undefined;
  readonly address?: string | undefined;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  /** What the other servers said; left out when decisions come too fast to write them all down. */
  readonly others: readonly AnswerView[];
  readonly omitted: number;
}
