/** Reads what a session request wants, strictly, and finds the servers that may run it. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import { parseProject, type Project, type ProjectResult } from '../core/fleet/project.ts';
import type { Labels, Route, Router } from '../core/fleet/routing.ts';
import type { Want } from '../core/queue/line-order.ts';
import type { SeatWish } from '../core/reservations/reserved-seats.ts';
import type { SessionRequest } from './request-types.ts';

/** At least one server may run it, though perhaps not now. */
export interface RoutableRequest {
  readonly kind: 'routable';
  readonly project: Project | undefined;
  readonly want: Want;
  readonly candidates: Candidates;
  /** The same for all requests that the same servers may run. */
  readonly routeKey: string;
}

/** No server may ever run it, or its project cannot be read. */
export interface UnroutableRequest {
  readonly kind: 'refused';
  readonly code: string;
  readonly reason: string;
  readonly project: Project | undefined;
}

/** No server may ever run it: because of the servers' rules, or because its project cannot be read under the present settings. */
type Impossible = Pick<UnroutableRequest, 'kind' | 'code' | 'reason'>;

export class RequestRouting {
  readonly #router: Router;
  readonly #otherHosts: () => readonly string[];
  /** The allowed hosts when `#projects` were read. */
  #hosts: readonly string[] = [];
  /** Projects of waiting requests: every walk along the line asks for them again. */
  #projects = new WeakMap<Want, ProjectResult>();

  constructor(router: Router, otherHosts: () => readonly string[]) {
    this.#router = router;
    this.#otherHosts = otherHosts;
  }

  read({ projectUrl, labels, ends }: SessionRequest): RoutableRequest | UnroutableRequest {
    const read = projectUrl === undefined ? undefined : this.#read(projectUrl);
    if (read?.kind === 'refused') return { ...unreadable(read), project: undefined };
    const project = read?.project;
    const route = this.#router.route(project, labels);
    if (route.kind === 'refused') return { ...route, project };
    const want = this.want(project, labels, ends && { ends });
    return { kind: 'routable', project, want, candidates: route.candidates, routeKey: route.key };
  }

  /** For a project that was read already. */
  want(project: Project | undefined, labels: Labels | undefined, { reservation, ends }: SeatWish = {}): Want {
    const want: Want = {
      ...(project !== undefined && { project: project.url }),
      ...(labels !== undefined && { labels }),
      ...(reservation !== undefined && { reservation }),
      ...(ends !== undefined && { ends }),
    };
    if (project !== undefined) this.#known().set(want, { kind: 'project', project });
    return want;
  }

  /** The project of the same object is read once, unless the settings change. */
  route(want: Want): { readonly project: Project | undefined; readonly route: Exclude<Route, { kind: 'refused' }> | Impossible } {
    const { labels, except } = want;
    const read = this.#projectOf(want);
    if (read?.kind === 'refused') return { project: undefined, route: unreadable(read) };
    const project = read?.project;
    const route = this.#router.route(project, labels);
    if (except === undefined || route.kind === 'refused') return { project, route };
    const eligible = this.#router.eligible(project, labels);
    return { project, route: eligible.every((id) => except.includes(id)) ? route : without(except, route) };
  }

  readonly candidatesOf = (want: Want): Candidates | undefined => {
    const { route } = this.route(want);
    return route.kind === 'candidates' ? route.candidates : undefined;
  };

  /** `undefined`: the text is not a project, or not allowed by the present settings. */
  project(url: string | undefined): Project | undefined {
    const read = url === undefined ? undefined : this.#read(url);
    return read?.kind === 'project' ? read.project : undefined;
  }

  #projectOf(want: Want): ProjectResult | undefined {
    if (want.project === undefined) return undefined;
    const known = this.#known();
    let read = known.get(want);
    if (read === undefined) known.set(want, (read = this.#read(want.project)));
    return read;
  }

  #known(): WeakMap<Want, ProjectResult> {
    const hosts = this.#otherHosts();
    if (hosts.join() !== this.#hosts.join()) this.#projects = new WeakMap();
    this.#hosts = hosts;
    return this.#projects;
  }

  #read(text: string): ProjectResult {
    return parseProject(text, { otherHosts: this.#otherHosts() });
  }
}

function unreadable({ rule, reason }: Extract<ProjectResult, { kind: 'refused' }>): Impossible {
  return { kind: 'refused', code: `project-${rule}`, reason };
}

/** The same route without some servers. Needed only after a server failed to start a session, so nothing is cached. */
function without(except: readonly ServerId[], route: Extract<Route, { kind: 'candidates' }>): Route {
  const tiers = route.candidates.tiers
    .map((tier) => tier.filter((id) => !except.includes(id)))
    .filter(({ length }) => length > 0);
  return { ...route, candidates: { tiers } };
}
