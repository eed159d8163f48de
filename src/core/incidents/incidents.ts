/**
 * What is worth telling a person: transitions and time become incidents, incidents become notifications.
 *
 * An incident is one stay of one server in a bad condition: it does not respond, it is full, it is suspected. Two things keep the mailbox quiet:
 *
 * - *Gathering.* The first server that begins (or ends) an incident opens a short window; all that follow it within the window are told in the same
 *   message. It should be a little longer than the poll interval, because a switch that dies under a hundred servers is noticed over one interval.
 * - *Settling.* An incident is over only when its end has lasted a while. A relapse within that time belongs to the same incident and is not told. The
 *   time grows threefold with each relapse and shrinks again slowly, over the end of the incident as well, so that a server which fails every few
 *   minutes for days costs a handful of messages.
 *
 * What happened once and was over before anybody was told is kept for the page, and nobody is told. So each incident has at most one notification that opens and one
 * that closes it, and the second never without the first.
 *
 * Times are seconds of the engine's clock, in notifications seconds since the epoch. `nextDue` says when `due` has something to do.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { ServerState, Transition } from '../fleet/fleet.ts';

export type NotificationKind = 'down' | 'recovered' | 'full' | 'available' | 'suspect' | 'certificate' | 'test';

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

/** A message worth sending to a person: one kind, one or many servers. */
export interface Notification {
  readonly id: string;
  readonly kind: NotificationKind;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly servers: readonly Affected[];
}

export type IncidentKind = 'not-responding' | 'full' | 'suspect';

export type NoticeOutcome = 'sent' | 'waiting' | 'failed';

/** One notification of an incident on its way through one channel. */
export interface Notice {
  readonly notification: string;
  readonly kind: NotificationKind;
  readonly notifier: string;
  /** Seconds since the epoch of the last attempt; absent before the first. */
  readonly at?: number;
  /** `failed` is retried and may still become `sent`. */
  readonly outcome: NoticeOutcome;
}

export interface Incident {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly server: ServerId;
  readonly address: string;
  /** When the first sign was seen. */
  readonly began: number;
  /** When it was certain; `began` or later. */
  readonly confirmed: number;
  /** Absent while it lasts, and while its end has not lasted long enough. */
  readonly ended?: number;
  /** How often it began again before its end had settled. */
  readonly relapses: number;
  readonly reason?: string;
  /** The notification that told of its begin; absent: nobody was told. */
  readonly told?: string;
  /** The notification that told of its end. */
  readonly toldEnd?: string;
  readonly notices: readonly Notice[];
}

export interface IncidentRules {
  /** Seconds from the first of several like incidents until all of them are told in one message. */
  readonly gather: number;
  /** Seconds, more than 0: how long the end of an incident must last before it is believed, for a server that was calm before. */
  readonly settle: number;
  /** Seconds: the most that `settle` grows to. */
  readonly longestSettle: number;
  /** Seconds without a relapse after which one relapse is forgotten. */
  readonly calm: number;
}

/** Rules that suit a poll interval in seconds. */
export function incidentRules(pollInterval: number): IncidentRules {
  return { gather: pollInterval + 1, settle: Math.max(10, 2 * pollInterval), longestSettle: 900, calm: 1800 };
}

/** A transition, or a server as it stands (then `from` is absent, and `load` is there only when its last probe was good). */
export type Sighting = Pick<Transition, 'id' | 'address' | 'to' | 'at' | 'load' | 'failure'> & { readonly from?: ServerState };

/** The time, in both countings. */
export interface Moment {
  /** Seconds of the engine's clock. */
  readonly at: number;
  /** Seconds since the epoch. */
  readonly wallTime: number;
}

/** An incident that is not over, and what is known beyond what is shown. */
export interface OpenIncident {
  incident: Incident;
  /** The condition holds now, as far as is known. */
  active: boolean;
  /** When people are to be told. */
  tellAt?: number | undefined;
  /** When the condition ceased; only while not `active`. */
  over?: number | undefined;
  /** When it ends for good, if nothing happens until then. */
  endAt?: number | undefined;
  load?: number | undefined;
}

/** Ended incidents that are kept for the page. */
const KEPT = 500;
/** Growth of the settling time with each relapse. */
const GROWTH = 3;
const OPENING = { 'not-responding': 'down', full: 'full', suspect: 'suspect' } as const;
const CLOSING = { 'not-responding': 'recovered', full: 'available', suspect: undefined } as const;
const KINDS = ['not-responding', 'full', 'suspect'] as const;

export class Incidents {
  #rules: IncidentRules;
  readonly #newId: () => string;
  readonly #open = {
    'not-responding': new Map<ServerId, OpenIncident>(),
    full: new Map<ServerId, OpenIncident>(),
    suspect: new Map<ServerId, OpenIncident>(),
  };
  /** Oldest first. */
  readonly #ended: Incident[] = [];
  /** Since when a server gives no answer without being down yet. */
  readonly #doubtful = new Map<ServerId, number>();
  /** How restless a server has been lately. */
  readonly #relapses = {
    'not-responding': new Map<ServerId, Restlessness>(),
    full: new Map<ServerId, Restlessness>(),
    suspect: new Map<ServerId, Restlessness>(),
  };
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

  /** All that are kept, in no useful order. */
  *all(): Generator<Incident> {
    for (const kind of KINDS) for (const { incident } of this.#open[kind].values()) yield incident;
    yield* this.#ended;
  }

  *open(): Generator<OpenIncident> {
    for (const kind of KINDS) yield* this.#open[kind].values();
  }

  get ended(): readonly Incident[] {
    return this.#ended;
  }

  /** Holds for what begins or ends from now on. */
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
        // A draining server may miss a probe without changing its state; only what left `down` or brought a load has answered.
        if (seen.from === 'down' || seen.load !== undefined) this.#answered(seen);
        // The operator took it out: whether it is full is nobody's concern until it is resumed.
        this.#endSilently('full', seen.id, seen.at);
        return;
    }
  }

  /** Work was given to this server and it still looks idle. */
  suspected(server: { id: ServerId; address: string; load?: number }, at: number, reason: string): void {
    this.#begin('suspect', { ...server, at }, { began: at, reason });
  }

  trusted(id: ServerId, at: number): void {
    this.#cease('suspect', { id, at });
  }

  /** The server left the fleet: its incidents end and nobody is told. */
  removed(id: ServerId, at: number): void {
    for (const kind of KINDS) {
      this.#endSilently(kind, id, at);
      this.#relapses[kind].delete(id);
    }
    this.#doubtful.delete(id);
  }

  /** The fleet as it stands, after a reload or a restart: what contradicts it is fixed. */
  reconcile(fleet: Iterable<Sighting>, at: number): void {
    const known = new Map<ServerId, Sighting>();
    for (const seen of fleet) known.set(seen.id, seen);
    const gone = new Set<ServerId>();
    for (const { incident } of this.open()) if (!known.has(incident.server)) gone.add(incident.server);
    for (const id of gone) this.removed(id, at);
    for (const seen of known.values()) this.observe(seen);
  }

  /** The notifications that are due. `loadOf` tells the present load of a server in percent. */
  due(now: Moment, loadOf: LoadOf = () => undefined): Notification[] {
    const notifications: Notification[] = [];
    for (const kind of KINDS) {
      for (const notification of [this.#tellBegin(kind, now, loadOf), this.#tellEnd(kind, now, loadOf)])
        if (notification !== undefined) notifications.push(notification);
    }
    this.#nextDue = this.#earliest();
    return notifications;
  }

  /** What became of a notification in one channel. `at`: seconds since the epoch. */
  delivered(notification: string, notifier: string, outcome: NoticeOutcome, at?: number): void {
    for (const open of this.open()) open.incident = this.#noted(open.incident, notification, notifier, outcome, at);
    for (const [index, incident] of this.#ended.entries())
      this.#ended[index] = this.#noted(incident, notification, notifier, outcome, at);
  }

  /** Puts back what was kept over a restart. */
  restore(open: Iterable<OpenIncident>, ended: Iterable<Incident>): void {
    for (const incident of ended) this.#keep(incident);
    for (const one of open) {
      const { kind, server, told } = one.incident;
      // The disk was slow, and people have been told meanwhile.
      if (told === undefined && this.#open[kind].get(server)?.incident.told !== undefined) continue;
      this.#open[kind].set(server, one);
    }
    this.#version += 1;
    this.#nextDue = this.#earliest();
  }

  /** It answers, whatever it says. */
  #answered(seen: Sighting): void {
    this.#doubtful.delete(seen.id);
    this.#cease('not-responding', seen);
  }

  /** What a server that is down was full of nobody knows: an incident that was told waits, another ends. */
  #interruptFull({ id, at }: Sighting): void {
    const open = this.#open.full.get(id);
    if (open === undefined) return;
    if (open.incident.told === undefined) this.#endSilently('full', id, at);
    else this.#doubt('full', id);
  }

  #begin(
    kind: IncidentKind,
    { id, address, at, load }: Pick<Sighting, 'id' | 'address' | 'at' | 'load'>,
    { began, reason }: { began: number; reason: string | undefined },
  ): void {
    const known = this.#open[kind].get(id);
    if (known?.active === true) return;
    this.#relapsed(kind, id, at);
    const why = reason !== undefined && { reason };
    const incident: Incident =
      known === undefined
        ? { id: this.#newId(), kind, server: id, address, began, confirmed: at, relapses: 0, ...why, notices: [] }
        : { ...known.incident, relapses: known.incident.relapses + 1, ...why };
    const tellAt = incident.told === undefined ? (known?.tellAt ?? at + this.#rules.gather) : undefined;
    this.#open[kind].set(id, { incident, active: true, tellAt, load });
    this.#version += 1;
    this.#expect(tellAt);
  }

  #cease(kind: IncidentKind, { id, at, load }: { id: ServerId; at: number; load?: number }): void {
    const open = this.#open[kind].get(id);
    if (open === undefined || open.endAt !== undefined) return;
    if (open.active || open.over === undefined) open.over = at;
    open.active = false;
    // Once is a hiccup that nobody needs to know of; whoever falls twice is told of even while up.
    if (open.incident.relapses === 0) open.tellAt = undefined;
    open.load = load;
    open.endAt = at + this.#settleTime(kind, id, at);
    this.#version += 1;
    this.#expect(open.endAt);
  }

  /** While it is not known how a server is, no incident of it ends. */
  #doubt(kind: IncidentKind, id: ServerId): void {
    const open = this.#open[kind].get(id);
    if (open !== undefined) open.endAt = undefined;
  }

  #endSilently(kind: IncidentKind, id: ServerId, at: number): void {
    const open = this.#open[kind].get(id);
    if (open !== undefined) this.#end(kind, open, open.over ?? at, undefined);
  }

  #end(kind: IncidentKind, { incident }: OpenIncident, ended: number, toldEnd: string | undefined): void {
    this.#open[kind].delete(incident.server);
    this.#keep({ ...incident, ended, ...(toldEnd !== undefined && { toldEnd }) });
    this.#version += 1;
  }

  #keep(incident: Incident): void {
    this.#ended.push(incident);
    if (this.#ended.length > KEPT) this.#ended.shift();
  }

  /** All that wait to be told, once the first of them has waited long enough. */
  #tellBegin(kind: IncidentKind, now: Moment, loadOf: LoadOf): Notification | undefined {
    const waiting = [...this.#open[kind].values()].filter(({ tellAt }) => tellAt !== undefined);
    if (!waiting.some(({ tellAt = Infinity }) => tellAt <= now.at)) return undefined;
    const told = this.#newId();
    for (const open of waiting) {
      open.tellAt = undefined;
      open.incident = { ...open.incident, told };
    }
    this.#version += 1;
    return notification(told, OPENING[kind], waiting, now, loadOf);
  }

  /** All that are over or nearly so, once the first of them is: servers that came back together are told together. */
  #tellEnd(kind: IncidentKind, now: Moment, loadOf: LoadOf): Notification | undefined {
    const early = Math.min(this.#rules.gather, this.#rules.settle / 2);
    const ending = [...this.#open[kind].values()].filter(({ endAt = Infinity }) => endAt - early <= now.at);
    if (!ending.some(({ endAt = Infinity }) => endAt <= now.at)) return undefined;
    const known = ending.filter(({ incident }) => incident.told !== undefined);
    const closing = CLOSING[kind];
    const toldEnd = known.length > 0 && closing !== undefined ? this.#newId() : undefined;
    for (const open of ending) this.#end(kind, open, open.over ?? now.at, open.incident.told === undefined ? undefined : toldEnd);
    return toldEnd === undefined || closing === undefined ? undefined : notification(toldEnd, closing, known, now, loadOf);
  }

  #noted(incident: Incident, notification: string, notifier: string, outcome: NoticeOutcome, at: number | undefined): Incident {
    if (incident.told !== notification && incident.toldEnd !== notification) return incident;
    this.#version += 1;
    const kind = incident.told === notification ? OPENING[incident.kind] : (CLOSING[incident.kind] ?? OPENING[incident.kind]);
    const notice: Notice = { notification, kind, notifier, outcome, ...(at !== undefined && { at }) };
    const known = incident.notices.findIndex((one) => one.notification === notification && one.notifier === notifier);
    return { ...incident, notices: known < 0 ? [...incident.notices, notice] : incident.notices.with(known, notice) };
  }

  #relapsed(kind: IncidentKind, id: ServerId, at: number): void {
    const level = this.#level(kind, id, at) + 1;
    const most = 2 + Math.ceil(Math.log(this.#rules.longestSettle / this.#rules.settle) / Math.log(GROWTH));
    this.#relapses[kind].set(id, { level: Math.max(1, Math.min(level, most)), at });
  }

  #settleTime(kind: IncidentKind, id: ServerId, at: number): number {
    const { settle, longestSettle } = this.#rules;
    return Math.max(settle, Math.min(longestSettle, settle * GROWTH ** (this.#level(kind, id, at) - 1)));
  }

  #level(kind: IncidentKind, id: ServerId, at: number): number {
    const lately = this.#relapses[kind].get(id);
    return lately === undefined ? 0 : Math.max(0, lately.level - Math.floor((at - lately.at) / this.#rules.calm));
  }

  #expect(at: number | undefined): void {
    if (at !== undefined) this.#nextDue = Math.min(this.#nextDue, at);
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const { tellAt = Infinity, endAt = Infinity } of this.open()) earliest = Math.min(earliest, tellAt, endAt);
    return earliest;
  }
}

interface Restlessness {
  readonly level: number;
  readonly at: number;
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
  const ended = kind === 'recovered' || kind === 'available';
  // What made a server full is told; of one that came back, how it is now.
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
