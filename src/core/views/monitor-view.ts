/**
 * What the monitor page and `/api/v1` show, as plain values that travel as JSON.
 *
 * The HTTP edge produces them and the page shows them, so both sides are checked against one description. A value that may be absent is `null` and never
 * omitted: in a delta, `null` means that a value was removed, and a missing field means that it did not change.
 *
 * Times are seconds since the epoch, durations seconds, loads and costs percent points, unless a name says otherwise. Text from outside (addresses,
 * reasons, projects, labels) is not escaped here; the page escapes it.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { ServerState } from '../fleet/fleet.ts';
import type { ReservationState } from '../reservations/reservation.ts';
import type { SeatShare } from '../reservations/seat-shares.ts';
import type { NotificationKind } from '../incidents/notification-kinds.ts';
import type { ReplicasView } from './replicas-view.ts';
import type { SessionCountView } from './session-views.ts';

/** Both ends in seconds; `from` ≤ `to`. */
export interface SecondsRange {
  readonly from: number;
  readonly to: number;
}

export interface WaitingView {
  /** Tickets in the waiting line. */
  readonly length: number;
  /** Seconds the first client has waited; `null` when the line is empty. */
  readonly longest: number | null;
  /** Seconds a client that came now would wait; `null` while there is not enough data. */
  readonly estimate: SecondsRange | null;
}

/** A class that is near or on. Neither its name nor its code: everyone may read the monitor, and what is taught when is not public. */
export interface FleetClassView {
  /** Identity of the reservation. It says nothing to those who may not see the reservation. */
  readonly id: string;
  /** From when its seats can be taken. */
  readonly doors: number;
  readonly start: number;
  readonly end: number;
  /** Until when all free seats are held. */
  readonly heldUntil: number;
  readonly state: ReservationState;
  readonly seats: number;
  /** Seats that are taken now. */
  readonly taken: number;
  /** Seats that are held for people who have not come yet. */
  readonly held: number;
  /** Seats that will be free when they are needed; `null`: none is held. */
  readonly predicted: number | null;
}

/** What is known where it is seen when sessions begin and end. */
export interface CountedView {
  /** Mean length of a session in seconds, in whole minutes. */
  readonly sessionLength: number;
  /** Average sessions that fit within two minutes, by what they really cost; `null`: not known yet. */
  readonly places: number | null;
}

/** The session server and its fleet as a whole. */
export interface FleetView {
  /** Heading of the page. */
  readonly title: string;
  /** Fully qualified domain name of the session server. */
  readonly server: string;
  readonly version: string;
  readonly startedAt: number;
  /** Whether a session can start now. */
  readonly open: boolean;
  /** The same in a sentence, with the reason when it cannot. */
  readonly availability: string;
  /** Average sessions that fit now. */
  readonly places: number;
  /** The same if sessions cost one standard deviation more than expected (`from`), and less (`to`). */
  readonly placesRange: { readonly from: number; readonly to: number };
  /** What counting sessions taught; `null`: they are not counted here, or too few ended. */
  readonly counted: CountedView | null;
  readonly waiting: WaitingView;
  /** Mean reported load of the servers that answer; `null` when none does. */
  readonly meanLoad: number | null;
  /** Mean predicted load of the same servers. */
  readonly meanPredicted: number | null;
  /** Sessions handed out in the last hour. */
  readonly handedOutLastHour: number;
  /** Share (0 to 1) of the sessions handed out lately that arrived, as far as it can be judged; `null` while too few were judged. */
  readonly arrivedShare: number | null;
  /** Session requests refused in the last hour. */
  readonly refusedLastHour: number;
  /** Classes that are near or on, the earliest start first. */
  readonly classes: readonly FleetClassView[];
  /** The predicted load of every server stays below it. */
  readonly target: number;
  /** A report at or above it makes a server full. */
  readonly loadThreshold: number;
  /** Seconds between two probes of a server. */
  readonly pollInterval: number;
  /** The notification channels, as configured now. */
  readonly channels: readonly ChannelView[];
  /** That has not begun, the earliest first. */
  readonly maintenance: readonly MaintenanceView[];
  /** `null`: it is the only session server of its fleet. */
  readonly replicas: ReplicasView | null;
}

/** Maintenance that is planned: servers are drained from a time on. */
export interface MaintenanceView {
  readonly id: string;
  /** Empty when there is a label. */
  readonly servers: readonly ServerId[];
  /** `name=value`: the servers that have it when the maintenance begins. */
  readonly label: string | null;
  readonly from: number;
  readonly until: number;
  readonly by: string;
  readonly reason: string | null;
}

export interface ChannelView {
  /** As in `NoticeView`. */
  readonly notifier: string;
  /** Who receives its messages, for people to read; `null`: the name says it. */
  readonly recipient: string | null;
}

/** The outcome of a test notification on one channel. */
export interface ChannelTestView {
  /** As in `NoticeView`. */
  readonly notifier: string;
  /** In full, because operators may see the recipient. `null`: the name says it. */
  readonly recipient: string | null;
  /** `sent`: the mail server or the webhook accepted it. */
  readonly outcome: 'sent' | 'failed';
  /** What went wrong and how to fix it, in a sentence; `null` when it was sent. */
  readonly reason: string | null;
}

export interface DrainView {
  readonly since: number;
  readonly by: string;
  readonly reason: string | null;
  /** When the server is offered again automatically; `null`: when it is resumed. */
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
  /** Load points that were handed out and that reports do not show yet. */
  readonly booked: number;
  /** `load` + `booked`; `null` while it does not answer. */
  readonly predicted: number | null;
  /** Load points a session is expected to cost on this server. */
  readonly cost: number;
  /** One standard deviation of `cost`; `null` while nothing was learned on this server. */
  readonly costUncertainty: number | null;
  /** Sessions of that cost that fit now. */
  readonly places: number;
  readonly sessions: SessionCountView;
  /** Its share of the seats of classes that are near or on; `null`: none. */
  readonly classSeats: SeatShare | null;
  /** Sessions handed out since it joined the fleet, over restarts of the session server. */
  readonly handOuts: number;
  readonly handOutsLastHour: number;
  readonly lastAnswerAt: number | null;
  /** Seconds the last good probe took. */
  readonly latency: number | null;
  /** Failed probes since the last good one. */
  readonly failures: number;
  /** Since when it is suspected, because it looks idle although it was given sessions; `null`: it is not. */
  readonly suspectSince: number | null;
  readonly drain: DrainView | null;
  readonly weight: number;
  readonly maxSessions: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly allowedRepositories: readonly string[] | null;
  /** It was added by an operator action, so one can remove it. */
  readonly removable: boolean;
}

/** Why one server was or was not chosen. */
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

/** The outcome of one session request. */
export interface DecisionView {
  readonly id: string;
  readonly at: number;
  readonly kind: DecisionKind;
  /** The project, or the text that the client sent if it could not be read; `null` when the client did not name one. */
  readonly project: string | null;
  readonly serverId: ServerId | null;
  readonly server: string | null;
  readonly code: string;
  /** Why, in a sentence a student can act on. */
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  /** Identity of the reservation of which it has a seat, or because of which it was refused; `null`: it has nothing to do with one. */
  readonly reservation: string | null;
  /** The other servers, at most a few dozen; `omitted` is the number of further ones. */
  readonly others: readonly AnswerView[];
  readonly omitted: number;
}

export interface NoticeView {
  /** Name of the channel. */
  readonly notifier: string;
  readonly at: number | null;
  readonly outcome: 'sent' | 'waiting' | 'failed';
}

/** A bad condition of one server that people are notified of. */
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

/** Everything the page shows. */
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

/** What changed since the snapshot or delta before it. Missing fields did not change. */
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

/** Why a project can or cannot start: the answer of each server. */
export interface ExplainView {
  readonly project: string | null;
  /** A request now would be allocated. */
  readonly open: boolean;
  readonly code: string;
  /** The whole in a sentence. */
  readonly reason: string;
  /** Identity of the reservation for which the room is held; `null`: there is none. */
  readonly reservation: string | null;
  readonly servers: readonly AnswerView[];
}

/**
 * History of one server or of the fleet: columns of equal length. A bucket without samples is `null` in the columns of measurements and 0 in those of
 * counts.
 */
export interface HistoryView {
  /** `null`: the fleet. */
  readonly server: ServerId | null;
  readonly from: number;
  readonly to: number;
  /** Seconds of a bucket; may be larger than requested. */
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
  /** Maximum length of the waiting line; of the fleet only. */
  readonly waiting: readonly (number | null)[];
  /** Seats of classes that could be taken at the same time; of the fleet only. */
  readonly reserved: readonly (number | null)[];
  /** What happened to servers in this time, the oldest first; at most a few hundred. */
  readonly marks: readonly MarkView[];
}

/** A time in which a server did not answer, or was drained. */
export interface MarkView {
  readonly serverId: ServerId;
  readonly server: string;
  readonly kind: 'down' | 'drained';
  readonly from: number;
  /** `null`: it lasts. */
  readonly to: number | null;
}

/** How much of a span a server answered. */
export interface UptimeView {
  /** 0 to 1; `null`: nothing of the span was observed. */
  readonly share: number | null;
  /** Seconds of the span in which the session server ran, and the server was in the fleet and not drained. */
  readonly observed: number;
}

/** Of the last 24 hours and the last 30 days. */
export interface ServerUptimeView {
  readonly day: UptimeView;
  readonly month: UptimeView;
}

/** Load of every server over the last hour for the table's small charts. */
export interface SparklinesView {
  /** Where the first bucket begins. */
  readonly from: number;
  /** Seconds of a bucket. */
  readonly step: number;
  /** One character a bucket: see `core/history/sparkline.ts`. */
  readonly servers: Readonly<Record<ServerId, string>>;
  readonly uptime: Readonly<Record<ServerId, ServerUptimeView>>;
}

/** What the viewer may do. */
export interface ViewerView {
  /** The holder of the token that was entered; `null`: none. */
  readonly name: string | null;
  /** `none`: no tokens for operator actions are configured. `locked`: none of them was entered. */
  readonly actions: 'none' | 'locked' | 'ready';
  /** To be sent with every operator action of a browser session, so that no other site can act through it; `null` without such a session. */
  readonly csrf: string | null;
  /** Each operator action needs the token again, because pages of simulation servers share the origin of this page. */
  readonly confirms: boolean;
  /** URL of the page on which operators sign in; `null`: this one. */
  readonly signInAt: string | null;
}

/** Body of a refusal under `/api/v1`. */
export interface RefusalView {
  readonly code: string;
  readonly reason: string;
}
