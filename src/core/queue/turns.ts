/**
 * Turns: the first request of everyone goes before the second one of anyone. How clients are distinguished is configured; each has a key. Counts the sessions of each
 * key that run. The line adds the tickets of the key that are ahead.
 */
import type { Project } from '../fleet/project.ts';

export const TURN_KEYS = ['address', 'owner', 'repository', 'code'] as const;
export type TurnKey = (typeof TURN_KEYS)[number];

/** What is known of a client. */
export interface TurnClaim {
  readonly address: string | undefined;
  readonly project: Pick<Project, 'host' | 'owner' | 'repository'> | undefined;
  /** Normalised code of a class. */
  readonly code: string | undefined;
}

/** The key of a client. One that lacks what is counted by is known by its address; `undefined`: it has a turn of its own each time. */
export function turnOf(by: TurnKey, { address, project, code }: TurnClaim): string | undefined {
  const own = { address: undefined, owner: project && `${project.host}/${project.owner}`.toLowerCase(), code };
  const found = by === 'repository' ? project?.repository : own[by];
  if (found !== undefined) return `${by} ${found}`;
  return address === undefined ? undefined : `address ${address}`;
}

interface Running {
  readonly turn: string;
  /** Seconds of the clock: when it is not believed to run any more. */
  until: number;
}

export class Turns {
  readonly #counts = new Map<string, number>();
  readonly #sessions = new Map<string, Running>();

  /** Sessions of the key that run. */
  running(turn: string): number {
    return this.#counts.get(turn) ?? 0;
  }

  /** A server was booked. Without further news the session runs until then. */
  began(turn: string, bookingId: string, until: number): void {
    if (this.#sessions.has(bookingId)) return;
    this.#sessions.set(bookingId, { turn, until });
    this.#counts.set(turn, this.running(turn) + 1);
  }

  /** The end of the session will be known. */
  connected(bookingId: string): void {
    const session = this.#sessions.get(bookingId);
    if (session !== undefined) session.until = Infinity;
  }

  /** The session ended. Returns its key, if it is counted. */
  ended(bookingId: string): string | undefined {
    const session = this.#sessions.get(bookingId);
    if (session === undefined) return undefined;
    const { turn } = session;
    const left = this.running(turn) - 1;
    this.#sessions.delete(bookingId);
    if (left > 0) this.#counts.set(turn, left);
    else this.#counts.delete(turn);
    return turn;
  }

  /** Ends the sessions that are not believed to run any more, and returns their keys. `isThere`: the hand-out is not known to have ended. */
  expire(now: number, isThere: (bookingId: string) => boolean): ReadonlySet<string> {
    const changed = new Set<string>();
    for (const [bookingId, { turn, until }] of this.#sessions) {
      if (until > now && isThere(bookingId)) continue;
      this.ended(bookingId);
      changed.add(turn);
    }
    return changed;
  }
}
