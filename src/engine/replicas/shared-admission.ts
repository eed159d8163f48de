/**
 * What admission changes, written to the journal as it happens: tickets, bookings, and outcomes that clients may not know. The next leader reads them as
 * documents, in the way it would read the state of a last run.
 */
import type { SavedTicket } from '../../core/queue/waiting-line.ts';
import type { Ticket } from '../../core/queue/line-order.ts';
import type { Clock, NewId } from '../../ports.ts';
import type { SharedBooking } from '../../state/shared-bookings.ts';
import type { SharedOutcome } from '../../state/undelivered-outcomes.ts';
import type { AdmissionObserver } from '../admission-observer.ts';
import { parsed, type Journal } from './journal.ts';
import { ResumeTokens } from './resume-tokens.ts';

/** A ticket as replicas share it. Its waiting time would change all the time, so that it has the moment when it began. */
interface SharedTicket extends Omit<SavedTicket, 'token' | 'waited' | 'orphan'> {
  readonly token?: string;
  /** Seconds since the epoch. */
  readonly joinedAt: number;
  /** Behind those with a lower one. */
  readonly order: number;
}

const TICKETS = 'tickets/';
const BOOKINGS = 'bookings/';
const OUTCOMES = 'outcomes/';

export class SharedAdmission implements AdmissionObserver {
  readonly #journal: Journal;
  readonly #clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly #newId: NewId;
  readonly tokens: ResumeTokens;
  /** Tokens of places whose clients know none. */
  readonly #orphans = new Set<string>();
  #last = 0;
  #first = 0;

  constructor(journal: Journal, { clock, newId }: { readonly clock: Pick<Clock, 'now' | 'wallTime'>; readonly newId: NewId }) {
    this.#journal = journal;
    this.#clock = clock;
    this.#newId = newId;
    this.tokens = new ResumeTokens(newId);
  }

  readonly line = {
    joined: ({ joinedAt, lostAt: _, except: __, token, ...ticket }: Ticket, atHead: boolean): void => {
      const order = atHead ? (this.#first -= 1) : (this.#last += 1);
      const stored = token === undefined || this.#orphans.has(token) ? undefined : this.tokens.stored(token);
      const shared: SharedTicket = {
        ...{ ...ticket, joinedAt: this.#atWall(joinedAt), order },
        ...(stored !== undefined && { token: stored }),
      };
      this.#journal.set(`${TICKETS}${ticket.id}`, shared);
    },
    handedOver: ({ id, token = '', replica }: Ticket): void => {
      const { token: _, replica: __, ...ticket } = this.#journal.get(`${TICKETS}${id}`) as SharedTicket;
      const stored = this.tokens.stored(token);
      this.#journal.set(`${TICKETS}${id}`, { ...ticket, token: stored, ...(replica !== undefined && { replica }) });
    },
    left: ({ id }: Ticket): void => {
      this.#journal.remove(`${TICKETS}${id}`);
    },
  };

  readonly outcomes: AdmissionObserver['outcomes'] = {
    kept: (token, { request: { projectUrl }, outcome }, until) => {
      const stored = this.tokens.stored(token);
      const shared: SharedOutcome = {
        ...{ token: stored, until: this.#atWall(until), outcome },
        ...(projectUrl !== undefined && { projectUrl }),
      };
      this.#journal.set(`${OUTCOMES}${stored}`, shared);
    },
    forgotten: (token) => {
      this.#journal.remove(`${OUTCOMES}${this.tokens.stored(token)}`);
    },
  };

  readonly bookings: AdmissionObserver['bookings'] = {
    booked: (id, server, { id: request, project }) => {
      const at = this.#clock.wallTime();
      const made = { server, at, ...(request !== '' && { request }), ...(project !== undefined && { project }) };
      this.#journal.set(`${BOOKINGS}${id}`, { id, made } satisfies SharedBooking);
    },
    connected: (id) => {
      this.#change(id, { connected: true });
    },
    released: (id) => {
      this.#change(id, { released: true });
    },
  };

  /** In the form of the state of a last run; `undefined`: there are no tickets. Clients that know no token have to be recognized. */
  savedLine(): unknown {
    const shared = this.#values(TICKETS) as SharedTicket[];
    if (shared.length === 0) return undefined;
    shared.sort((a, b) => a.order - b.order);
    const savedAt = this.#clock.wallTime();
    const tickets = shared.map(({ joinedAt, order: _, token, ...ticket }) => ({
      ...ticket,
      ...(token === undefined ? { token: this.#orphan(), orphan: true } : { token }),
      waited: Math.max(0, savedAt - joinedAt),
    }));
    for (const { token } of shared) if (token !== undefined) this.tokens.restore(token);
    // What is restored is recorded again; what is not has to go.
    for (const { id } of shared) this.#journal.remove(`${TICKETS}${id}`);
    return { version: 1, savedAt, tickets };
  }

  savedBookings(): unknown {
    const shared = this.#values(BOOKINGS);
    return shared.length === 0 ? undefined : shared;
  }

  savedOutcomes(): unknown {
    const shared = this.#values(OUTCOMES) as SharedOutcome[];
    for (const { token } of shared) this.tokens.restore(token);
    return shared.length === 0 ? undefined : shared;
  }

  /** The learned costs are saved, and have all bookings so far. */
  bookingsSaved(): void {
    for (const [key] of [...this.#journal.entries(BOOKINGS)]) this.#journal.remove(key);
  }

  #orphan(): string {
    const token = this.#newId();
    this.#orphans.add(token);
    return token;
  }

  #change(id: string, change: Pick<SharedBooking, 'connected' | 'released'>): void {
    const key = `${BOOKINGS}${id}`;
    this.#journal.set(key, { ...(this.#journal.get(key) as Partial<SharedBooking> | undefined), id, ...change });
  }

  /** What others may have written: it is checked where it is restored. */
  #values(beginning: string): unknown[] {
    return [...this.#journal.entries(beginning)].flatMap(([, text]) => readJson(text));
  }

  #atWall(at: number): number {
    return at - this.#clock.now() + this.#clock.wallTime();
  }
}

function readJson(text: string): unknown[] {
  const value = parsed(text);
  return typeof value === 'object' && value !== null ? [value] : [];
}
