import type { Outcome, SessionRequest, Waiter } from '../../src/engine/request-types.ts';
import type { SessionTicketsOptions } from '../../src/http/clients/session-tickets.ts';

interface FakePlace {
  readonly token: string;
  waiter: Waiter | undefined;
}

type Faked = SessionTicketsOptions['requests'] & SessionTicketsOptions['queue'];

/** Session requests and queue service that do what a test says: what they answer next, and who gets a server. A client that waits gets a place by default. */
export class FakeAdmission implements Faked {
  readonly requests: SessionRequest[] = [];
  readonly released: string[] = [];
  /** Tokens that are given up after so many seconds. */
  readonly leaving: (readonly [token: string, grace: number])[] = [];
  /** Outcomes by resume tokens. */
  readonly undelivered = new Map<string, Outcome>();
  /** Tokens from before a restart, by client ids. */
  readonly restored = new Map<string, string>();
  /** Answers to the next requests, in order. */
  readonly next: Outcome[] = [];
  readonly #places: FakePlace[] = [];
  #serial = 0;

  request(request: SessionRequest): Promise<Outcome> {
    this.requests.push(request);
    return Promise.resolve(this.next.shift() ?? this.allocated());
  }

  wait(request: SessionRequest, waiter: Waiter): Promise<void> {
    this.requests.push(request);
    const outcome = this.next.shift();
    if (outcome !== undefined) waiter.settled(outcome);
    else this.#attach({ token: `token-${(this.#serial += 1)}`, waiter: undefined }, waiter, true);
    return Promise.resolve();
  }

  resume(token: string, waiter: Waiter): boolean {
    const undelivered = this.undelivered.get(token);
    if (undelivered !== undefined) waiter.settled(undelivered);
    const place = this.#places.find((place) => place.token === token);
    if (place === undefined) return undelivered !== undefined;
    place.waiter?.settled({ kind: 'refused', code: 'continued-elsewhere', reason: 'Continued elsewhere.' });
    this.#attach(place, waiter, false);
    return true;
  }

  delivered(token: string): void {
    this.undelivered.delete(token);
  }

  giveUp(token: string): Promise<boolean> {
    const index = this.#places.findIndex((place) => place.token === token);
    const [place] = index < 0 ? [] : this.#places.splice(index, 1);
    place?.waiter?.settled({ kind: 'refused', code: 'given-up', reason: 'Given up.' });
    return Promise.resolve(place !== undefined);
  }

  giveUpLater(token: string, grace: number): boolean {
    this.leaving.push([token, grace]);
    return this.#places.some((place) => place.token === token);
  }

  restoredToken({ clientId = '' }: SessionRequest): string | undefined {
    const token = this.restored.get(clientId);
    this.restored.delete(clientId);
    return token;
  }

  release(bookingId: string): Promise<void> {
    this.released.push(bookingId);
    return Promise.resolve();
  }

  allocated(server = 'sim1.example.org:2000'): Outcome {
    const serial = (this.#serial += 1);
    const url = `wss://${server.replace(':', '/')}`;
    return { kind: 'allocated', id: `request-${serial}`, url, server, bookingId: `booking-${serial}`, expiresAt: 1_700_000_060 };
  }

  /** Ends the wait of the first in line, or of the holder of a token; `undefined` when no connection receives it. */
  settle(outcome: Outcome = this.allocated(), token = this.#places[0]?.token): Outcome | undefined {
    const place = this.#places.find((place) => place.token === token);
    if (place?.waiter === undefined) return undefined;
    this.#places.splice(this.#places.indexOf(place), 1);
    place.waiter.settled(outcome);
    return outcome;
  }

  /** Those in line, with a mark for those that are away. */
  get line(): string[] {
    return this.#places.map(({ token, waiter }) => (waiter === undefined ? `${token} away` : token));
  }

  #attach(place: FakePlace, waiter: Waiter, joins: boolean): void {
    place.waiter = waiter;
    if (joins) this.#places.push(place);
    waiter.gone.addEventListener('abort', () => {
      if (place.waiter === waiter) place.waiter = undefined;
    });
    waiter.changed({
      position: this.#places.indexOf(place) + 1,
      ofClass: false,
      estimate: { from: 5, to: 20 },
      resumeToken: place.token,
    });
  }
}
