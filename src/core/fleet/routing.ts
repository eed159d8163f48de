/**
 * Which simulation servers may run a project.
 *
 * There are two separate questions. *May this server ever run it?* depends only on the server's rules (`admittance`): if no server ever may, the request
 * is refused at once, so that no client waits without a chance. *May it now?* depends on state and load: only available servers are candidates, and a server that
 * shares its idle time is one only while its load is below `shareIdleTime`.
 *
 * Tiers, best first; a later one is used only when the earlier ones have no room:
 *
 * 1. servers dedicated to the repository (`allowedRepositories` names it), because other projects cannot always use them;
 * 2. servers without `allowedRepositories`, which are open to all projects;
 * 3. servers dedicated to other repositories that share idle time, because each guest costs their own users.
 *
 * A blocked repository is never sent to a server that blocks it, even when its allowed list names it too: the lists overlap only when an operator wants
 * to exclude a part. A request without a project goes to any available server, as in the original.
 *
 * A request costs a few set look-ups, however many servers there are. The route depends on which of the prefixes in the fleet's lists match, so projects
 * that match the same ones share one `Candidates` object, which lives as long as it is correct.
 */
import type { ServerId } from './endpoint.ts';
import type { ServerState } from './fleet.ts';
import type { Candidates } from './candidates.ts';
import { shown, type Project } from './project.ts';

export type Labels = Readonly<Record<string, string>>;

/** Which projects may use a server, according to the operator or its registration. */
export interface RoutingRules {
  /** Prefixes such as `github.com/cyberbotics`, with or without `https://`. Absent: all projects. Empty: none, except in shared idle time. */
  readonly allowedRepositories?: readonly string[];
  readonly blockedRepositories?: readonly string[];
  /** Percent. While load is below it, the server also accepts projects outside `allowedRepositories`. 0: never. */
  readonly shareIdleTime: number;
  readonly labels: Labels;
}

export interface RoutedServer extends RoutingRules {
  readonly id: ServerId;
  readonly state: ServerState;
  /** Percent. */
  readonly load?: number;
}

export type RouteRefusalCode = 'no-servers' | 'no-server-has-labels' | 'no-server-allows-repository';

export type Route =
  | {
      readonly kind: 'candidates';
      /** No tiers: some server may run it, but none now. The same object until its servers change. */
      readonly candidates: Candidates;
      /** The same for requests that the same servers may ever take. It changes with the servers' rules, not with their states. */
      readonly key: string;
    }
  | { readonly kind: 'refused'; readonly code: RouteRefusalCode; readonly reason: string };

/** Whether a server may ever take a request (because it is dedicated to the repository, open to all projects, or shares idle time), or why never. */
export type Admittance = 'dedicated' | 'open' | 'shared' | 'other-repository' | 'blocked' | 'other-labels';

/** Cached routes, each as long as the fleet. There is one for each combination of known prefixes and labels that clients request. */
const MAX_CACHED = 200;

export class Router {
  readonly #servers = new Map<ServerId, Member>();
  /** Prefixes and labels that occur in the rules; all others make no difference. */
  #index: RuleIndex | undefined;
  /** Increases whenever other servers may be candidates. */
  #version = 0;
  #cached = new Map<string, CachedRoute>();
  /** The one used last: most requests are the same. */
  #last: CachedRoute | undefined;

  /** Adds or updates a server. Cheap when nothing important changed, because it is called for every sample and transition. */
  update(server: RoutedServer): void {
    const member = this.#servers.get(server.id);
    if (member !== undefined && sameRules(member.rules, server)) {
      if (member.observe(server)) this.#version += 1;
      return;
    }
    this.#servers.set(server.id, new Member(server));
    this.#forget();
  }

  /** The server left the fleet. */
  remove(id: ServerId): void {
    if (this.#servers.delete(id)) this.#forget();
  }

  /** The servers that may take a session now, or why none ever will. */
  route(project?: Project, labels?: Labels): Route {
    if (this.#servers.size === 0)
      return refused('no-servers', 'There is no simulation server here yet; ask the administrator of this site to add one.');
    const route = this.#routeOf(project, labels);
    if (route.eligible.length > 0) return { kind: 'candidates', candidates: route.candidates(this.#version), key: route.key };
    const anyLabels = this.#routeOf(project, undefined);
    if (project !== undefined && anyLabels.eligible.length === 0)
      return refused('no-server-allows-repository', notAllowed(project, anyLabels));
    return project !== undefined && route.labelled > 0
      ? refused('no-server-allows-repository', notAllowedThere(project, labels, route))
      : refused('no-server-has-labels', noLabels(labels));
  }

  /** Whether a request without a project may go to this server now, if there is room. */
  isAvailable(id: ServerId): boolean {
    return this.#servers.get(id)?.available === true;
  }

  /** Every server that may ever take such a session, whatever its state. */
  eligible(project?: Project, labels?: Labels): readonly ServerId[] {
    return this.#routeOf(project, labels).eligible.map(({ id }) => id);
  }

  /** What the rules of one server say. `undefined`: it is not in the fleet. */
  admittance(id: ServerId, project?: Project, labels?: Labels): Admittance | undefined {
    return this.admittances(project, labels)(id);
  }

  /** The same for one server after the other. */
  admittances(project?: Project, labels?: Labels): (id: ServerId) => Admittance | undefined {
    const prefixes = project && prefixesOf(project);
    return (id) => this.#servers.get(id)?.admits(prefixes, labels);
  }

  #routeOf(project: Project | undefined, labels: Labels | undefined): CachedRoute {
    const index = (this.#index ??= new RuleIndex(this.#servers.values()));
    const wanted = labels && Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    if (wanted?.some((label) => !index.labels.has(JSON.stringify(label)))) return new CachedRoute('', [], undefined, labels);

    const key = `${index.keyOf(project)}${wanted === undefined || wanted.length === 0 ? '' : JSON.stringify(wanted)}`;
    if (this.#last?.key === key) return this.#last;
    let route = this.#cached.get(key);
    if (route !== undefined) this.#cached.delete(key);
    else route = new CachedRoute(key, this.#servers.values(), project && index.prefixesOf(project), labels);
    // The one used last is at the end, and the first one is removed first.
    this.#cached.set(key, route);
    this.#last = route;
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= MAX_CACHED) break;
      this.#cached.delete(oldest);
    }
    return route;
  }

  #forget(): void {
    this.#index = undefined;
    this.#cached.clear();
    this.#last = undefined;
    this.#version += 1;
  }
}

/**
 * A prefix in the form in which prefixes and projects are compared: host, owner and name in lower case, then version and path as written, without
 * scheme, `blob` or `tree`, `.git` and a final slash. `undefined` when it is not a prefix; such an entry matches nothing.
 */
export function readRepositoryPrefix(text: string): string | undefined {
  const segments = text
    .trim()
    .replace(/^(?:https?|webots):\/\//i, '')
    .replace(/\/+$/, '')
    .split('/');
  const [host = '', owner, name, kind, ...below] = segments;
  if (!/^(?:[a-z0-9-]+\.)+[a-z0-9-]+$|^localhost$/i.test(host)) return undefined;
  if (segments.some((segment) => segment === '' || segment.includes('..') || /[\s\\%?#@*:]/.test(segment))) return undefined;
  const repository = [host, owner, name?.replace(/\.git$/i, '')]
    .filter((part) => part !== undefined)
    .map((part) => part.toLowerCase());
  const rest = kind === undefined || kind === 'blob' || kind === 'tree' ? below : [kind, ...below];
  return [...repository, ...rest].join('/');
}

/** Whether there is a server that both may get now. Cached as long as the two objects live. */
export function compete(a: Candidates, b: Candidates): boolean {
  if (a === b) return a.tiers.length > 0;
  let known = competing.get(a);
  if (known === undefined) competing.set(a, (known = new WeakMap()));
  let answer = known.get(b);
  if (answer === undefined) {
    const servers = new Set(a.tiers.flat());
    known.set(b, (answer = b.tiers.some((tier) => tier.some((id) => servers.has(id)))));
  }
  return answer;
}

const competing = new WeakMap<Candidates, WeakMap<Candidates, boolean>>();

/** Every prefix of the project, shortest first: its host, its owner, its repository, its version, each folder. */
function prefixesOf({ repository, version, path }: Project): string[] {
  const [host = '', owner = '', name = ''] = repository.split('/');
  const prefixes = [host, `${host}/${owner}`, `${host}/${owner}/${name}`];
  let last = repository;
  for (const segment of version === undefined ? [] : [version, ...(path?.split('/') ?? [])])
    prefixes.push((last = `${last}/${segment}`));
  return prefixes;
}

/** One server, with its rules prepared for look-ups. */
class Member {
  readonly id: ServerId;
  readonly rules: RoutingRules;
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #blocked: ReadonlySet<string>;
  available = false;
  /** Its load leaves idle time to share. */
  idle = false;

  constructor(server: RoutedServer) {
    this.id = server.id;
    this.rules = server;
    this.#allowed = server.allowedRepositories && prefixSet(server.allowedRepositories);
    this.#blocked = prefixSet(server.blockedRepositories ?? []);
    this.observe(server);
  }

  /** Returns whether the cases in which it is a candidate have changed. */
  observe({ state, load }: RoutedServer): boolean {
    const available = state === 'available';
    const idle = load !== undefined && load < this.rules.shareIdleTime;
    const differs = available !== this.available || (available && idle !== this.idle && this.#allowed !== undefined);
    this.available = available;
    this.idle = idle;
    return differs;
  }

  admits(prefixes: readonly string[] | undefined, labels: Labels | undefined): Admittance {
    if (!this.has(labels)) return 'other-labels';
    if (prefixes === undefined) return 'open';
    if (prefixes.some((prefix) => this.#blocked.has(prefix))) return 'blocked';
    const allowed = this.#allowed;
    if (allowed === undefined) return 'open';
    if (prefixes.some((prefix) => allowed.has(prefix))) return 'dedicated';
    return this.rules.shareIdleTime > 0 ? 'shared' : 'other-repository';
  }

  has(labels: Labels | undefined): boolean {
    if (labels === undefined) return true;
    const own = this.rules.labels;
    return Object.entries(labels).every(([name, value]) => own[name] === value);
  }

  *prefixes(): Iterable<string> {
    yield* this.#blocked;
    yield* this.#allowed ?? [];
  }
}

class RuleIndex {
  readonly prefixes = new Set<string>();
  readonly labels = new Set<string>();
  /** Cached, because each walk along the waiting line needs the keys of all its tickets. */
  readonly #keys = new WeakMap<Project, string>();

  constructor(members: Iterable<Member>) {
    for (const member of members) {
      for (const prefix of member.prefixes()) this.prefixes.add(prefix);
      for (const label of Object.entries(member.rules.labels)) this.labels.add(JSON.stringify(label));
    }
  }

  /** The same for projects that match the same prefixes. */
  keyOf(project: Project | undefined): string {
    if (project === undefined) return '*';
    let key = this.#keys.get(project);
    if (key === undefined) this.#keys.set(project, (key = this.prefixesOf(project).join(' ')));
    return key;
  }

  prefixesOf(project: Project): string[] {
    return prefixesOf(project).filter((prefix) => this.prefixes.has(prefix));
  }
}

/** The route of all requests that match the same prefixes and labels. */
class CachedRoute {
  readonly key: string;
  /** Number of servers with the labels. */
  readonly labelled: number;
  readonly blocked: number;
  /** Servers that may ever take it, best first. */
  readonly eligible: readonly Member[];
  readonly #tiers: readonly (readonly Member[])[];
  #candidates: Candidates = { tiers: [] };
  #version = -1;

  constructor(key: string, members: Iterable<Member>, prefixes: readonly string[] | undefined, labels: Labels | undefined) {
    const by: Record<Admittance, Member[]> = {
      dedicated: [],
      open: [],
      shared: [],
      blocked: [],
      'other-repository': [],
      'other-labels': [],
    };
    for (const member of members) by[member.admits(prefixes, labels)].push(member);
    this.key = key;
    this.#tiers = [by.dedicated, by.open, by.shared];
    this.eligible = this.#tiers.flat();
    this.blocked = by.blocked.length;
    this.labelled = this.eligible.length + by.blocked.length + by['other-repository'].length;
  }

  candidates(version: number): Candidates {
    if (this.#version === version) return this.#candidates;
    this.#version = version;
    const [dedicated = [], open = [], shared = []] = this.#tiers;
    const tiers = [
      dedicated.filter(isAvailable),
      open.filter(isAvailable),
      shared.filter((member) => member.available && member.idle),
    ]
      .filter((tier) => tier.length > 0)
      .map((tier) => tier.map(({ id }) => id));
    if (!sameTiers(tiers, this.#candidates.tiers)) this.#candidates = { tiers };
    return this.#candidates;
  }
}

function isAvailable(member: Member): boolean {
  return member.available;
}

function prefixSet(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.map(readRepositoryPrefix).filter((prefix) => prefix !== undefined));
}

function sameRules(a: RoutingRules, b: RoutingRules): boolean {
  return (
    a.shareIdleTime === b.shareIdleTime &&
    sameList(a.allowedRepositories, b.allowedRepositories) &&
    sameList(a.blockedRepositories, b.blockedRepositories) &&
    sameLabels(a.labels, b.labels)
  );
}

function sameLabels(a: Labels, b: Labels): boolean {
  return a === b || JSON.stringify(Object.entries(a)) === JSON.stringify(Object.entries(b));
}

function sameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.length === b.length && a.every((text, index) => text === b[index]);
}

function sameTiers(a: Candidates['tiers'], b: Candidates['tiers']): boolean {
  return a.length === b.length && a.every((tier, index) => sameList(tier, b[index]));
}

function refused(code: RouteRefusalCode, reason: string): Route {
  return { kind: 'refused', code, reason };
}

function notAllowed(project: Project, { labelled, blocked }: CachedRoute): string {
  const servers = labelled === 1 ? 'The simulation server' : `None of the ${labelled} simulation servers`;
  const repository = shown(project.repository, 150);
  if (blocked === labelled)
    return `${labelled === 1 ? servers : `All ${labelled} simulation servers`} ${labelled === 1 ? 'blocks' : 'block'} projects from ${repository}; run another one.`;
  return `${servers} ${labelled === 1 ? 'does not allow' : 'allows'} projects from ${repository}; run one from an allowed repository, or ask the administrator of this site to allow it.`;
}

/** Servers without the labels would run it, so the administrator is not needed. */
function notAllowedThere(project: Project, labels: Labels | undefined, { labelled, blocked }: CachedRoute): string {
  const [who, does] = labelled === 1 ? ['The simulation server', 'does'] : [`The ${labelled} simulation servers`, 'do'];
  const verb = blocked === labelled ? (labelled === 1 ? 'blocks' : 'block') : `${does} not allow`;
  const repository = shown(project.repository, 150);
  return `${who} with ${shownLabels(labels)} ${verb} projects from ${repository}, but others may run them; leave the labels out, or run another project.`;
}

function noLabels(labels: Labels | undefined): string {
  return Object.keys(labels ?? {}).length === 1
    ? `No simulation server has the label ${shownLabels(labels)}; ask for another one or for none.`
    : `No simulation server has all of the labels ${shownLabels(labels)}; ask for fewer, for other ones or for none.`;
}

function shownLabels(labels: Labels | undefined): string {
  const entries = Object.entries(labels ?? {});
  const first = entries.slice(0, 3).map(([name, value]) => `${shown(name, 30)} = ${shown(value, 30)}`);
  return [...first, ...(entries.length > 3 ? ['...'] : [])].join(', ');
}
