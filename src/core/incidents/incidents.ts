/**
 * Decides what a person is notified of: transitions and time become incidents, incidents become notifications.
 *
 * An incident is one stay of one server in a bad condition: it does not respond, it is full, it is suspected. Two rules keep the mailbox quiet:
 *
 * - *Group wait.* The first server that begins (or ends) an incident opens a short window; all that follow within the window are reported in the same
 *   message. It should be a little longer than the poll interval, because when a switch fails, a hundred servers are found missing over one interval.
 * - *Flap damping* (`damping.ts`). An incident is over only when its end has lasted a while. A relapse within that time belongs to the same incident
 *   and is not reported. The time grows with each relapse and is remembered beyond the end of the incident.
 *
 * An incident that happened once and was over before it was reported is shown on the page only. So each incident has at most one notification of its
 * beginning and one of its end, and never the second without the first.
 *
 * Times are seconds of the engine's clock, in notifications seconds since the epoch. `nextDue` says when `due` has something to do.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { ServerState, Transition } from '../fleet/fleet.ts';
import { holdTime, relapsed, type DampingRules, type Flapping } from './damping.ts';
import {
  INCIDENT_KINDS,
  incidentKinds,
  notificationKinds,
  type IncidentKind,
  type NotificationKind,
} from './notification-kinds.ts';

/** One server in a notification. */
export interface Affected {
  readonly id: ServerId;
  readonly address: string;
  /** Percent, when it answered. */
  readonly load?: number;
  /** Why, in a sentence. */
  readonly reason?: string;
  /** Seconds since the epoch: when the incident began. */
  readonly began?: number;
  /** Seconds the incident lasted, when it is over. */
  readonly lasted?: number;
}

/** A message to a person: one kind, one or many servers. */
export interface Notification {
  readonly id: string;
  readonly kind: NotificationKind;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly servers: readonly Affected[];
}

/** A notification that `failed` is retried and may still be `sent`. */
export const NOTICE_OUTCOMES = ['sent', 'waiting', 'failed'] as const;

export type NoticeOutcome = (typeof NOTICE_OUTCOMES)[number];

/** One notification of an incident on its way through one channel. */
export interface Notice {
  readonly notification: string;
  readonly kind: NotificationKind;
  readonly notifier: string;
  /** Seconds since the epoch of the last attempt; absent before the first. */
  readonly at?: number;
  readonly outcome: NoticeOutcome;
}

export interface Incident {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly server: ServerId;
  readonly address: string;
  /** When the first sign of it was seen. */
  readonly began: number;
  /** When it was confirmed; `began` or later. */
  readonly confirmed: number;
  /** Absent while it lasts, and while its end has not lasted long enough. */
  readonly ended?: number;
  /** How often it began again before its end was believed. */
  readonly relapses: number;
  readonly reason?: string;
  /** Id of the notification that reported its beginning. Absent: it was not reported. */
  readonly beginNotification?: string;
  /** Id of the notification that reported its end. */
  readonly endNotification?: string;
  readonly notices: readonly Notice[];
}

export interface IncidentRules extends DampingRules {
  /** Seconds from the first of several incidents of one kind until all of them are reported in one message. */
  readonly groupWait: number;
}

/** Rules that suit a poll interval in seconds. */
export function incidentRules(pollInterval: number): IncidentRules {
  return { groupWait: pollInterval + 1, minHold: Math.max(10, 2 * pollInterval), maxHold: 900, relapseLifetime: 1800 };
}

/** A transition, or the present state of a server (then `from` is absent, and `load` is present only when its last probe was good). */
export type Sighting = Pick<Transition, 'id' | 'address' | 'to' | 'at' | 'load' | 'failure'> & { readonly from?: ServerState };

/** The time, on both clocks. */
export interface Moment {
  /** Seconds of the engine's clock. */
  readonly at: number;
  /** Seconds since the epoch. */
  readonly wallTime: number;
}

/** An incident that is not over, with facts that are not shown. */
export interface OpenIncident {
  incident: Incident;
  /** The condition still holds, as far as is known. */
  active: boolean;
  /** When its beginning is to be reported. */
  notifyAt?: number | undefined;
  /** When the condition ceased; only while not `active`. */
  over?: number | undefined;
  /** When it ends, unless something happens before. */
  endAt?: number | undefined;
  load?: number | undefined;
}

/** Ended incidents that the page can show. */
const MAX_ENDED = 500;

export class Incidents {
  #rules: IncidentRules;
  readonly #newId: () => string;
  readonly #open = mapOfEachKind<OpenIncident>();
  /** Oldest first. */
  readonly #ended: Incident[] = [];
  /** Since when a server has given no answer without being down yet. */
  readonly #doubtful = new Map<ServerId, number>();
  readonly #flapping = mapOfEachKind<Flapping>();
  #nextDue = Infinity;
  #version = 0;

  constructor(rules: IncidentRules, newId: () => string) {
    this.#rules = rules;
    this.#newId = newId;
  }

  /** When `due` must be called; `Infinity`: not before something else happens. */
  get nextDue(): number {
    return this.#nextDue;
  }

  /** Differs whenever any incident differs. */
  get version(): number {
    return this.#version;
  }

  /** Open and ended ones, in no useful order. */
  *all(): Generator<Incident> {
    for (const kind of INCIDENT_KINDS) for (const { incident } of this.#open[kind].values()) yield incident;
    yield* this.#ended;
  }

  *open(): Generator<OpenIncident> {
    for (const kind of INCIDENT_KINDS) yield* this.#open[kind].values();
  }

  get ended(): readonly Incident[] {
    return this.#ended;
  }

  /** The new rules apply to what begins or ends from now on. */
  setRules(rules: IncidentRules): void {
    this.#rules = rules;
  }

  observe(seen: Sighting): void {
    switch (seen.to) {
      case 'unknown':
        if (seen.failure !== undefined && !this.#doubtful.has(seen.id)) this.#doubtful.set(seen.id, seen.at);
        this.#doubt('not-responding', seen.id);
        this.#doubt('full', seen.id);
        return;
      case 'down':
        this.#begin('not-responding', seen, { began: this.#doubtful.get(seen.id) ?? seen.at, reason: seen.failure?.reason });
        this.#doubtful.delete(seen.id);
        this.#interruptFull(seen);
        return;
      case 'full':
        this.#answered(seen);
        this.#begin('full', seen, { began: seen.at, reason: undefined });
        return;
      case 'available':
        this.#answered(seen);
        this.#cease('full', seen);
        return;
      case 'draining':
        // A draining server may miss a probe without changing its state: it answered only if it left `down` or reported a load.
        if (seen.from === 'down' || seen.load !== undefined) this.#answered(seen);
        // An operator drained it: whether it is full does not matter until it is resumed.
        this.#endSilently('full', seen.id, seen.at);
        return;
    }
  }

  /** Sessions were handed out to this server and it still looks idle. */
  suspected(server: { id: ServerId; address: string; load?: number }, at: number, reason: string): void {
    this.#begin('suspect', { ...server, at }, { began: at, reason });
  }

  /** What is reported at once, such as a class without enough seats, is listed if it is an incident. It does not last. `at`: of the engine's clock. */
  happened({ id: beginNotification, kind: reported, servers }: Notification, at: number): void {
    const kind = INCIDENT_KINDS.find((one) => incidentKinds[one].begin === reported);
    if (kind === undefined) return;
    for (const { id: server, address, reason } of servers)
      this.#addEnded({
        ...{ id: this.#newId(), kind, server, address, began: at, confirmed: at, ended: at, relapses: 0, notices: [] },
        ...{ beginNotification, ...(reason !== undefined && { reason }) },
      });
    this.#version += 1;
  }

  trusted(id: ServerId, at: number): void {
    this.#cease('suspect', { id, at });
  }

  /** The server left the fleet: its incidents end without a notification. */
  removed(id: ServerId, at: number): void {
    for (const kind of INCIDENT_KINDS) {
      this.#endSilently(kind, id, at);
      this.#flapping[kind].delete(id);
    }
    this.#doubtful.delete(id);
  }

  /** The present fleet, after a reload or a restart: incidents that contradict it end. */
  reconcile(fleet: Iterable<Sighting>, at: number): void {
    const known = new Map<ServerId, Sighting>();
    for (const seen of fleet) known.set(seen.id, seen);
    const gone = new Set<ServerId>();
    for (const { incident } of this.open()) if (!known.has(incident.server)) gone.add(incident.server);
    for (const id of gone) this.removed(id, at);
    for (const seen of known.values()) this.observe(seen);
  }

  /** The notifications that are due. `loadOf` returns the present load of a server in percent. */
  due(now: Moment, loadOf: LoadOf = () => undefined): Notification[] {
    const notifications: Notification[] = [];
    for (const kind of INCIDENT_KINDS) {
      for (const notification of [this.#reportBegin(kind, now, loadOf), this.#reportEnd(kind, now, loadOf)])
        if (notification !== undefined) notifications.push(notification);
    }
    this.#nextDue = this.#earliest();
    return notifications;
  }

  /** The outcome of a notification in one channel. `at`: seconds since the epoch. */
  delivered(notification: string, notifier: string, outcome: NoticeOutcome, at?: number): void {
    for (const open of this.open()) open.incident = this.#noted(open.incident, notification, notifier, outcome, at);
    for (const [index, incident] of this.#ended.entries())
      this.#ended[index] = this.#noted(incident, notification, notifier, outcome, at);
  }

  /** Puts back what was saved over a restart. To be called before anything else happens. */
  restore(open: Iterable<OpenIncident>, ended: Iterable<Incident>): void {
    for (const incident of ended) this.#addEnded(incident);
    for (const one of open) this.#open[one.incident.kind].set(one.incident.server, one);
    this.#version += 1;
    this.#nextDue = this.#earliest();
  }

  /** It answered, whatever it reported. */
  #answered(seen: Sighting): void {
    this.#doubtful.delete(seen.id);
    this.#cease('not-responding', seen);
  }

  /** Whether a server that is down is still full is unknown: an incident that was reported waits, any other ends. */
  #interruptFull({ id, at }: Sighting): void {
    const open = this.#open.full.get(id);
    if (open === undefined) return;
    if (open.incident.beginNotification === undefined) this.#endSilently('full', id, at);
    else this.#doubt('full', id);
  }

  #begin(
    kind: IncidentKind,
    { id, address, at, load }: Pick<Sighting, 'id' | 'address' | 'at' | 'load'>,
    { began, reason }: { began: number; reason: string | undefined },
  ): void {
    const known = this.#open[kind].get(id);
    if (known?.active === true) return;
    this.#flapping[kind].set(id, relapsed(this.#flapping[kind].get(id), at, this.#rules));
    const why = reason !== undefined && { reason };
    const incident: Incident =
      known === undefined
        ? { id: this.#newId(), kind, server: id, address, began, confirmed: at, relapses: 0, ...why, notices: [] }
        : { ...known.incident, relapses: known.incident.relapses + 1, ...why };
    const isReported = incident.beginNotification !== undefined;
    const notifyAt = isReported ? undefined : (known?.notifyAt ?? at + this.#rules.groupWait);
    this.#open[kind].set(id, { incident, active: true, notifyAt, load });
    this.#version += 1;
    this.#expect(notifyAt);
  }

  #cease(kind: IncidentKind, { id, at, load }: { id: ServerId; at: number; load?: number }): void {
    const open = this.#open[kind].get(id);
    if (open === undefined || open.endAt !== undefined) return;
    if (open.active || open.over === undefined) open.over = at;
    open.active = false;
    // A single short incident is not worth a message; after a relapse it is, even while the server is up.
    if (open.incident.relapses === 0) open.notifyAt = undefined;
    open.load = load;
    open.endAt = at + holdTime(this.#flapping[kind].get(id), at, this.#rules);
    this.#version += 1;
    this.#expect(open.endAt);
  }

  /** While the condition of a server is unknown, no incident of it ends. */
  #doubt(kind: IncidentKind, id: ServerId): void {
    const open = this.#open[kind].get(id);
    if (open !== undefined) open.endAt = undefined;
  }

  #endSilently(kind: IncidentKind, id: ServerId, at: number): void {
    const open = this.#open[kind].get(id);
    if (open !== undefined) this.#end(kind, open, open.over ?? at, undefined);
  }

  #end(kind: IncidentKind, { incident }: OpenIncident, ended: number, endNotification: string | undefined): void {
    this.#open[kind].delete(incident.server);
    this.#addEnded({ ...incident, ended, ...(endNotification !== undefined && { endNotification }) });
    this.#version += 1;
  }

  #addEnded(incident: Incident): void {
    this.#ended.push(incident);
    if (this.#ended.length > MAX_ENDED) this.#ended.shift();
  }

  /** All that wait to be reported, once the first of them has waited long enough. */
  #reportBegin(kind: IncidentKind, now: Moment, loadOf: LoadOf): Notification | undefined {
    const waiting = [...this.#open[kind].values()].filter(({ notifyAt }) => notifyAt !== undefined);
    if (!waiting.some(({ notifyAt = Infinity }) => notifyAt <= now.at)) return undefined;
    const id = this.#newId();
    for (const open of waiting) {
      open.notifyAt = undefined;
      open.incident = { ...open.incident, beginNotification: id };
    }
    this.#version += 1;
    return notification(id, incidentKinds[kind].begin, waiting, now, loadOf);
  }

  /** All that are over or nearly so, once the first of them is: servers that came back together are reported together. */
  #reportEnd(kind: IncidentKind, now: Moment, loadOf: LoadOf): Notification | undefined {
    const early = Math.min(this.#rules.groupWait, this.#rules.minHold / 2);
    const ending = [...this.#open[kind].values()].filter(({ endAt = Infinity }) => endAt - early <= now.at);
    if (!ending.some(({ endAt = Infinity }) => endAt <= now.at)) return undefined;
    const reported = ending.filter(({ incident }) => incident.beginNotification !== undefined);
    const { end } = incidentKinds[kind];
    const id = reported.length > 0 && end !== undefined ? this.#newId() : undefined;
    for (const open of ending)
      this.#end(kind, open, open.over ?? now.at, open.incident.beginNotification === undefined ? undefined : id);
    return id === undefined || end === undefined ? undefined : notification(id, end, reported, now, loadOf);
  }

  #noted(incident: Incident, notification: string, notifier: string, outcome: NoticeOutcome, at: number | undefined): Incident {
    const { beginNotification, endNotification } = incident;
    if (beginNotification !== notification && endNotification !== notification) return incident;
    this.#version += 1;
    const { begin, end } = incidentKinds[incident.kind];
    const kind = beginNotification === notification ? begin : (end ?? begin);
    const notice: Notice = { notification, kind, notifier, outcome, ...(at !== undefined && { at }) };
    const known = incident.notices.findIndex((one) => one.notification === notification && one.notifier === notifier);
    return { ...incident, notices: known < 0 ? [...incident.notices, notice] : incident.notices.with(known, notice) };
  }

  #expect(at: number | undefined): void {
    if (at !== undefined) this.#nextDue = Math.min(this.#nextDue, at);
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const { notifyAt = Infinity, endAt = Infinity } of this.open()) earliest = Math.min(earliest, notifyAt, endAt);
    return earliest;
  }
}

function mapOfEachKind<T>(): Readonly<Record<IncidentKind, Map<ServerId, T>>> {
  const none = () => new Map<ServerId, T>();
  return { 'not-responding': none(), full: none(), suspect: none(), 'class-short': none(), 'class-unused': none() };
}

type LoadOf = (id: ServerId) => number | undefined;

function notification(
  id: string,
  kind: NotificationKind,
  open: readonly OpenIncident[],
  now: Moment,
  loadOf: LoadOf,
): Notification {
  return { id, kind, at: now.wallTime, servers: open.map((one) => affected(one, kind, now, loadOf)) };
}

function affected({ incident, load, over }: OpenIncident, kind: NotificationKind, now: Moment, loadOf: LoadOf): Affected {
  const { server: id, address, reason, began } = incident;
  const ended = notificationKinds[kind].ended !== undefined;
  // The load that made a server full; of one that came back, the present load.
  const shown = kind === 'down' ? undefined : ended ? (loadOf(id) ?? load) : (load ?? loadOf(id));
  return {
    id,
    address,
    ...(shown !== undefined && { load: shown }),
    ...(reason !== undefined && !ended && { reason }),
    began: now.wallTime - (now.at - began),
    ...(ended && { lasted: Math.max(0, (over ?? now.at) - began) }),
  };
}
