/** The last decisions with their reasons, and how many there were. */
import { listed, MAX_LISTED } from '../core/views/decision-list.ts';
import type { Decision } from '../core/views/decision.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { LastHour } from '../core/views/last-hour.ts';
import type { DecisionKind } from '../core/views/monitor-view.ts';
import { readDecisions, saveDecisions, type SavedDecisions } from '../state/decisions.ts';
import type { Restored } from '../state/document.ts';

export class Decisions {
  /** Oldest first. More than are listed, so that they need not be trimmed at every decision. */
  #last: Decision[] = [];
  readonly #counts = new Map<string, { readonly kind: DecisionKind; readonly code: string; count: number }>();
  readonly #byServer = new Map<ServerId, { total: number; readonly lastHour: LastHour }>();
  readonly #handedOut = new LastHour();
  readonly #refused = new LastHour();
  readonly #recorded: (decision: Decision) => void;

  /** `recorded` is called with each decision that is recorded. */
  constructor(recorded: (decision: Decision) => void = () => undefined) {
    this.#recorded = recorded;
  }

  /** Differs whenever `last` would return something else. */
  version = 0;
  /** Differs whenever `save` would return something else. */
  revision = 0;

  /** `now` is seconds of the engine's clock. */
  record(decision: Decision, now: number): void {
    this.version += 1;
    this.#recorded(decision);
    this.#last.push(decision);
    if (this.#last.length >= 4 * MAX_LISTED) this.#last = this.last().reverse();
    this.count(decision.kind, decision.code, now);
    if (decision.kind !== 'allocated' || decision.server === undefined) return;
    this.#handedOut.add(now);
    const server = this.#ofServer(decision.server);
    server.total += 1;
    server.lastHour.add(now);
  }

  /** Counts a decision without recording it. */
  count(kind: DecisionKind, code: string, now: number): void {
    this.revision += 1;
    const key = `${kind} ${code}`;
    const counted = this.#counts.get(key);
    if (counted) counted.count += 1;
    else this.#counts.set(key, { kind, code, count: 1 });
    if (kind === 'refused') this.#refused.add(now);
  }

  /** Newest first: the last 200, and the last 200 that were refused. */
  last(): Decision[] {
    return [...listed(this.#last.toReversed())];
  }

  /** How many decisions of each kind and code there were since the start. */
  counts(): Iterable<{ readonly kind: DecisionKind; readonly code: string; readonly count: number }> {
    return this.#counts.values();
  }

  handedOutLastHour(now: number): number {
    return this.#handedOut.total(now);
  }

  refusedLastHour(now: number): number {
    return this.#refused.total(now);
  }

  /** Sessions handed out to one server since it joined the fleet, and in the last hour. */
  ofServer(id: ServerId, now: number): { readonly total: number; readonly lastHour: number } {
    const server = this.#byServer.get(id);
    return { total: server?.total ?? 0, lastHour: server?.lastHour.total(now) ?? 0 };
  }

  /** The server left the fleet. */
  forget(id: ServerId): void {
    if (this.#byServer.delete(id)) this.revision += 1;
  }

  /** `wallTime` is seconds since the epoch. */
  save(now: number, wallTime: number): SavedDecisions {
    const servers = Array.from(this.#byServer, ([id, { total, lastHour }]) => ({ id, total, lastHour: lastHour.save(now) }));
    const counts = { handedOut: this.#handedOut.save(now), refused: this.#refused.save(now), servers };
    return saveDecisions({ decisions: this.last(), ...counts }, wallTime);
  }

  /** Continues with what the last run saved. */
  restore(value: unknown, now: number, wallTime: number): Restored {
    const read = readDecisions(value);
    if (read.kind === 'foreign') return read;
    const { savedAt, decisions, handedOut, refused, servers } = read.saved;
    const away = Math.max(0, wallTime - savedAt);
    this.#last = [...decisions].reverse().concat(this.#last);
    this.#handedOut.restore(handedOut, away, now);
    this.#refused.restore(refused, away, now);
    for (const { id, total, lastHour } of servers) {
      const server = this.#ofServer(id);
      server.total += total;
      server.lastHour.restore(lastHour, away, now);
    }
    this.version += 1;
    return { kind: 'restored' };
  }

  #ofServer(id: ServerId): { total: number; readonly lastHour: LastHour } {
    let server = this.#byServer.get(id);
    if (server === undefined) this.#byServer.set(id, (server = { total: 0, lastHour: new LastHour() }));
    return server;
  }
}
