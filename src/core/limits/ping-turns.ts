/**
 * When each of many clients is asked whether it is still there, and which of them did not say so.
 *
 * Each has a time of its own, so that one that answers slowly is not asked sooner because few are connected. Turns are taken in the order of those times and
 * so many at once that everybody is asked within an interval: a crowd that came in the same second is spread out by its first round. Times are seconds.
 */
export interface PingTurnRules {
  /** Seconds between two pings of one client, and what it has to answer in. */
  readonly interval: number;
  /** Seconds between two calls of `take`. */
  readonly slice: number;
}

export interface PingTurn<Client> {
  /** To be asked now. */
  readonly ask: readonly Client[];
  /** Did not answer within the interval after they were asked, and are not known any more. */
  readonly silent: readonly Client[];
}

interface State {
  /** When it is asked next. */
  due: number;
  /** It was asked and has not answered. */
  asked: boolean;
}

/** Clients of one turn that cost nothing worth spreading. */
const SMALL_TURN = 100;

export class PingTurns<Client> {
  readonly #rules: PingTurnRules;
  /** In the order of their times. */
  readonly #clients = new Map<Client, State>();

  constructor(rules: PingTurnRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#clients.size;
  }

  add(client: Client, now: number): void {
    this.#clients.set(client, { due: now + this.#rules.interval, asked: false });
  }

  remove(client: Client): void {
    this.#clients.delete(client);
  }

  answered(client: Client): void {
    const state = this.#clients.get(client);
    if (state !== undefined) state.asked = false;
  }

  /** Whose turn it is. */
  take(now: number): PingTurn<Client> {
    const { interval, slice } = this.#rules;
    const most = Math.max(SMALL_TURN, Math.ceil((this.size * slice) / interval));
    const ask: Client[] = [];
    const silent: Client[] = [];
    for (const [client, state] of this.#clients) {
      if (state.due > now || ask.length + silent.length >= most) break;
      this.#clients.delete(client);
      if (state.asked) {
        silent.push(client);
        continue;
      }
      ask.push(client);
      this.#clients.set(client, { due: now + interval, asked: true });
    }
    return { ask, silent };
  }
}
