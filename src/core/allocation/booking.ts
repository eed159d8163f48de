/** A hand-out that is remembered, and the source that the chance that it becomes a session is judged by. Types only. */
import type { ServerId } from '../fleet/endpoint.ts';

/** One allocation that is remembered. */
export interface Booking {
  readonly id: string;
  readonly server: ServerId;
  readonly at: number;
  /** The same when a client asks again. */
  readonly request: string;
  readonly project: string | undefined;
  /** What the chance that it became a session is judged by; `undefined`: by nothing. */
  source: Source | undefined;
  /** That chance, compared to an ordinary hand-out, at the time of the hand-out. */
  readonly weight: number;
  /** It was seen that its client did not come. */
  absent?: true;
  /** The client asked again: its session is not there any more, or never was. */
  returned: boolean;
  /** When its session began and when it ended, where that is known. */
  connected?: number;
  /** When its simulation was seen to have started, where the server reports that. */
  streams?: number;
  left?: number;
}

/** How many hand-outs became sessions and how many did not, both fading with time. */
export interface Tally {
  arrived: number;
  absent: number;
  at: number;
}

/** An address that hand-outs went to, or what it asked for beyond its habit. */
export interface Source extends Tally {
  readonly address: string;
  /** Logarithm of the odds that its hand-outs become sessions at all, against what is usual. */
  odds: number;
  /** Hand-outs so far; from `GROUP` on it is judged by itself. */
  handedOut: number;
  /** When it got the first. */
  readonly since: number;
  /** Hand-outs per second, a mean over `HABIT`, and when that was counted. */
  rate: number;
  ratedAt: number;
  /** Hand-outs of the last minute, the oldest first. */
  readonly recent: Booking[];
  /** What it asks for beyond its habit: an uptime check and a class may share one address. */
  surplus: Source | undefined;
}
