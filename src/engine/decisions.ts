/** The last decisions with their reasons, and how many there were: who was sent where, and why. */
import type { ServerId } from '../core/endpoint.ts';
import type { AnswerView, DecisionKind } from '../core/monitor-view.ts';

export interface Decision {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly kind: DecisionKind;
  /** URL of the project, when the client said what it wants to run. */
  readonly project?: string | undefined;
  readonly server?: ServerId | undefined;
  readonly address?: string | undefined;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  /** What the other servers said; left out when decisions come too fast to write them all down. */
  readonly others: readonly AnswerView[];
  readonly omitted: number;
}

const KEPT = 200;
const MINUTES = 60;

/** Counts by minute over the last hour. */
class LastHour {
  readonly #counts = new Uint32Array(MINUTES);
  #minute = 0;

  add(now: number): void {
    this.#move(now);
    const slot = this.#minute % MINUTES;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  total(now: number): number {
    this.#move(now);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #move(now: number): void {
    const minute = Math.floor(now / 60);
    if (minute - this.#minute >= MINUTES) this.#counts.fill(0);
    else for (let m = this.#minute + 1; m <= minute; m += 1) this.#counts[m % MINUTES] = 0;
    this.#minute = Math.max(this.#minute, minute);
  }
}

export class Decisions {
  readonly #last: Decision[] = [];
  readonly #counts = new Map<string, { readonly kind: DecisionKind; readonly code: string; count: number }>();
  readonly #byServer = new Map<ServerId, { total: number; readonly lastHour: LastHour }>();
  readonly #handedOut = new LastHour();
  readonly #refused = new LastHour();
  readonly #recorded: (decision: Decision) => void;

  /** `recorded` hears of each decision that is written down. */
  constructor(recorded: (decision: Decision) => void = () => undefined) {
    this.#recorded = recorded;
  }

  /** Decisions written down so far. */
  recorded = 0;

  /** `now` is seconds of the engine's clock. */
  record(decision: Decision, now: number): void {
    this.recorded += 1;
    this.#recorded(decision);
    this.#last.push(decision);
    if (this.#last.length >= 2 * KEPT) this.#last.splice(0, this.#last.length - KEPT);
    this.count(decision.kind, decision.code);
    if (decision.kind === 'refused') this.#refused.add(now);
    if (decision.kind !== 'allocated' || decision.server === undefined) return;
    this.#handedOut.add(now);
    let server = this.#byServer.get(decision.server);
    if (server === undefined) this.#byServer.set(decision.server, (server = { total: 0, lastHour: new LastHour() }));
    server.total += 1;
    server.lastHour.add(now);
  }

  /** Counts a decision without writing it down. */
  count(kind: DecisionKind, code: string): void {
    const key = `${kind} ${code}`;
    const counted = this.#counts.get(key);
    if (counted) counted.count += 1;
    else this.#counts.set(key, { kind, code, count: 1 });
  }

  /** Newest first, at most 200. */
  last(): Decision[] {
    return this.#last.slice(-KEPT).reverse();
  }

  /** Those that came after the first `count` ones, newest first, at most 200. */
  since(count: number): Decision[] {
    const fresh = Math.min(KEPT, this.recorded - count);
    return fresh <= 0 ? [] : this.#last.slice(-fresh).reverse();
  }

  /** How many decisions of each kind and code there were. */
  counts(): Iterable<{ readonly kind: DecisionKind; readonly code: string; readonly count: number }> {
    return this.#counts.values();
  }

  handedOutLastHour(now: number): number {
    return this.#handedOut.total(now);
  }

  refusedLastHour(now: number): number {
    return this.#refused.total(now);
  }

  /** Sessions handed out to one server since the start and in the last hour. */
  ofServer(id: ServerId, now: number): { readonly total: number; readonly lastHour: number } {
    const server = this.#byServer.get(id);
    return { total: server?.total ?? 0, lastHour: server?.lastHour.total(now) ?? 0 };
  }

  /** The server left the fleet. */
  forget(id: ServerId): void {
    this.#byServer.delete(id);
  }
}
