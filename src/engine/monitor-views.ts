/**
 * What the monitor and the API show, built from the owners of the facts: fleet, ledger, waiting line, decisions, incidents. It decides nothing and stores only
 * the last views: what did not change stays the same object, which makes deltas cheap.
 */
import type { Decision } from '../core/views/decision.ts';
import { httpUrl, type ServerId } from '../core/fleet/endpoint.ts';
import { explain, type Explanation, type Situation, type Verdict as ExplainedVerdict } from '../core/views/explanation.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import { reservedOf } from '../core/queue/reserved-servers.ts';
import { meanLoad, type Drain, type ServerFacts } from '../core/fleet/fleet.ts';
import type { ArrivalRate } from '../core/allocation/arrivals.ts';
import type { Ledger, Verdict } from '../core/allocation/ledger.ts';
import type { DecisionView, FleetView, IncidentView, MonitorSnapshot, ServerView } from '../core/views/monitor-view.ts';
import type { Project } from '../core/fleet/project.ts';
import type { Admittance, Labels, Router } from '../core/fleet/routing.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { SeatShare } from '../core/reservations/seat-shares.ts';
import type { Clock } from '../ports.ts';
import type { Decisions } from './decisions.ts';
import type { Member, Membership } from './membership.ts';
import type { Poller } from './poller.ts';
import type { HandOut } from './decision-log.ts';
import type { Prospects } from './prospects.ts';
import { asSentence, availableReason, drainSentence, fullReason, NOT_HEARD } from './server-reasons.ts';
import type { RelayedSession, SessionList } from './session-list.ts';

export interface MonitorViewsOptions {
  readonly clock: Clock;
  readonly poller: Poller;
  readonly ledger: Ledger;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly decisions: Decisions;
  readonly prospects: Pick<Prospects, 'availability' | 'unreservedFor' | 'permitted'>;
  /** Newest first. */
  readonly incidents: () => readonly IncidentView[];
  /** Grows whenever `incidents` would return something else. */
  readonly incidentsVersion: () => number;
  readonly settings: () => MonitorViewsSettings;
  /** What counting sessions taught, and how many fit on these servers by that. */
  readonly counted: (unreserved: Candidates | undefined) => FleetView['counted'];
  /** Classes that are near or on. */
  readonly classes: () => FleetView['classes'];
  /** The seats of classes that are near or on, by server. */
  readonly seatShares: () => ReadonlyMap<ServerId, SeatShare>;
  /** The notification channels. */
  readonly channels: () => FleetView['channels'];
  /** That has not begun, the earliest first. */
  readonly maintenance: () => FleetView['maintenance'];
  /** `null`: it is the only session server of its fleet. */
  readonly replicas: () => FleetView['replicas'];
  readonly membership: Pick<Membership, 'get'>;
  readonly sessions: Pick<SessionList, 'relayed' | 'count'>;
}

export interface MonitorViewsSettings {
  readonly title: string;
  readonly server: string;
  readonly version: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly target: number;
  readonly loadThreshold: number;
  readonly pollInterval: number;
  readonly recent: number;
  /** `https` in links to the servers' own monitors. */
  readonly ssl: boolean;
}

/** Seconds for which the view of the fleet is reused. */
const FRESH = 0.5;
/** Seconds by which the machine's clock may drift from the engine's before the times on the page follow. */
const DRIFT = 1;

export class MonitorViews {
  readonly #options: MonitorViewsOptions;
  /** From seconds of the engine's clock to seconds since the epoch. */
  #offset = Number.NaN;
  #servers = new Map<ServerId, Drawn>();
  /** Grows whenever something changed that is in the view of every server. */
  #generation = 0;
  #common: Pick<MonitorViewsSettings, 'ssl' | 'recent' | 'target' | 'loadThreshold'> | undefined;
  #fleet: FleetView | undefined;
  #fleetAt = -Infinity;
  #decisions: { readonly version: number; readonly views: readonly DecisionView[] } = { version: -1, views: [] };
  #incidents: { readonly version: number; readonly offset: number; readonly views: readonly IncidentView[] } = {
    version: -1,
    offset: Number.NaN,
    views: [],
  };

  constructor(options: MonitorViewsOptions) {
    this.#options = options;
  }

  snapshot(): MonitorSnapshot {
    const { clock } = this.#options;
    const servers = this.servers();
    return {
      at: clock.wallTime(),
      fleet: this.#fleetView(servers),
      servers,
      decisions: this.#decisionViews(),
      incidents: this.#incidentViews(),
    };
  }

  /** The reason of each server, and all in one sentence: for a session that was handed out, or else for a request now. */
  explain(project: Project | undefined, labels: Labels | undefined, handOut?: HandOut): Explanation {
    const { poller, ledger, router, prospects, clock, settings } = this.#options;
    const now = clock.now();
    const tried =
      handOut === undefined
        ? prospects.unreservedFor(project, labels)
        : { ...handOut, permitted: handOut.hasSeat ? handOut.candidates : prospects.permitted(handOut.candidates, project) };
    const held = tried === undefined ? NONE : reservedOf(tried.candidates, tried.permitted);
    const moment: Moment = {
      now,
      held,
      loadThreshold: settings().loadThreshold,
      project: project?.key,
      admittance: router.admittances(project, labels),
      reserved: tried === undefined ? NONE : reservedOf(tried.candidates, tried.unreserved),
    };
    const situations: Situation[] = [];
    for (const facts of poller.servers()) situations.push(this.#situation(facts, moment));
    if (handOut !== undefined) return explain(situations, handOut.server);
    return explain(situations, undefined, tried && ledger.first(without(held, tried.unreserved), project?.key, now));
  }

  /** The fleet as a whole. Whether it is open is current; the rest is at most half a second old, which bounds the cost. */
  fleet(): FleetView {
    const now = this.#options.clock.now();
    if (
      this.#fleet === undefined ||
      now - this.#fleetAt > FRESH ||
      this.#fleet.open !== this.#options.prospects.availability.value
    ) {
      this.#fleetAt = now;
      this.#fleetView(this.servers());
    }
    return this.#fleet ?? this.#fleetView(this.servers());
  }

  /** A server without news keeps its view: of a thousand servers, one in five changes each second. */
  servers(): ServerView[] {
    const { poller, ledger, decisions, membership, sessions, clock } = this.#options;
    const now = clock.now();
    const relayed = sessions.relayed();
    const seatShares = this.#options.seatShares();
    this.#updateCommon(now);
    const views: ServerView[] = [];
    for (const facts of poller.servers()) {
      const { id } = facts.endpoint;
      const sources: Sources = {
        facts,
        number: views.length + 1,
        account: ledger.revisionOf(id),
        member: membership.get(id),
        handOuts: decisions.ofServer(id, now),
        relayed: relayed.get(id) ?? NO_SESSIONS,
        classSeats: seatShares.get(id),
        generation: this.#generation,
      };
      let drawn = this.#servers.get(id);
      if (drawn === undefined || !isCurrent(drawn.sources, sources)) {
        drawn = { sources, view: this.#serverView(sources, now) };
        this.#servers.set(id, drawn);
      }
      views.push(drawn.view);
    }
    if (this.#servers.size > views.length) this.#forgetOthers(views);
    return views;
  }

  #forgetOthers(views: readonly ServerView[]): void {
    const present = new Set(views.map(({ id }) => id));
    for (const id of this.#servers.keys()) if (!present.has(id)) this.#servers.delete(id);
  }

  #updateCommon(now: number): void {
    const { clock, settings } = this.#options;
    const { ssl, recent, target, loadThreshold } = settings();
    const offset = clock.wallTime() - now;
    const drifted = !(Math.abs(offset - this.#offset) < DRIFT);
    const common = { ssl, recent, target, loadThreshold };
    if (!drifted && this.#common !== undefined && same(this.#common, common)) return;
    if (drifted) this.#offset = offset;
    this.#common = common;
    this.#generation += 1;
  }

  #situation(facts: ServerFacts, { now, loadThreshold, project, admittance, reserved, held }: Moment): Situation {
    const { poller, ledger, membership } = this.#options;
    const { endpoint, since, load, drain, lastFailure, loadOnly } = facts;
    const { id, address } = endpoint;
    const state = poller.state(facts);
    // One literal without spreads, as below: there is one per server of the fleet.
    return {
      id,
      address,
      state,
      since: now - since,
      load,
      loadThreshold,
      booked: ledger.booked(id),
      admittance: admittance(id) ?? 'open',
      shareIdleTime: membership.get(id)?.server.shareIdleTime ?? 0,
      reserved: reserved.has(id),
      held: held.has(id),
      drain: drain && this.#drainSituation(drain),
      failure: lastFailure?.reason,
      loadOnly: facts.failures > 0 ? undefined : loadOnly,
      verdict: state === 'available' ? explainedVerdict(ledger.examine(id, project, now)) : undefined,
    };
  }

  #drainSituation({ by, reason, until }: Drain): NonNullable<Situation['drain']> {
    const left = until === undefined ? undefined : until - this.#options.clock.wallTime();
    return { by, ...(reason !== undefined && { reason }), ...(left !== undefined && { left }) };
  }

  #serverView({ facts, number, member, handOuts, relayed, classSeats }: Sources, now: number): ServerView {
    const { poller, ledger } = this.#options;
    const { endpoint, drain, failures } = facts;
    const { id, address } = endpoint;
    const account = ledger.account(id);
    const state = poller.state(facts);
    const answers = failures === 0 && facts.load !== undefined;
    // One literal without spreads: with so many fields, anything else is slow to create and to compare.
    return {
      id,
      number,
      address,
      monitorUrl: httpUrl(endpoint, '/monitor', this.#common?.ssl ?? true),
      state,
      since: this.#wall(facts.since),
      reason: this.#reason(facts, now),
      load: answers ? facts.load : null,
      lastLoad: facts.load ?? null,
      booked: account?.booked ?? 0,
      predicted: answers ? facts.load + (account?.booked ?? 0) : null,
      cost: account?.cost.value ?? 0,
      costUncertainty: account?.learned === true ? (account.cost.high - account.cost.low) / 2 : null,
      places: state === 'available' ? ledger.places({ tiers: [[id]] }, undefined, now) : 0,
      sessions: this.#options.sessions.count(id, relayed),
      classSeats: classSeats === undefined ? null : { ...classSeats, points: Math.round(10 * classSeats.points) / 10 },
      handOuts: handOuts.total,
      handOutsLastHour: handOuts.lastHour,
      lastAnswerAt: facts.sampledAt === undefined ? null : this.#wall(facts.sampledAt),
      latency: facts.latency ?? null,
      failures,
      suspectSince: account?.suspectSince === undefined ? null : this.#wall(account.suspectSince),
      drain:
        drain === undefined
          ? null
          : { since: drain.since, by: drain.by, reason: drain.reason ?? null, until: drain.until ?? null },
      weight: account?.weight ?? 1,
      maxSessions: account?.maxSessions ?? null,
      labels: member?.server.labels ?? NO_LABELS,
      allowedRepositories: member?.server.allowedRepositories ?? null,
      removable: member?.source === 'added' || (member?.source === 'registered' && state === 'down'),
    };
  }

  /** Why the server is in its state, in a sentence. The state is shown beside it and not repeated. */
  #reason(facts: ServerFacts, now: number): string {
    const { poller, ledger, settings } = this.#options;
    const { lastFailure, drain, load } = facts;
    const failure = lastFailure?.reason ?? 'it did not answer';
    switch (poller.state(facts)) {
      case 'down':
        return [...(drain === undefined ? [] : [drainSentence(drain)]), asSentence(failure)].join(' ');
      case 'draining':
        return drain === undefined ? '' : drainSentence(drain);
      case 'unknown':
        if (facts.failures > 0) return `Not offered: ${failure}; asked again in a moment.`;
        return facts.loadOnly === undefined ? NOT_HEARD : `Not offered: ${facts.loadOnly}.`;
      case 'full':
        return fullReason(load, settings());
      case 'available':
        return availableReason(ledger.examine(facts.endpoint.id, undefined, now));
    }
  }

  #fleetView(servers: readonly ServerView[]): FleetView {
    const { poller, line, decisions, prospects, clock, settings, ledger } = this.#options;
    const { title, server, version, startedAt, target, loadThreshold, pollInterval } = settings();
    const now = clock.now();
    const open = prospects.availability.value;
    const unreserved = open ? prospects.unreservedFor()?.unreserved : undefined;
    const predicted = servers.flatMap((view) => view.predicted ?? []);
    const length = line.length;
    const longest = line.longestWait(now);
    const estimate = length === 0 ? undefined : line.estimate(length + 1, now);
    const view: FleetView = {
      ...{ title, server, version, startedAt, target, loadThreshold, pollInterval, open },
      channels: this.#options.channels(),
      maintenance: this.#options.maintenance(),
      replicas: this.#options.replicas(),
      availability: open ? 'A session can start now.' : this.#whyClosed(length),
      places: unreserved === undefined ? 0 : ledger.places(unreserved, undefined, now),
      placesRange: unreserved === undefined ? NO_PLACES : ledger.placesBetween(unreserved, undefined, now),
      counted: this.#options.counted(unreserved),
      waiting: {
        length,
        longest: longest === undefined ? null : Math.floor(longest),
        estimate: estimate === undefined ? null : { from: Math.floor(estimate.from), to: Math.ceil(estimate.to) },
      },
      meanLoad: meanLoad(poller.servers()) ?? null,
      meanPredicted: predicted.length === 0 ? null : predicted.reduce((sum, value) => sum + value, 0) / predicted.length,
      arrivedShare: arrivedShare(ledger.arrivals(now)),
      handedOutLastHour: decisions.handedOutLastHour(now),
      refusedLastHour: decisions.refusedLastHour(now),
      classes: this.#options.classes(),
    };
    if (this.#fleet === undefined || !same(this.#fleet, view)) this.#fleet = view;
    return this.#fleet;
  }

  #whyClosed(waiting: number): string {
    const { summary, answers } = this.explain(undefined, undefined);
    if (waiting > 0 && answers.some(({ code }) => code === 'kept'))
      return 'Free capacity is reserved for clients already waiting.';
    return `No session can start now: ${summary}.`;
  }

  #decisionViews(): readonly DecisionView[] {
    const { decisions } = this.#options;
    const { version } = decisions;
    if (this.#decisions.version !== version) {
      const known = new Map(this.#decisions.views.map((view) => [view.id, view]));
      this.#decisions = {
        version,
        views: decisions.last().map((decision) => known.get(`${decision.id} ${decision.kind}`) ?? decisionView(decision)),
      };
    }
    return this.#decisions.views;
  }

  #incidentViews(): readonly IncidentView[] {
    const version = this.#options.incidentsVersion();
    const offset = this.#offset;
    if (this.#incidents.version !== version || this.#incidents.offset !== offset)
      this.#incidents = { version, offset, views: this.#options.incidents() };
    return this.#incidents.views;
  }

  #wall(at: number): number {
    return at + this.#offset;
  }
}

/** What is the same for every server of an explanation. */
interface Moment {
  /** Seconds of the engine's clock. */
  readonly now: number;
  /** Percent. */
  readonly loadThreshold: number;
  /** Key of the project. */
  readonly project: string | undefined;
  readonly admittance: (id: ServerId) => Admittance | undefined;
  /** Servers reserved for clients in line. */
  readonly reserved: ReadonlySet<ServerId>;
  /** Servers whose room is held for people of classes. */
  readonly held: ReadonlySet<ServerId>;
}

function without(held: ReadonlySet<ServerId>, candidates: Candidates): Candidates {
  return held.size === 0 ? candidates : { tiers: candidates.tiers.map((tier) => tier.filter((id) => !held.has(id))) };
}

const NONE: ReadonlySet<ServerId> = new Set();
const NO_PLACES = { from: 0, to: 0 };
/** Below so many judged hand-outs, the share that arrived says nothing. */
const MIN_JUDGED = 10;

/** Two digits are enough, and spare the page a change at every report. */
function arrivedShare({ judged, arrived }: ArrivalRate): number | null {
  return judged < MIN_JUDGED ? null : Math.round((100 * arrived) / judged) / 100;
}

/** What the view of a server was built from. Facts and members are replaced, never changed, so the same object means the same facts. */
interface Sources {
  readonly facts: ServerFacts;
  readonly number: number;
  /** The revision of its account. What reports change in it comes with the facts. */
  readonly account: number;
  readonly member: Member | undefined;
  readonly handOuts: { readonly total: number; readonly lastHour: number };
  /** Sessions through the gateway. */
  readonly relayed: readonly RelayedSession[];
  readonly classSeats: SeatShare | undefined;
  readonly generation: number;
}

interface Drawn {
  readonly sources: Sources;
  readonly view: ServerView;
}

function isCurrent(before: Sources, now: Sources): boolean {
  return (
    before.facts === now.facts &&
    before.account === now.account &&
    before.number === now.number &&
    before.generation === now.generation &&
    before.member === now.member &&
    before.handOuts.total === now.handOuts.total &&
    before.handOuts.lastHour === now.handOuts.lastHour &&
    before.relayed.length === now.relayed.length &&
    before.classSeats?.held === now.classSeats?.held &&
    before.classSeats?.taken === now.classSeats?.taken
  );
}

const NO_LABELS: Labels = {};
const NO_SESSIONS: readonly RelayedSession[] = [];

/** The verdict of the ledger, reduced to what explanations mention. */
function explainedVerdict(verdict: Verdict): ExplainedVerdict {
  switch (verdict.kind) {
    case 'fits':
      return { kind: 'fits', predicted: verdict.level };
    case 'no-room': {
      const { predicted, target, peak, level, load } = verdict;
      return { kind: 'no-room', predicted, target, ...(level < target && peak > load && { peak }) };
    }
    case 'max-sessions':
      return { kind: 'session-limit', sessions: verdict.sessions };
    case 'suspect':
      return { kind: 'suspected' };
    case 'closed':
      return { kind: verdict.cause === 'load' ? 'full' : 'closed' };
    case 'never-heard':
    case 'unknown-server':
      return { kind: 'closed' };
  }
}

function decisionView({
  id,
  kind,
  at,
  project,
  server,
  address,
  code,
  reason,
  waited,
  reservation,
  others,
  omitted,
}: Decision): DecisionView {
  return {
    id: `${id} ${kind}`,
    at,
    kind,
    project: project ?? null,
    serverId: server ?? null,
    server: address ?? null,
    code,
    reason,
    waited,
    reservation: reservation ?? null,
    others,
    omitted,
  };
}

/** Compares nested values by their content. */
function same(a: object, b: object): boolean {
  const other = new Map(Object.entries(b));
  return Object.entries(a).every(([key, value]) => {
    const second: unknown = other.get(key);
    return (
      Object.is(value, second) ||
      (typeof value === 'object' && value !== null && JSON.stringify(value) === JSON.stringify(second))
    );
  });
}
