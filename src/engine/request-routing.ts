/** What a session request wants, read strictly, and the servers that may run it. */
import type { ServerId } from '../core/endpoint.ts';
import type { Candidates } from '../core/ledger.ts';
import { parseProject, type Project, type ProjectResult } from '../core/project.ts';
import type { Labels, Route, Router } from '../core/routing.ts';
import type { Want } from '../core/waiting-line.ts';
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

/** Projects that were read before: each walk along the waiting line asks for those of its tickets again. */
const MOST_PROJECTS = 1000;

export class RequestRouting {
  readonly #router: Router;
  readonly #otherHosts: () => readonly string[];
  readonly #projects = new Map<string, Project>();

  constructor(router: Router, otherHosts: () => readonly string[]) {
    this.#router = router;
    this.#otherHosts = otherHosts;
  }

  read({ projectUrl, labels }: SessionRequest): RoutedRequest | UnroutableRequest {
    const read = projectUrl === undefined ? undefined : this.#read(projectUrl);
    if (read?.kind === 'refused')
      return { kind: 'refused', code: `project-${read.rule}`, reason: read.reason, project: undefined };
    const project = read?.project;
    const route = this.#router.route(project, labels);
    if (route.kind === 'refused') return { ...route, project };
    return { kind: 'routed', project, want: wantOf(project, labels), candidates: route.candidates, routeKey: route.key };
  }

  route({ project: url, labels, except }: Want): { readonly project: Project | undefined; readonly route: Route } {
    const project = url === undefined ? undefined : this.project(url);
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
    const known = this.#projects.get(url);
    if (known !== undefined) return known;
    const read = this.#read(url);
    if (read.kind === 'refused') return undefined;
    if (this.#projects.size >= MOST_PROJECTS) this.#projects.clear();
    this.#projects.set(url, read.project);
    return read.project;
  }

  #read(text: string): ProjectResult {
    return parseProject(text, { otherHosts: this.#otherHosts() });
  }
}

export function wantOf(project: Project | undefined, labels: Labels | undefined): Want {
  return { ...(project !== undefined && { project: project.url }), ...(labels !== undefined && { labels }) };
}

/** The same route but for some servers. Only who was failed by one asks for it, so that nothing is remembered. */
function without(except: readonly ServerId[], route: Extract<Route, { kind: 'candidates' }>): Route {
  const tiers = route.candidates.tiers
    .map((tier) => tier.filter((id) => !except.includes(id)))
    .filter(({ length }) => length > 0);
  return { ...route, candidates: { tiers } };
}
