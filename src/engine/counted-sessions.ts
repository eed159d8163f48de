/** Feeds what the gateway and simulation servers count about sessions to what is learned of their length and their cost. */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { SessionReport } from '../core/fleet/session-report.ts';
import { CountedCosts } from '../core/reservations/counted-costs.ts';
import { ObservedLengths } from '../core/reservations/observed-lengths.ts';
import { seatsIn } from '../core/reservations/reserve.ts';
import { USUAL_SPREAD, type SessionLength } from '../core/reservations/session-length.ts';
import type { CountedView } from '../core/views/monitor-view.ts';
import type { Clock } from '../ports.ts';

export interface CountedSessionsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly ledger: Pick<Ledger, 'rooms' | 'sessions' | 'seatCost' | 'serverOf'>;
  /** Seconds of a session as the operator configured them. */
  readonly sessionLength: () => number;
  /** Percent. */
  readonly target: () => number;
}

/** Sessions that must have ended before their length is relied on. */
const ENOUGH_LENGTHS = 50;
const MINUTE = 60;
/** Seconds after its hand-out between which a session comes to show in the load. */
const SHOWN = [10, 60] as const;

export class CountedSessions {
  readonly lengths = new ObservedLengths();
  readonly costs = new CountedCosts();
  readonly #options: CountedSessionsOptions;

  constructor(options: CountedSessionsOptions) {
    this.#options = options;
  }

  /** The session of the booking began. */
  began(bookingId: string): void {
    const { clock, ledger } = this.#options;
    const now = clock.now();
    const server = ledger.serverOf(bookingId);
    const known = server === undefined ? [] : ledger.sessions(server, now);
    this.lengths.began(bookingId, now, known.find((session) => session.bookingId === bookingId)?.project);
  }

  /** It ended, or never began. */
  ended(bookingId: string): void {
    this.lengths.ended(bookingId, this.#options.clock.now());
  }

  /** A report of a server, after the ledger took it in. */
  reported(server: ServerId, load: number, report: SessionReport | undefined): void {
    const { clock, ledger } = this.#options;
    const now = clock.now();
    if (report !== undefined) this.lengths.reported(server, report, now);
    const [found] = ledger.rooms([server]);
    if (found?.room.counted !== true) return;
    const { base, factor } = found.room;
    const running = ledger.sessions(server, now).filter(({ isRunning }) => isRunning);
    const learned = running.reduce((sum, { project, at }) => sum + ledger.seatCost(project).cost * shown(now - at), 0) * factor;
    // Some of the sessions that it reports may not have been handed out here.
    const all = report === undefined || running.length === 0 ? 1 : report.sessions / running.length;
    this.costs.observe(server, { points: report?.points ?? load - base, learned: learned * all }, now);
  }

  /** The server left the fleet. */
  removed(server: ServerId): void {
    this.lengths.forget(server);
    this.costs.forget(server);
  }

  /** For people; `null`: too few sessions ended. `candidates`: the servers that an average session may get now. */
  view(candidates: Candidates | undefined): CountedView | null {
    if (!this.isLengthKnown) return null;
    return { sessionLength: Math.max(1, Math.round(this.length().mean / MINUTE)) * MINUTE, places: this.#places(candidates) };
  }

  /** Whether enough sessions ended to rely on their length. */
  get isLengthKnown(): boolean {
    return this.lengths.count >= ENOUGH_LENGTHS;
  }

  #places(candidates: Candidates | undefined): number | null {
    const { ledger, target } = this.#options;
    if (this.costs.factor() === undefined) return null;
    const { cost } = ledger.seatCost(undefined);
    const rooms = ledger.rooms([...new Set(candidates?.tiers.flat() ?? [])]);
    return rooms.reduce((sum, { id, room: { load, factor } }) => {
      return sum + seatsIn(target() - load, cost * factor * (this.costs.factor(id) ?? 1));
    }, 0);
  }

  /** The same for the reserve. With the learned spread, the judge serves 96.9 % of a class at once, with the usual one 98.3 % (counted sessions, 12 seeds). */
  lengthForReserve(project?: string): SessionLength {
    return { mean: this.length(project).mean, spread: USUAL_SPREAD };
  }

  /** How long sessions last; `project`: those of this one, if enough are known. */
  length(project?: string): SessionLength {
    return this.lengths.ofProject(project, this.#options.sessionLength(), this.#options.clock.now());
  }
}

function shown(age: number): number {
  const [from, to] = SHOWN;
  return Math.min(1, Math.max(0, (age - from) / (to - from)));
}
