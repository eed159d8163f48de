/** Whose turn it is, where the waiting line goes by turns: knows the sessions of each client and has its tickets put in their places. */
import { turnOf, type TurnKey, type Turns } from '../core/queue/turns.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { Project } from '../core/fleet/project.ts';
import { normalizedCode } from '../core/reservations/code.ts';
import type { Clock } from '../ports.ts';
import type { SessionRequest } from './request-types.ts';

export interface FairTurnsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly turns: Turns;
  readonly line: Pick<WaitingLine, 'reorder'>;
  readonly by: TurnKey;
  /** Seconds after which a session is not believed to run any more, if nothing is known of its end. */
  readonly sessionLength: () => number;
  /** The hand-out is not known to have ended. */
  readonly isThere: (bookingId: string) => boolean;
}

export class FairTurns {
  readonly #options: FairTurnsOptions;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** Of a client without a seat of a class. */
  of({ address, code }: SessionRequest, project: Project | undefined): string | undefined {
    const written = code === undefined ? undefined : normalizedCode(code);
    return turnOf(this.#options.by, { address: address.limitKey, project, code: written });
  }

  booked(turn: string | undefined, bookingId: string): void {
    const { turns, clock, sessionLength, line } = this.#options;
    if (turn === undefined) return;
    turns.began(turn, bookingId, clock.now() + sessionLength());
    line.reorder(turn);
  }

  connected(bookingId: string): void {
    this.#options.turns.connected(bookingId);
  }

  released(bookingId: string): void {
    const { turns, line } = this.#options;
    const turn = turns.ended(bookingId);
    if (turn !== undefined) line.reorder(turn);
  }

  /** To be called from time to time: sessions may have ended without a word. */
  expire(): void {
    const { turns, clock, isThere, line } = this.#options;
    for (const turn of turns.expire(clock.now(), isThere)) line.reorder(turn);
  }
}
