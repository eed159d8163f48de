/**
 * Writes decisions down with their reasons, and says why there is no room. What each server says costs a walk over the fleet; so in a flood only some
 * decisions get it, and a sentence serves for a second all who ask the same.
 */
import type { Endpoint, ServerId } from '../core/endpoint.ts';
import type { AnswerView, DecisionKind } from '../core/monitor-view.ts';
import type { Project } from '../core/project.ts';
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
  readonly explain: (project: Project | undefined, labels: Labels | undefined, chosen: ServerId | undefined) => Explained;
}

/** Who asked for what. */
export interface Asked {
  readonly id: string;
  readonly request: SessionRequest;
  readonly project: Project | undefined;
}

export interface Ending extends Asked {
  readonly kind: DecisionKind;
  readonly code: string;
  readonly reason: string;
  /** Seconds in the waiting line. */
  readonly waited: number;
  readonly server?: ServerId;
}

/** Decisions a second whose reasons are written down for every server; more come only in floods. */
const EXPLAINED_PER_SECOND = 20;
/** Servers in the reasons of one decision. */
const MOST_ANSWERS = 24;
/** Seconds for which the sentence that says why there is no room serves all who ask the same. */
const SUMMARY_KEPT = 1;
const MOST_SUMMARIES = 200;

export class Reasons {
  readonly #options: ReasonsOptions;
  readonly #summaries = new Map<string, { readonly at: number; readonly text: string }>();
  #explained = { second: 0, count: 0 };

  constructor(options: ReasonsOptions) {
    this.#options = options;
  }

  /** Why nobody has room, for all requests with the same `routeKey`. */
  noRoom({ routeKey, project, request }: Asked & { readonly routeKey: string }): string {
    const { clock, explain } = this.#options;
    const now = clock.now();
    const known = this.#summaries.get(routeKey);
    if (known !== undefined && now - known.at < SUMMARY_KEPT) return known.text;
    const text = explain(project, request.labels, undefined).summary;
    if (this.#summaries.size >= MOST_SUMMARIES) this.#summaries.clear();
    this.#summaries.set(routeKey, { at: now, text });
    return text;
  }

  record({ id, request, project, kind, code, reason, waited, server }: Ending): void {
    const { decisions, clock, endpoint, explain } = this.#options;
    const answers = this.#mayExplain() ? explain(project, request.labels, server).answers : [];
    const others = answers.filter((answer) => answer.id !== server);
    const address = server === undefined ? undefined : endpoint(server)?.address;
    decisions.record(
      {
        ...{ id, kind, code, reason, waited, at: clock.wallTime() },
        others: others.slice(0, MOST_ANSWERS),
        omitted: Math.max(0, others.length - MOST_ANSWERS),
        ...(project !== undefined && { project: project.url }),
        ...(server !== undefined && { server }),
        ...(address !== undefined && { address }),
      },
      clock.now(),
    );
  }

  #mayExplain(): boolean {
    const second = Math.floor(this.#options.clock.now());
    if (second !== this.#explained.second) this.#explained = { second, count: 0 };
    this.#explained.count += 1;
    return this.#explained.count <= EXPLAINED_PER_SECOND;
  }
}
