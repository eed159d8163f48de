/**
 * The ledger that ships, in the form the allocation simulator takes: `create(ctx)`, called by its `--with FILE`. Parameters other than the defaults
 * are taken from the environment variable `ALLOCATION_PARAMETERS` (JSON), for the goals that ask what wrong ones cost.
 */
import { appendFileSync } from 'node:fs';
import { DEFAULT_ALLOCATION, type AllocationParameters } from '../src/core/allocation/allocation-parameters.ts';
import type { Candidates } from '../src/core/fleet/candidates.ts';
import { Ledger } from '../src/core/allocation/ledger.ts';
import { AnnouncedEnds } from '../src/core/reservations/announced-ends.ts';
import { checkCapacity, seatsFree, type Slot } from '../src/core/reservations/capacity.ts';
import { ReservationBook } from '../src/core/reservations/reservation-book.ts';
import { ReservedSeats } from '../src/core/reservations/reserved-seats.ts';
import { CountedSessions } from '../src/engine/counted-sessions.ts';
import { bookedFleet, seatFleet } from '../src/engine/seat-fleet.ts';

/** What the simulator hands to a policy. */
interface Context {
  /** Simulation servers; they are numbers from 0. */
  readonly n: number;
  readonly rng: { next(): number };
  /** Percent. */
  readonly threshold: number;
  /** The policy is notified which sessions begin and end. */
  readonly counted?: boolean;
  /** Seconds. */
  readonly sessionLength?: number;
  readonly reservations?: readonly SimulatedReservation[];
}

interface SimulatedReservation {
  readonly code: string;
  readonly project: string;
  readonly seats: number;
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly grace: number;
}

interface Request {
  readonly id: number;
  readonly project: string;
  readonly address: string;
  readonly code?: string;
}

interface Policy {
  readonly name: string;
  readonly reserves: boolean;
  onReport(server: number, load: number, measuredAt: number, now: number): void;
  onPollFailed(server: number, now: number): void;
  pick(now: number, request: Request): number | { readonly server: number; readonly endsAt: number };
  onAssign(server: number, now: number, request: Request): void;
  onConnect(server: number, now: number, request: Request): void;
  onLeave(server: number, now: number, request: Request): void;
}

interface Changes extends Partial<AllocationParameters> {
  /** `false`: the clients do not say what they want to run. */
  readonly projectHints?: boolean;
  /** Sessions are believed to last so many times as long as they do. */
  readonly lengthFactor?: number;
  /** Sessions of others may begin with an end, before a class. */
  readonly announcedEnds?: boolean;
  /** A file to which the answer to the first reservation is written, as it would be an hour before the start. */
  readonly acceptedTo?: string;
}

/** Seconds before the start from which simulated classes come. */
const OPENS = 600;
/** Seconds before the start at which a teacher asks how many seats there are. */
const ASKED = 3600;

/** How many seats may be reserved, and how many of them are there at once. */
function answerTo(slot: Slot, options: Parameters<typeof seatFleet>[0]): { readonly seats: number; readonly atOnce: number } {
  const answer = checkCapacity({ ...slot, seats: 1 }, [], seatFleet(options), 0);
  const seats = answer.kind === 'fits' ? answer.free : 0;
  return { seats, atOnce: Math.min(seats, seatsFree({ ...slot, seats }, [], bookedFleet(options))) };
}

export function create(context: Context): Policy {
  const { n, rng, threshold, sessionLength = DEFAULT_ALLOCATION.sessionLength, reservations = [], counted = false } = context;
  const {
    projectHints = true,
    lengthFactor = 1,
    announcedEnds = false,
    acceptedTo,
    ...changes
  } = JSON.parse(process.env['ALLOCATION_PARAMETERS'] ?? '{}') as Changes;
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, threshold, ...changes }, () => rng.next());
  const numbers = new Map<string, number>();
  for (let server = 0; server < n; server++) numbers.set(`server-${server}`, server);
  const ids = [...numbers.keys()];
  for (const id of ids) ledger.add(id, { countsSessions: counted });
  /** By the client's id. */
  const bookings = new Map<number, string>();
  const candidates: Candidates = { tiers: [ids] };
  const name = (server: number): string => ids[server] ?? '';
  const book = new ReservationBook((project) => project);
  for (const { code: id, ...reserved } of reservations)
    book.put({
      ...{ ...reserved, id, code: id, title: id, match: 'code', opens: OPENS },
      ...{ owner: 'simulator', revision: 0, released: false },
    });
  let latest = 0;
  const configured = sessionLength * lengthFactor;
  const { target } = { ...DEFAULT_ALLOCATION, ...changes };
  const sessions = new CountedSessions({
    ...{ ledger, clock: { now: () => latest }, sessionLength: () => configured, target: () => target },
  });
  const [first] = book.all();
  let asks = acceptedTo !== undefined && first !== undefined;
  const ends = new AnnouncedEnds();
  const seats = new ReservedSeats({
    ...{ ledger, book, ends },
    keepsEnds: () => announcedEnds && counted,
    eligible: () => ids,
    keyOf: (project) => project,
    parameters: () => ({ target, lengths: sessions.lengthForReserve() }),
  });

  return {
    name: 'candidate',
    reserves: true,
    onReport(server, load, measuredAt, now) {
      latest = now;
      ledger.report(name(server), load, measuredAt, now);
      if (counted) sessions.reported(name(server), load, undefined);
      if (!asks || acceptedTo === undefined || first === undefined || now < first.start - ASKED) return;
      asks = false;
      const options = {
        ledger,
        costs: sessions.costs,
        eligible: () => ids,
        keyOf: (project: string) => project,
        target: () => target,
      };
      appendFileSync(acceptedTo, `${JSON.stringify(answerTo(first, options))}\n`);
    },
    onPollFailed: (server, now) => ledger.miss(name(server), now),
    pick(now, { id, project, address, code }) {
      latest = now;
      const wanted = { id: `${id}`, address, ...(projectHints && { project }) };
      const found = code === undefined ? undefined : book.classOf({ code, holder: wanted.id }, now, () => 0);
      const ofClass = found?.kind === 'class' ? { reservation: found.reservation.id } : {};
      const outcome = seats.take({ ...wanted, ...ofClass, ...(code !== undefined && { ends: 'refuse' as const }) }, candidates, {
        now,
        wall: now,
      });
      if (outcome.kind !== 'booked') return -1;
      if (counted) bookings.set(id, outcome.bookingId);
      const server = numbers.get(outcome.server) ?? -1;
      return outcome.endsAt === undefined ? server : { server, endsAt: outcome.endsAt };
    },
    // The simulator assigns whatever was picked, at once; the ledger has booked it already.
    onAssign() {},
    onConnect(_server, now, { id }) {
      latest = now;
      sessions.began(bookings.get(id) ?? '');
      ends.began(bookings.get(id) ?? '');
      ledger.connected(bookings.get(id) ?? '', now);
    },
    onLeave(_server, now, { id }) {
      latest = now;
      sessions.ended(bookings.get(id) ?? '');
      ends.left(bookings.get(id) ?? '');
      book.leave(bookings.get(id) ?? '');
      ledger.release(bookings.get(id) ?? '', now);
    },
  };
}
