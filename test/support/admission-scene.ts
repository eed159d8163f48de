/** Session requests, waiting line and prospects over a real ledger, with a clock that a test moves. */
import assert from 'node:assert/strict';
import { DEFAULT_ALLOCATION } from '../../src/core/allocation/allocation-parameters.ts';
import { Ledger } from '../../src/core/allocation/ledger.ts';
import { Router, type RoutedServer } from '../../src/core/fleet/routing.ts';
import { TokenBuckets } from '../../src/core/limits/token-bucket.ts';
import { Turns } from '../../src/core/queue/turns.ts';
import { WaitingLine } from '../../src/core/queue/waiting-line.ts';
import type { AnswerView } from '../../src/core/views/monitor-view.ts';
import { parseProject } from '../../src/core/fleet/project.ts';
import { AnnouncedEnds } from '../../src/core/reservations/announced-ends.ts';
import type { ReservationBook } from '../../src/core/reservations/reservation-book.ts';
import { ReservedSeats } from '../../src/core/reservations/reserved-seats.ts';
import { Reservations } from '../../src/engine/reservations.ts';
import { createAdmission } from '../../src/engine/admission.ts';
import { ledgerBookings, type Bookings } from '../../src/engine/bookings.ts';
import { CountedSessions } from '../../src/engine/counted-sessions.ts';
import { FairTurns } from '../../src/engine/fair-turns.ts';
import { Decisions } from '../../src/engine/decisions.ts';
import type { Outcome, Waiter, Waiting } from '../../src/engine/request-types.ts';
import { endpointOf } from './endpoints.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryLog } from './memory-log.ts';

/** What the servers answer to every explanation. */
export const ANSWERS: readonly AnswerView[] = [
  { id: 'b:2000', address: 'b/2000', chosen: false, eligible: true, code: 'has-room', reason: 'It could take the session.' },
];
export const PROJECT = 'https://github.com/school/robots/blob/main/worlds/arm.wbt';

/** Servers with these loads. */
export function start(
  loads: Readonly<Record<string, number>>,
  {
    rules = {},
    slow = false,
    otherHosts = () => [],
    maxSessions,
    mostWaiting = 100,
    mostWaitingOfOne = 10,
    book,
    byTurns = false,
  }: {
    rules?: Partial<RoutedServer>;
    slow?: boolean;
    otherHosts?: () => readonly string[];
    maxSessions?: number;
    mostWaiting?: number;
    mostWaitingOfOne?: number;
    /** Seats that are reserved for classes. */
    book?: ReservationBook;
    byTurns?: boolean;
  } = {},
) {
  const clock = new FakeClock(0);
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  const router = new Router();
  const turns = new Turns();
  const rulesOfLine = { maxLength: mostWaiting, maxPerAddress: mostWaitingOfOne, resume: 30, passing: 120 };
  const line = new WaitingLine(rulesOfLine, undefined, (turn) => turns.running(turn));
  const decisions = new Decisions();
  const log = new MemoryLog();
  const keepsEnds = { value: false };
  const classes = book && classesOf({ book, ledger, router, line, clock, log, keepsEnds });
  const immediate = ledgerBookings(ledger, clock, undefined, classes);
  let attempts = 0;
  /** A ledger that is shared with others takes its time. */
  const bookings: Bookings = slow
    ? {
        ...immediate,
        book: async (request, candidates) => {
          const outcome = await immediate.book(request, candidates);
          await clock.sleep(0.1);
          return outcome;
        },
      }
    : {
        ...immediate,
        book: (request, candidates) => {
          attempts += 1;
          return immediate.book(request, candidates);
        },
      };
  let ids = 0;
  const endpoints = new Map(Object.keys(loads).map((id) => [id, endpointOf(id)]));
  const { requests, queue, prospects, waitingList } = createAdmission({
    ...{ clock, router, line, decisions, bookings, log },
    newId: () => `id${(ids += 1)}`,
    buckets: new TokenBuckets({ burst: 5, rate: 1, maxKeys: 100 }),
    settings: () => ({ handOutSsl: true, otherHosts: otherHosts(), settle: 60, resume: 30 }),
    endpoint: (id) => endpoints.get(id),
    explain: () => ({ summary: '2 servers: both are at 97%', answers: ANSWERS }),
    costOf: (project) => ledger.fleetCost(project?.key).value,
    ...(classes !== undefined && { classes: classes.reservations }),
    ...(byTurns && { turns: turnsOf(turns, line, ledger, clock) }),
  });
  const report = (id: string, load: number, own: Partial<RoutedServer> = {}) => {
    ledger.report(id, load, clock.now());
    router.update({ id, state: 'available', load, shareIdleTime: 0, labels: {}, ...rules, ...own });
    queue.refresh();
  };
  for (const [id, load] of Object.entries(loads)) {
    ledger.add(id, { weight: 1, ...(maxSessions !== undefined && { maxSessions }) }, clock.now());
    report(id, load);
  }
  return {
    clock,
    ledger,
    router,
    line,
    decisions,
    requests,
    queue,
    prospects,
    waitingList,
    log,
    report,
    reservations: classes?.reservations,
    /** What operators were notified of. */
    notices: classes?.notices ?? [],
    /** Sessions are ended as announced. */
    keepsEnds,
    attempts: () => attempts,
  };
}

function turnsOf(turns: Turns, line: WaitingLine, ledger: Ledger, clock: FakeClock): FairTurns {
  const isThere = (bookingId: string) => ledger.serverOf(bookingId) !== undefined;
  return new FairTurns({ turns, line, clock, by: 'address', sessionLength: () => 1500, isThere });
}

interface ClassParts {
  readonly book: ReservationBook;
  readonly ledger: Ledger;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly keepsEnds: { readonly value: boolean };
}

function classesOf({ book, ledger, router, line, clock, log, keepsEnds }: ClassParts) {
  const keyOf = (url: string) => projectOf(url)?.key;
  const eligible = ({ project }: { readonly project?: string }) => router.eligible(projectOf(project));
  const notices: string[] = [];
  const lengths = { mean: 1500, spread: 0.8 };
  const { target } = DEFAULT_ALLOCATION;
  const seats = new ReservedSeats({
    ...{ ledger, book, eligible, keyOf, ends: new AnnouncedEnds(), keepsEnds: () => keepsEnds.value },
    parameters: () => ({ target, lengths }),
  });
  let ids = 0;
  const reservations = new Reservations({
    ...{ clock, log, book, seats, ledger, eligible, keyOf },
    counted: new CountedSessions({ clock, ledger, sessionLength: () => lengths.mean, target: () => target }),
    newId: () => `r${(ids += 1)}`,
    target: () => target,
    waiting: (id) => line.lengthOf(id),
    changed: () => undefined,
    saveSoon: () => undefined,
    notify: (kind, { id }) => notices.push(`${kind} ${id}`),
  });
  return {
    seats,
    reservations,
    notices,
    began: () => undefined,
    left: (id: string) => book.leave(id),
    wallTime: () => clock.wallTime(),
  };
}

function projectOf(url: string | undefined) {
  const read = url === undefined ? undefined : parseProject(url);
  return read?.kind === 'project' ? read.project : undefined;
}

export const from = (limitKey?: string) => ({ address: { address: limitKey ?? '127.0.0.1', limitKey } });

export const HEAVY = 'https://github.com/school/heavy';

/** Sessions of `HEAVY` cost five times as much as others. */
export function learnHeavy(ledger: Ledger, clock: FakeClock): void {
  const fleet = { cost: 8, log: Math.log(8), variance: 0.01 };
  const projects = [['github.com/school/heavy', Math.log(5), 0.01]];
  const saved = { format: 'session-server/ledger', version: 1, savedAt: clock.wallTime(), allocations: 0, fleet };
  ledger.restore({ ...saved, servers: [], projects, bookings: [] }, clock.now(), clock.wallTime());
}

/** A client that waits and remembers what it was sent. */
export class Client implements Waiter {
  readonly places: number[] = [];
  last: Waiting | undefined;
  outcome: Outcome | undefined;
  readonly #gone = new AbortController();
  readonly gone = this.#gone.signal;
  readonly keepPlace: boolean;
  readonly keepOutcome?: true;

  constructor(keepPlace = false, keepOutcome = false) {
    this.keepPlace = keepPlace;
    if (keepOutcome) this.keepOutcome = true;
  }
  changed(waiting: Waiting): void {
    this.last = waiting;
    this.places.push(waiting.position);
  }
  settled(outcome: Outcome): void {
    assert.equal(this.outcome, undefined, 'settled twice');
    this.outcome = outcome;
  }
  leave(): void {
    this.#gone.abort();
  }
  get url(): string | undefined {
    return this.outcome?.kind === 'allocated' ? this.outcome.url : undefined;
  }
}
