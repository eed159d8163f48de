/** What operators do to the waiting line and to sessions: remove from the line, end, move. Each action is logged with the operator's name. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Log } from '../ports.ts';
import type { ActionRefused } from './operator-actions.ts';
import type { QueueService } from './queue-service.ts';
import type { SessionList } from './session-list.ts';

export interface SessionActionsOptions {
  readonly log: Log;
  readonly queue: Pick<QueueService, 'remove' | 'release'>;
  readonly sessions: Pick<SessionList, 'gateway'>;
  /** The server of a hand-out that has not ended. */
  readonly serverOf: (bookingId: string) => ServerId | undefined;
}

export type SessionActionOutcome<T> = { readonly kind: 'done'; readonly how: T } | { readonly kind: 'unknown' } | ActionRefused;

const ENDED = 'An operator ended this session.';

export class SessionActions {
  readonly #options: SessionActionsOptions;

  constructor(options: SessionActionsOptions) {
    this.#options = options;
  }

  /** `false`: it is not in line any more. */
  removeWaiting(id: string, by: string): boolean {
    const { queue, log } = this.#options;
    if (!queue.remove(id)) return false;
    log.info(`a request was removed from the waiting line by ${by}`, { by, id });
    return true;
  }

  /**
   * `closed`: the client was disconnected. `released`: the place of a hand-out is free; its client, if it has come, is connected to the
   * simulation server directly and stays there.
   */
  async end(id: string, by: string, reason?: string): Promise<SessionActionOutcome<'closed' | 'released'>> {
    const { queue, sessions, serverOf, log } = this.#options;
    if (sessions.gateway.end(id, reason ?? ENDED) === true) {
      log.info(`a session was ended by ${by}`, { by, id, reason });
      return { kind: 'done', how: 'closed' };
    }
    const server = serverOf(id);
    if (server === undefined) return { kind: 'unknown' };
    await queue.release(id);
    log.info(`the booking of a session on ${server} was released by ${by}`, { by, id, reason });
    return { kind: 'done', how: 'released' };
  }

  move(id: string, by: string): SessionActionOutcome<'at-once' | 'closed'> {
    const { sessions, serverOf, log } = this.#options;
    const how = sessions.gateway.move(id);
    if (how !== undefined) {
      log.info(`a session was moved by ${by}`, { by, id, how });
      return { kind: 'done', how };
    }
    if (serverOf(id) === undefined) return { kind: 'unknown' };
    const reason = 'The client of this session is connected to its simulation server directly; end the session there.';
    return { kind: 'refused', code: 'not-through-gateway', reason };
  }
}
