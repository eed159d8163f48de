/**
 * Records decisions with their reasons, and explains why there is no room. The reason of each server costs a walk over the fleet. In a flood, therefore, only
 * some decisions get it, and one sentence serves all equal requests for a second.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { AnswerView, DecisionKind } from '../core/views/monitor-view.ts';
import { asSent, type Project } from '../core/fleet/project.ts';
import type { Labels } from '../core/fleet/routing.ts';
import { TokenBuckets } from '../core/limits/token-bucket.ts';
import type { Clock } from '../ports.ts';
import type { Decisions } from './decisions.ts';
import type { ReceivedRequest, SessionRequest } from './request-types.ts';

export interface Explained {
  /** All servers in one sentence: *3 servers: one is draining, …*. */
  readonly summary: string;
  readonly answers: readonly AnswerView[];
}

export interface DecisionLogOptions {
  readonly clock: Clock;
  readonly decisions: Decisions;
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** Without a hand-out: what a request would be answered now. */
  readonly explain: (project: Project | undefined, labels: Labels | undefined, handOut: HandOut | undefined) => Explained;
  /** Load points of a session of the project. */
  readonly costOf: (project: Project | undefined) => number;
}

/** A session was handed out. */
export interface HandOut {
  readonly server: ServerId;
  readonly candidates: Candidates;
  /** Those that were not reserved for others. */
  readonly unreserved: Candidates;
  /** The session has a reserved seat: nothing was held from it. */
  readonly hasSeat: boolean;
}

export interface DecidedRequest extends ReceivedRequest {
  readonly kind: DecisionKind;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  readonly handOut?: HandOut;
  /** Identity of the reservation of which it has a seat, or because of which it was refused. */
  readonly reservation?: string | undefined;
  /** The servers have nothing to do with it. */
  readonly alone?: boolean;
}

/** Decisions that record the reason of every server: a class at once, and some per second. Only a flood brings more. */
const EXPLAINED = { burst: 100, rate: 5, maxKeys: 1 };
/** Reasons of servers: in a large fleet fewer decisions get them, or they would cost more than the decisions. */
const ANSWERS = { burst: 10_000, rate: 2000, maxKeys: 1 };
/** Servers in the reasons of one decision. */
const MAX_ANSWERS = 24;
/** Seconds for which one sentence about missing room serves all requests with the same route and cost. */
const SUMMARY_REUSED = 1;
const MAX_SUMMARIES = 200;

export class DecisionLog {
  readonly #options: DecisionLogOptions;
  readonly #summaries = new Map<string, { readonly at: number; readonly text: string }>();
  readonly #explained = new TokenBuckets(EXPLAINED);
  readonly #answers = new TokenBuckets(ANSWERS);

  constructor(options: DecisionLogOptions) {
    this.#options = options;
  }

  /** Why no server has room, for all requests with the same `routeKey` and cost. */
  noRoom({ routeKey, project, request }: ReceivedRequest & { readonly routeKey: string }): string {
    const { clock, explain, costOf } = this.#options;
    const now = clock.now();
    // Projects without a learned cost all cost the same, so a flood of them shares one sentence.
    const key = `${costOf(project).toFixed(1)} ${routeKey}`;
    const known = this.#summaries.get(key);
    if (known !== undefined && now - known.at < SUMMARY_REUSED) return known.text;
    const text = explain(project, request.labels, undefined).summary;
    if (this.#summaries.size >= MAX_SUMMARIES) this.#summaries.clear();
    this.#summaries.set(key, { at: now, text });
    return text;
  }

  record({ id, request, project, kind, code, reason, waited, handOut, reservation, alone = false }: DecidedRequest): void {
    const { decisions, clock, endpoint } = this.#options;
    const now = clock.now();
    const server = handOut?.server;
    const others = alone || unreadable(request, project) ? NONE : this.#others(request, project, handOut, now);
    decisions.record(
      {
        id,
        at: clock.wallTime(),
        kind,
        project: asSent(project?.url ?? request.projectUrl),
        server,
        address: server === undefined ? undefined : endpoint(server)?.address,
        code,
        reason,
        waited,
        reservation,
        others: others.length > MAX_ANSWERS ? others.slice(0, MAX_ANSWERS) : others,
        omitted: Math.max(0, others.length - MAX_ANSWERS),
      },
      now,
    );
  }

  /** The reasons of the servers that did not get the session; empty while the limits are used up. */
  #others(
    { labels }: SessionRequest,
    project: Project | undefined,
    handOut: HandOut | undefined,
    now: number,
  ): readonly AnswerView[] {
    if (this.#explained.wait('', now) > 0 || this.#answers.wait('', now) > 0) return NONE;
    const { answers } = this.#options.explain(project, labels, handOut);
    this.#explained.take('', now);
    this.#answers.take('', now, answers.length);
    return answers.filter((answer) => answer.id !== handOut?.server);
  }
}

const NONE: readonly AnswerView[] = [];

/** The servers would be asked about a request without a project, which it is not. */
function unreadable({ projectUrl }: SessionRequest, project: Project | undefined): boolean {
  return project === undefined && projectUrl !== undefined;
}
