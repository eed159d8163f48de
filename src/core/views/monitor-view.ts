/**
 * What the monitor page and `/api/v1` show, as plain values that travel as JSON.
 *
 * The HTTP edge produces them and the page draws them, so both sides are checked against one description. Everything that may be absent is `null`
 * and never left out: a delta then says with `null` that a value went away, and by leaving a field out that it did not change.
 *
 * Times are seconds since the epoch, durations seconds, loads and costs percent points, unless a name says otherwise. Text that came from outside
 * (addresses, reasons, projects, labels) stands here as it came; who shows it escapes it.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { ServerState } from '../fleet/fleet.ts';
import type { NotificationKind } from '../incidents/notification-kinds.ts';

/** Both ends in seconds; `from` ≤ `to`. */
export interface SecondsRange {
  readonly from: number;
  readonly to: number;
}

export interface WaitingView {
  /** Tickets in the waiting line. */
  readonly length: number;
  /** Seconds the first in line has waited; `null` when nobody waits. */
  readonly longest: number | null;
  /** Seconds somebody who came now would wait; `null` while there is nothing to tell it from. */
  readonly estimate: SecondsRange | null;
}

/** The session server and its fleet as a whole. */
export interface FleetView {
  /** Heading of the page. */
  readonly title: string;
  /** Fully qualified domain name of the session server. */
  readonly server: string;
  readonly version: string;
  readonly startedAt: number;
  /** Can a session start now. */
  readonly open: boolean;
  /** The same in a sentence, with the reason when it cannot. */
  readonly availability: string;
  /** Sessions of usual cost that fit now. */
  readonly places: number;
  readonly waiting: WaitingView;
  /** Mean reported load of the servers that answer; `null` when none does. */
  readonly meanLoad: number | null;
  /** Mean predicted load of the same servers. */
  readonly meanPredicted: number | null;
  /** Sessions handed out in the last hour. */
  readonly handedOutLastHour: number;
  /** Session requests refused in the last hour. */
  readonly refusedLastHour: number;
  /** Predicted load stays below it. */
  readonly target: number;
  /** A report at or above it makes a server full. */
  readonly loadThreshold: number;
  /** Seconds between two probes of a server. */
  readonly pollInterval: number;
  /** Who is told of incidents, as configured now. */
  readonly channels: readonly ChannelView[];
}

export interface ChannelView {
  /** As in `NoticeView`. */
  readonly notifier: string;
  /** Whom it tells, for people to read; `null`: its name says so. */
  readonly recipient: string | null;
}

/** What became of a test notification on one channel. */
export interface ChannelTestView {
  /** As in `NoticeView`. */
  readonly notifier: string;
  /** In full: whoever acts may know whom the channel tells. `null`: its name says so. */
  readonly recipient: string | null;
  /** `sent`: the mail server or the webhook accepted it. */
  readonly outcome: 'sent' | 'failed';
  /** What went wrong and how to fix it, a sentence; `null` when it was sent. */
  readonly reason: string | null;
}

export interface DrainView {
  readonly since: number;
  readonly by: string;
  readonly reason: string | null;
  /** When the server is offered again by itself; `null`: when resumed. */
  readonly until: number | null;
}

/** One simulation server. */
export interface ServerView {
  readonly id: ServerId;
  /** Position in the configured order, from 1. */
  readonly number: number;
  /** As the operator wrote it. */
  readonly address: string;
  /** The server's own page. */
  readonly monitorUrl: string;
  readonly state: ServerState;
  /** When the present state began. */
  readonly since: number;
  /** Why it is in this state, in a sentence. */
  readonly reason: string;
  /** Reported load; `null` while it does not answer. */
  readonly load: number | null;
  /** The last load ever reported, kept while it does not answer. */
  readonly lastLoad: number | null;
  /** Load points handed out that reports do not show yet. */
  readonly booked: number;
  /** `load` + `booked`; `null` while it does not answer. */
  readonly predicted: number | null;
  /** Load points a session is expected to bring on this server. */
  readonly cost: number;
  /** One standard deviation of `cost`; `null` while nothing was learned on this server. */
  readonly costUncertainty: number | null;
  /** Sessions of that cost that fit now. */
  readonly places: number;
  /** Sessions handed out since it joined the fleet, over restarts of the session server. */
  readonly handOuts: number;
  readonly handOutsLastHour: number;
  readonly lastAnswerAt: number | null;
  /** Seconds the last good probe took. */
  readonly latency: number | null;
  /** Failed probes since the last good one. */
  readonly failures: number;
  /** Since when it is suspected of looking idle although it was given work; `null`: it is not. */
  readonly suspectSince: number | null;
  readonly drain: DrainView | null;
  readonly weight: number;
  readonly maxSessions: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly allowedRepositories: readonly string[] | null;
  /** Added while running, so it can be removed the same way. */
  readonly removable: boolean;
}

/** Why one server was or was not taken. */
export interface AnswerView {
  readonly id: ServerId;
  readonly address: string;
  /** It got the session, or would get it. */
  readonly chosen: boolean;
  /** It could take the session. */
  readonly eligible: boolean;
  /** Machine-readable reason. */
  readonly code: string;
  /** The reason in a sentence. */
  readonly reason: string;
}

export type DecisionKind = 'allocated' | 'refused' | 'abandoned';

/** What became of one session request. */
export interface DecisionView {
  readonly id: string;
  readonly at: number;
  readonly kind: DecisionKind;
  /** What the client asked to run, as it sent it when that could not be read; `null` when it did not say. */
  readonly project: string | null;
  readonly serverId: ServerId | null;
  readonly server: string | null;
  readonly code: string;
  /** Why, in a sentence a student can act on. */
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  /** The other servers, at most a few dozen; `omitted` says how many more there were. */
  readonly others: readonly AnswerView[];
  readonly omitted: number;
}

export interface NoticeView {
  /** Name of the channel. */
  readonly notifier: string;
  readonly at: number | null;
  readonly outcome: 'sent' | 'waiting' | 'failed';
}

/** Something that happened to one server and is worth telling a person. */
export interface IncidentView {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly serverId: ServerId;
  readonly server: string;
  readonly began: number;
  /** `null` while it lasts. */
  readonly ended: number | null;
  readonly reason: string | null;
  readonly notices: readonly NoticeView[];
}

/** All a viewer needs to draw the page. */
export interface MonitorSnapshot {
  readonly at: number;
  readonly fleet: FleetView;
  /** In the configured order. */
  readonly servers: readonly ServerView[];
  /** Newest first: the last ones, and the last refusals; see `decision-list.ts`. */
  readonly decisions: readonly DecisionView[];
  /** Newest first. */
  readonly incidents: readonly IncidentView[];
}

/** What changed since the snapshot or delta before it. Fields that are left out did not change. */
export interface MonitorDelta {
  readonly at: number;
  readonly fleet?: Partial<FleetView>;
  /** Changed fields by server; all fields of a server that is new. */
  readonly servers?: Readonly<Record<ServerId, Partial<ServerView>>>;
  /** The whole order, when servers came, left or moved. Servers not in it are gone. */
  readonly order?: readonly ServerId[];
  /** New decisions, newest first. */
  readonly decisions?: readonly DecisionView[];
  /** New and changed incidents, newest first. */
  readonly incidents?: readonly IncidentView[];
}

/** The answer to *why not?*: what each server says to a project. */
export interface ExplainView {
  readonly project: string | null;
  /** A request now would be allocated. */
  readonly open: boolean;
  readonly code: string;
  /** The whole in a sentence. */
  readonly reason: string;
  readonly servers: readonly AnswerView[];
}

/**
 * History of one server or of the fleet: columns of equal length. A bucket in which nothing was heard is `null` in the columns that measure and 0 in
 * those that count.
 */
export interface HistoryView {
  /** `null`: the fleet. */
  readonly server: ServerId | null;
  readonly from: number;
  readonly to: number;
  /** Seconds of a bucket; may be larger than what was asked for. */
  readonly step: number;
  /** Where each bucket begins. */
  readonly time: readonly number[];
  readonly min: readonly (number | null)[];
  readonly mean: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  /** Samples in the bucket: of a server its good probes, of the fleet the seconds in which a server answered. */
  readonly count: readonly number[];
  /** Mean predicted load. */
  readonly predicted: readonly (number | null)[];
  readonly handOuts: readonly number[];
  /** Longest the waiting line was; of the fleet only. */
  readonly waiting: readonly (number | null)[];
}

/** Load of every server over the last hour for the table's small charts. */
export interface SparklinesView {
  /** Where the first bucket begins. */
  readonly from: number;
  /** Seconds of a bucket. */
  readonly step: number;
  /** One character a bucket: see `core/sparkline.ts`. */
  readonly servers: Readonly<Record<ServerId, string>>;
}

/** What the present viewer may do. */
export interface ViewerView {
  /** Whose token was entered; `null`: none. */
  readonly name: string | null;
  /** `none`: no tokens are configured with which to act. `locked`: none of those was entered. */
  readonly levers: 'none' | 'locked' | 'ready';
  /** To be sent with every act of a session in the browser, so that no other site can act through it; `null` without such a session. */
  readonly csrf: string | null;
}

/** Body of a refusal under `/api/v1`. */
export interface RefusalView {
  readonly code: string;
  readonly reason: string;
}
