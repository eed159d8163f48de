/**
 * Writes decisions down with their reasons, and says why there is no room. What each server says costs a walk over the fleet; so in a flood only some
 * decisions get it, and a sentence serves for a second all who ask the same.
 */
import { Allowance } from '../core/allowance.ts';
import type { Endpoint, ServerId } from '../core/endpoint.ts';
import type { Candidates } from '../core/candidates.ts';
import type { AnswerView, DecisionKind } from '../core/monitor-view.ts';
import { asSent, type Project } from '../core/project.ts';
import type { Labels } from '../core/routing.ts';
import type { Clock } from '../ports.ts';
import type { Decisions } from './decisions.ts';
import type { SessionRequest } from './session-request.ts';

export interface Explained {
  /** The whole in a sentence: *3 servers: one drains, …*. */
  readonly summary: string;
  readonly answers: readonly AnswerView[];
}

export interface ReasonsOptions {
  readonly clock: Clock;
  readonly decisions: Decisions;
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** Without a hand-out: what somebody who asks now hears. */
  readonly explain: (project: Project | undefined, labels: Labels | undefined, handOut: HandOut | undefined) => Explained;
  /** Load points of a session of the project. */
  readonly costOf: (project: Project | undefined) => number;
}

/** Who asked for what. */
export interface Asked {
  readonly id: string;
  readonly request: SessionRequest;
  readonly project: Project | undefined;
}

/** A session was handed out. */
export interface HandOut {
  readonly server: ServerId;
  readonly candidates: Candidates;
  /** Those that were not kept for others. */
  readonly left: Candidates;
}

export interface Ending extends Asked {
  readonly kind: DecisionKind;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  readonly handOut?: HandOut;
  /** What the servers say does not matter to it, as to a request whose project cannot be read. */
  readonly alone?: boolean;
}

/** Decisions whose reasons are written down for every server: those of a class at once, and so many a second. More come only in floods. */
const EXPLAINED = { atOnce: 100, perSecond: 5 };
/** Answers of servers drawn up: of a large fleet fewer decisions get them, or the reasons would cost more than the decisions. */
const ANSWERS = { atOnce: 10_000, perSecond: 2000 };
/** Servers in the reasons of one decision. */
const MOST_ANSWERS = 24;
/** Seconds for which the sentence that says why there is no room serves all who ask the same, or for what costs the same. */
const SUMMARY_KEPT = 1;
const MOST_SUMMARIES = 200;

export class Reasons {
  readonly #options: ReasonsOptions;
  readonly #summaries = new Map<string, { readonly at: number; readonly text: string }>();
  readonly #explained = new Allowance(EXPLAINED);
  readonly #answers = new Allowance(ANSWERS);

  constructor(options: ReasonsOptions) {
    this.#options = options;
  }

  /** Why nobody has room, for all requests with the same `routeKey` and cost. */
  noRoom({ routeKey, project, request }: Asked & { readonly routeKey: string }): string {
    const { clock, explain, costOf } = this.#options;
    const now = clock.now();
    // Projects of which nothing was learned cost the same, so that a flood of them shares one sentence.
    const key = `${costOf(project).toFixed(1)} ${routeKey}`;
    const known = this.#summaries.get(key);
    if (known !== undefined && now - known.at < SUMMARY_KEPT) return known.text;
    const text = explain(project, request.labels, undefined).summary;
    if (this.#summaries.size >= MOST_SUMMARIES) this.#summaries.clear();
    this.#summaries.set(key, { at: now, text });
    return text;
  }

  record({ id, request, project, kind, code, reason, waited, handOut, alone = false }: Ending): void {
    const { decisions, clock, endpoint } = this.#options;
    const now = clock.now();
    const server = handOut?.server;
    const others = alone || unreadable(request, project) ? NONE : this.#others(request, project, handOut, now);
    decisions.record(
      {
        id,
        at: clock.wallTime(),
        kind,
        project: project?.url ?? asSent(request.projectUrl),
        server,
        address: server === undefined ? undefined : endpoint(server)?.address,
        code,
        reason,
        waited,
        others: others.length > MOST_ANSWERS ? others.slice(0, MOST_ANSWERS) : others,
        omitted: Math.max(0, others.length - MOST_ANSWERS),
      },
      now,
    );
  }

  /** What the servers say that did not get the session; nothing while there is no time to ask them. */
  #others(
    { labels }: SessionRequest,
    project: Project | undefined,
    handOut: HandOut | undefined,
    now: number,
  ): readonly AnswerView[] {
    if (!this.#explained.has(now) || !this.#answers.has(now)) return NONE;
    const { answers } = this.#options.explain(project, labels, handOut);
    this.#explained.take(1);
    this.#answers.take(answers.length);
    return answers.filter((answer) => answer.id !== handOut?.server);
  }
}

const NONE: readonly AnswerView[] = [];

/** What the servers would say of it would be said of a request without a project. */
function unreadable({ projectUrl }: SessionRequest, project: Project | undefined): boolean {
  return project === undefined && projectUrl !== undefined;
}
