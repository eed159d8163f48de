/**
 * The clients that are connected to this replica and wait for a server. A request is put to the present leader, and again to the next one, with the token of its
 * place. So connections survive the death of a leader, and no place is given twice.
 */
import type { Log, NewId } from '../../ports.ts';
import type { Admitting } from '../admission.ts';
import type { Outcome, ReplicaPlace, SessionRequest, Waiter, Waiting } from '../request-types.ts';

/** Where requests are decided: in this replica while it leads, else at the other end of a link. */
export interface ClientQueue {
  wait(request: PlacedRequest, waiter: Waiter): Promise<void>;
  delivered(token: string): void;
  giveUp(token: string): Promise<unknown>;
}

export type PlacedRequest = SessionRequest & { readonly place: ReplicaPlace };

export interface WaitingClientsOptions {
  readonly newId: NewId;
  readonly log: Log;
  /** The id of this replica. */
  readonly replica: string;
}

/** Places that end while no replica leads. */
const MAX_ENDING = 10_000;

export class WaitingClients implements Pick<Admitting['queue'], 'wait' | 'delivered' | 'giveUp'> {
  readonly #options: WaitingClientsOptions;
  /** In the order in which they came. */
  readonly #clients = new Set<WaitingClient>();
  #leader: ClientQueue | undefined;
  /** What the next leader has to know about places, by their tokens. */
  readonly #ending = new Map<string, 'delivered' | 'give-up'>();

  constructor(options: WaitingClientsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  wait(request: SessionRequest, waiter: Waiter): Promise<void> {
    const { newId, replica } = this.#options;
    const place = { token: newId(), ...(!waiter.keepPlace && { replica }) };
    const client = new WaitingClient({ ...request, place }, waiter, {
      settled: () => this.#clients.delete(client),
      delivered: (token: string) => {
        this.delivered(token);
      },
    });
    this.#clients.add(client);
    const gone = () => {
      // A client that knows no token cannot come back to its place.
      if (this.#clients.delete(client) && !client.knowsToken) void this.giveUp(client.token);
    };
    if (this.#leader !== undefined) this.#put(client, this.#leader);
    if (waiter.gone.aborted) gone();
    else waiter.gone.addEventListener('abort', gone, { once: true });
    return Promise.resolve();
  }

  delivered(token: string): void {
    if (this.#leader === undefined) this.#later(token, 'delivered');
    else this.#leader.delivered(token);
  }

  async giveUp(token: string): Promise<boolean> {
    if (this.#leader === undefined) this.#later(token, 'give-up');
    else await this.#leader.giveUp(token);
    return true;
  }

  /** Requests are put to this one from now on. */
  follow(leader: ClientQueue): void {
    this.lose();
    this.#leader = leader;
    for (const [token, ending] of this.#ending) {
      if (ending === 'delivered') leader.delivered(token);
      else void leader.giveUp(token);
    }
    this.#ending.clear();
    for (const client of [...this.#clients]) this.#put(client, leader);
  }

  /** The present leader answers no more. */
  lose(): void {
    this.#leader = undefined;
    for (const client of this.#clients) client.lose();
  }

  #put(client: WaitingClient, leader: ClientQueue): void {
    client.put(leader).catch((error: unknown) => {
      this.#options.log.limited('warn', 'session request', 'a session request failed', { error });
    });
  }

  #later(token: string, ending: 'delivered' | 'give-up'): void {
    if (this.#ending.size < MAX_ENDING) this.#ending.set(token, ending);
  }
}

interface WaitingClientEvents {
  settled(): void;
  delivered(token: string): void;
}

class WaitingClient {
  readonly #request: PlacedRequest;
  readonly #waiter: Waiter;
  readonly #events: WaitingClientEvents;
  /** Ends what the leader before has of it. */
  #attempt = new AbortController();
  /** That of its place, once it has one. */
  #token: string | undefined;

  constructor(request: PlacedRequest, waiter: Waiter, events: WaitingClientEvents) {
    this.#request = request;
    this.#waiter = waiter;
    this.#events = events;
  }

  get token(): string {
    return this.#token ?? this.#request.place.token;
  }

  get knowsToken(): boolean {
    return this.#waiter.keepPlace && this.#token !== undefined;
  }

  async put(leader: ClientQueue): Promise<void> {
    this.lose();
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { gone } = this.#waiter;
    const { resumeToken: shown, ...request } = this.#request;
    const resumeToken = this.#token ?? shown;
    await leader.wait(
      { ...request, ...(resumeToken !== undefined && { resumeToken }) },
      {
        ...{ gone: AbortSignal.any([gone, attempt.signal]), keepPlace: true, keepOutcome: true },
        changed: (waiting) => {
          if (!attempt.signal.aborted) this.#changed(waiting);
        },
        settled: (outcome) => {
          if (attempt.signal.aborted) return;
          attempt.abort();
          this.#settled(outcome);
        },
      },
    );
  }

  lose(): void {
    this.#attempt.abort();
  }

  #changed(waiting: Waiting): void {
    this.#token = waiting.resumeToken;
    this.#waiter.changed(waiting);
  }

  #settled(outcome: Outcome): void {
    this.#events.settled();
    this.#waiter.settled(outcome);
    // A client that knows its token says itself that it has received its outcome.
    if (outcome.kind === 'allocated' && !this.knowsToken) this.#events.delivered(this.token);
  }
}
