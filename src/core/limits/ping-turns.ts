/**
 * When each of many clients is pinged, and which of them did not answer.
 *
 * Each has a time of its own, so that a slow client is not pinged sooner because few are connected. Clients are pinged in the order of those times, and as
 * many at once as needed to ping each within an interval: a crowd that connected in the same second is spread out by its first round. Times are seconds.
 */
export interface PingTurnRules {
  /** Seconds between two pings of one client, within which it has to answer. */
  readonly interval: number;
  /** Seconds between two calls of `take`. */
  readonly slice: number;
}

export interface PingTurn<Client> {
  /** To be pinged now. */
  readonly ping: readonly Client[];
  /** Did not answer within the interval after the last ping, and are removed. */
  readonly silent: readonly Client[];
}

interface State {
  /** When it is pinged next. */
  due: number;
  /** It was pinged and has not answered. */
  pinged: boolean;
}

/** A turn of so many clients is too cheap to spread out. */
const MIN_TURN = 100;

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
    this.#clients.set(client, { due: now + this.#rules.interval, pinged: false });
  }

  remove(client: Client): void {
    this.#clients.delete(client);
  }

  answered(client: Client): void {
    const state = this.#clients.get(client);
    if (state !== undefined) state.pinged = false;
  }

  /** The clients whose turn it is. */
  take(now: number): PingTurn<Client> {
    const { interval, slice } = this.#rules;
    const max = Math.max(MIN_TURN, Math.ceil((this.size * slice) / interval));
    const ping: Client[] = [];
    const silent: Client[] = [];
    for (const [client, state] of this.#clients) {
      if (state.due > now || ping.length + silent.length >= max) break;
      this.#clients.delete(client);
      if (state.pinged) {
        silent.push(client);
        continue;
      }
      ping.push(client);
      this.#clients.set(client, { due: now + interval, pinged: true });
    }
    return { ping, silent };
  }
}
