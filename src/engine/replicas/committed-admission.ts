/** What clients call on a leader: admission as it is, but no client is sent a decision before it is committed. */
import type { Clock } from '../../ports.ts';
import type { Admitting } from '../admission.ts';
import type { NoRoom, Outcome, Refused, SessionRequest, Waiter, Waiting } from '../request-types.ts';
import type { Journal } from './journal.ts';
import type { ResumeTokens } from './resume-tokens.ts';

/** Seconds that a client waits for a commit, unless it waits in line. */
const PATIENCE = 2;
const UNREACHABLE: Refused = {
  kind: 'refused',
  code: 'store-unreachable',
  reason: 'the session servers cannot agree at the moment; try again in a few seconds.',
  retryAfter: 2,
};

export function committedAdmission(
  { requests, queue }: Admitting,
  journal: Pick<Journal, 'committed' | 'isClean'>,
  { clock, tokens }: { readonly clock: Clock; readonly tokens: ResumeTokens },
): Admitting {
  const inTime = (done: Promise<unknown>) => isInTime(done, clock);
  const answer = async <T extends Outcome | NoRoom>(outcome: T): Promise<T | Refused> => {
    if (outcome.kind !== 'allocated' || journal.isClean || (await inTime(journal.committed()))) return outcome;
    await queue.release(outcome.bookingId);
    return UNREACHABLE;
  };
  /** Waits until the waiter was sent something, or refuses it: it has no place yet that it could lose. */
  const enter = async (waiter: CommittedWaiter, entered: Promise<void>, { place }: SessionRequest) => {
    await entered;
    if ((await inTime(waiter.sent())) || waiter.mayContinue) return;
    const { token = place?.token, bookingId } = waiter.refuse();
    // Its place, or the outcome that was kept for it.
    const isGivenUp = token !== undefined && (await queue.giveUp(token));
    if (!isGivenUp && bookingId !== undefined) await queue.release(bookingId);
  };
  return {
    requests: {
      request: async (request) => answer(await requests.request(request)),
      tryOnce: async (request) => answer(await requests.tryOnce(request)),
    },
    queue: {
      get length() {
        return queue.length;
      },
      holds: (shown) => queue.holds(tokens.known(shown) ?? ''),
      wait({ resumeToken, ...request }, inner) {
        for (const shown of [request.place?.token, resumeToken]) {
          const known = shown === undefined ? undefined : tokens.known(shown);
          if (known === undefined || !queue.holds(known)) continue;
          return queue.wait({ ...request, resumeToken: known }, new CommittedWaiter(shownAs(inner, known, shown), journal));
        }
        const waiter = new CommittedWaiter(inner, journal);
        return enter(waiter, queue.wait(request, waiter), request);
      },
      requeue(request, failed, inner) {
        const waiter = new CommittedWaiter(inner, journal);
        return enter(waiter, queue.requeue(request, failed, waiter), request);
      },
      hold: async (...held) => answer(await queue.hold(...held)),
      ...byToken(queue, journal, tokens),
      connected: (bookingId) => queue.connected(bookingId),
      release: (bookingId) => queue.release(bookingId),
    },
  };
}

/** What a client asks for with the token of its place, which the queue may know by another name. */
function byToken(
  queue: Admitting['queue'],
  journal: Pick<Journal, 'committed' | 'isClean'>,
  tokens: ResumeTokens,
): Pick<Admitting['queue'], 'resume' | 'restoredToken' | 'delivered' | 'giveUp' | 'giveUpLater'> {
  return {
    resume(shown, inner) {
      const known = tokens.known(shown);
      return known !== undefined && queue.resume(known, new CommittedWaiter(shownAs(inner, known, shown), journal));
    },
    restoredToken(request) {
      const known = queue.restoredToken(request);
      return known === undefined ? undefined : tokens.issue(known);
    },
    delivered(shown) {
      const known = tokens.known(shown);
      if (known !== undefined) queue.delivered(known);
    },
    giveUp(shown) {
      const known = tokens.known(shown);
      return known === undefined ? Promise.resolve(false) : queue.giveUp(known);
    },
    giveUpLater(shown, grace) {
      const known = tokens.known(shown);
      return known !== undefined && queue.giveUpLater(known, grace);
    },
  };
}

/** A client goes on with the token that it showed, whatever the queue has. */
function shownAs(waiter: Waiter, known: string | undefined, shown: string | undefined): Waiter {
  if (shown === undefined || known === shown) return waiter;
  const { gone, keepPlace, keepOutcome } = waiter;
  return {
    ...{ gone, keepPlace, ...(keepOutcome === true && { keepOutcome }) },
    changed(waiting) {
      waiter.changed(waiting.resumeToken === known ? { ...waiting, resumeToken: shown } : waiting);
    },
    settled(outcome) {
      waiter.settled(outcome);
    },
  };
}

/** Forwards what a waiting client is sent, in order, each when it is committed. */
class CommittedWaiter implements Waiter {
  readonly gone: AbortSignal;
  readonly keepPlace: boolean;
  readonly keepOutcome?: true;
  readonly #inner: Waiter;
  readonly #journal: Pick<Journal, 'committed' | 'isClean'>;
  readonly #refused = new AbortController();
  /** What waits to be sent. */
  #sending: Promise<void> | undefined;
  #token: string | undefined;
  #bookingId: string | undefined;
  #isContinued = false;

  constructor(inner: Waiter, journal: Pick<Journal, 'committed' | 'isClean'>) {
    this.#inner = inner;
    this.#journal = journal;
    this.keepPlace = inner.keepPlace;
    // A client that can come back to its place can come back to its outcome, also on another replica.
    if (inner.keepPlace) this.keepOutcome = true;
    this.gone = AbortSignal.any([inner.gone, this.#refused.signal]);
  }

  changed(waiting: Waiting): void {
    this.#token = waiting.resumeToken;
    this.#send(() => {
      this.#inner.changed(waiting);
    });
  }

  /** Its client asks on another connection, or may still do so. */
  get mayContinue(): boolean {
    return this.#isContinued || (this.keepPlace && this.#inner.gone.aborted);
  }

  settled(outcome: Outcome): void {
    if (outcome.kind === 'refused' && outcome.code === 'continued-elsewhere') this.#isContinued = true;
    if (outcome.kind === 'allocated') this.#bookingId = outcome.bookingId;
    this.#send(() => {
      this.#inner.settled(outcome);
    });
  }

  /** Resolves when everything so far was sent. */
  async sent(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** The client is sent nothing of what waits. Returns what it would have got. */
  refuse(): { readonly token: string | undefined; readonly bookingId: string | undefined } {
    this.#refused.abort();
    this.#inner.settled(UNREACHABLE);
    return { token: this.#token, bookingId: this.#bookingId };
  }

  #send(send: () => void): void {
    if (this.#sending === undefined && this.#journal.isClean) {
      send();
      return;
    }
    const sending = (this.#sending ?? Promise.resolve())
      .then(() => this.#journal.committed())
      .then(() => {
        if (this.#sending === sending) this.#sending = undefined;
        if (!this.#refused.signal.aborted) send();
      });
    this.#sending = sending;
  }
}

/** `false`: it took too long. */
async function isInTime(done: Promise<unknown>, clock: Clock): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(PATIENCE, timer.signal).then(() => false);
  const first = await Promise.race([done.then(() => true), late]);
  timer.abort();
  return first;
}
