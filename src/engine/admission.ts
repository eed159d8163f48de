/**
 * From a session request to its end: allocated, refused, or waiting in line until one of both or until the client disconnects. Puts together the three parts
 * that share this work.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { Project } from '../core/fleet/project.ts';
import type { Labels, Router } from '../core/fleet/routing.ts';
import type { TokenBuckets } from '../core/limits/token-bucket.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Bookings } from './bookings.ts';
import { DecisionLog, type Explained, type HandOut } from './decision-log.ts';
import type { Decisions } from './decisions.ts';
import type { FairTurns } from './fair-turns.ts';
import { Prospects } from './prospects.ts';
import { QueueService } from './queue-service.ts';
import type { Classes } from './reservations.ts';
import { RequestRouting } from './request-routing.ts';
import { SessionRequests, type RequestSettings } from './session-requests.ts';
import type { OutcomeObserver } from './undelivered-outcomes.ts';
import { WaitingList } from './waiting-list.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly bookings: Bookings;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly buckets: TokenBuckets;
  readonly decisions: Decisions;
  readonly settings: () => AdmissionSettings;
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** The reason of each server, for the record; called rarely. */
  readonly explain: (project: Project | undefined, labels: Labels | undefined, handOut: HandOut | undefined) => Explained;
  /** Load points of a session of the project. */
  readonly costOf: (project: Project | undefined) => number;
  /** Absent: first come, first served. */
  readonly turns?: FairTurns;
  /** Absent: there are no classes. */
  readonly classes?: Classes;
  readonly outcomeObserver?: OutcomeObserver | undefined;
  /** Whether this replica has lost its connections. Absent: there are no replicas. */
  readonly isGone?: (replica: string) => boolean;
}

export interface AdmissionSettings extends RequestSettings {
  /** Hosts besides `github.com`. */
  readonly otherHosts: readonly string[];
  /** Seconds an outcome is held that its client may not have received. */
  readonly resume: number;
}

/** What clients call. */
export interface Admitting {
  readonly requests: Pick<SessionRequests, 'request' | 'tryOnce'>;
  readonly queue: Pick<
    QueueService,
    | 'length'
    | 'wait'
    | 'holds'
    | 'requeue'
    | 'hold'
    | 'resume'
    | 'restoredToken'
    | 'delivered'
    | 'giveUp'
    | 'giveUpLater'
    | 'connected'
    | 'release'
  >;
}

export interface Admission extends Admitting {
  readonly requests: SessionRequests;
  readonly queue: QueueService;
  readonly prospects: Prospects;
  readonly waitingList: WaitingList;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { router, settings } = options;
  const routing = new RequestRouting(router, () => settings().otherHosts);
  const decisionLog = new DecisionLog(options);
  const prospects = new Prospects({ ...options, routing });
  const shared = { ...options, routing, decisionLog, prospects };
  const requests = new SessionRequests({ ...shared, serveLine: () => queue.walk() });
  const queue: QueueService = new QueueService({ ...shared, requests, resume: () => settings().resume });
  return { requests, queue, prospects, waitingList: new WaitingList(shared) };
}
