/** What a session request wants, read strictly, and the servers that may run it. */
import type { ServerId } from '../core/endpoint.ts';
import type { Candidates } from '../core/candidates.ts';
import { parseProject, type Project, type ProjectResult } from '../core/project.ts';
import type { Labels, Route, Router } from '../core/routing.ts';
import type { Want } from '../core/line-order.ts';
import type { SessionRequest } from './session-request.ts';

/** Some server may run it, though perhaps none now. */
export interface RoutedRequest {
  readonly kind: 'routed';
  readonly project: Project | undefined;
  readonly want: Want;
  readonly candidates: Candidates;
  /** Same for requests that the same servers may ever take. */
  readonly routeKey: string;
}

/** Nobody may ever run it, or what it wants is no project. */
export interface UnroutableRequest {
  readonly kind: 'refused';
  readonly code: string;
  readonly reason: string;
  readonly project: Project | undefined;
}

/** Nobody may ever run it: by the servers' rules, or because its project cannot be read (any more). */
type Impossible = Pick<UnroutableRequest, 'kind' | 'code' | 'reason'>;

export class RequestRouting {
  readonly #router: Router;
  readonly #otherHosts: () => readonly string[];
  /** The hosts by which `#projects` were read. */
  #hosts: readonly string[] = [];
  /** What was read, for as long as somebody waits for it: each walk along the line asks again. */
  #projects = new WeakMap<Want, ProjectResult>();

  constructor(router: Router, otherHosts: () => readonly string[]) {
    this.#router = router;
    this.#otherHosts = otherHosts;
  }

  read({ projectUrl, labels }: SessionRequest): RoutedRequest | UnroutableRequest {
    const read = projectUrl === undefined ? undefined : this.#read(projectUrl);
    if (read?.kind === 'refused') return { ...unreadable(read), project: undefined };
    const project = read?.project;
    const route = this.#router.route(project, labels);
    if (route.kind === 'refused') return { ...route, project };
    return { kind: 'routed', project, want: this.want(project, labels), candidates: route.candidates, routeKey: route.key };
  }

  /** What somebody wants whose project was read already. */
  want(project: Project | undefined, labels: Labels | undefined): Want {
    const want: Want = { ...(project !== undefined && { project: project.url }), ...(labels !== undefined && { labels }) };
    if (project !== undefined) this.#known().set(want, { kind: 'project', project });
    return want;
  }

  /** Of the same object the project is read once, unless the settings change. */
  route(want: Want): { readonly project: Project | undefined; readonly route: Exclude<Route, { kind: 'refused' }> | Impossible } {
    const { labels, except } = want;
    const read = this.#projectOf(want);
    if (read?.kind === 'refused') return { project: undefined, route: unreadable(read) };
    const project = read?.project;
    const route = this.#router.route(project, labels);
    if (except === undefined || route.kind === 'refused') return { project, route };
    const everybody = this.#router.eligible(project, labels);
    return { project, route: everybody.every((id) => except.includes(id)) ? route : without(except, route) };
  }

  readonly candidatesOf = (want: Want): Candidates | undefined => {
    const { route } = this.route(want);
    return route.kind === 'candidates' ? route.candidates : undefined;
  };

  /** `undefined`: the text is no project, or no longer one by the present settings. */
  project(url: string): Project | undefined {
    const read = this.#read(url);
    return read.kind === 'refused' ? undefined : read.project;
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

/** The same route but for some servers. Only who was failed by one asks for it, so that nothing is remembered. */
function without(except: readonly ServerId[], route: Extract<Route, { kind: 'candidates' }>): Route {
  const tiers = route.candidates.tiers
    .map((tier) => tier.filter((id) => !except.includes(id)))
    .filter(({ length }) => length > 0);
  return { ...route, candidates: { tiers } };
}
