/**
 * A simulated fleet for the monitor's tests, screenshots and benchmarks: what a session server would show, drawn from a
 * seed and moved on by hand. It implements what the monitor's routes ask of the session server.
 */
import type {
  AnswerView,
  DecisionView,
  DrainView,
  ExplainView,
  FleetView,
  IncidentView,
  MaintenanceView,
  MonitorSnapshot,
  ServerUptimeView,
  ServerView,
} from '../../src/core/views/monitor-view.ts';
import { listed } from '../../src/core/views/decision-list.ts';
import type { FleetLoads } from '../../src/core/fleet/fleet.ts';
import { History } from '../../src/core/history/history.ts';
import { Timeline } from '../../src/core/history/timeline.ts';
import type { SessionListView, SessionView, WaitingClientView, WaitingListView } from '../../src/core/views/session-views.ts';
import { seededRandom } from './seeded-random.ts';
import { idleServer, placesOf, silent } from './server-view.ts';

export interface DemoOptions {
  readonly servers?: number;
  readonly seed?: number;
  /** Seconds since the epoch. */
  readonly now?: number;
}

interface DemoServer {
  view: ServerView;
  /** When sessions were handed out. */
  readonly handOuts: number[];
  base: number;
  phase: number;
}

const projects = [
  'https://github.com/cyberbotics/webots-projects/blob/main/worlds/robot_race.wbt',
  'https://github.com/university-of-example/mobile-robots/blob/main/worlds/lab3.wbt',
  'https://github.com/rescue-league/maze/blob/2026/worlds/maze_hard.wbt',
  null,
];

export class DemoFleet {
  readonly history = new History();
  readonly timeline = new Timeline();
  now: number;
  readonly startedAt: number;
  readonly #random: () => number;
  readonly #servers: DemoServer[] = [];
  #decisions: readonly DecisionView[] = [];
  #incidents: IncidentView[] = [];
  #waiting: WaitingClientView[] = [];
  #sessions: SessionView[] = [];
  maintenance: readonly MaintenanceView[] = [];
  #serial = 0;
  title = 'Webots session server';
  version = '0.1.0';
  classes: FleetView['classes'] = [];
  replicas: FleetView['replicas'] = null;
  channels: FleetView['channels'] = [
    { notifier: 'email', recipient: 'admin@example.org' },
    { notifier: 'webhook', recipient: null },
  ];

  constructor({ servers = 12, seed = 1, now = 1_795_360_704 }: DemoOptions = {}) {
    this.now = now;
    this.startedAt = now;
    this.#random = seededRandom(seed);
    for (let index = 0; index < servers; index++) this.#servers.push(this.#newServer(index));
    this.#record();
  }

  #newServer(index: number): DemoServer {
    const address = `sim${String(index + 1).padStart(2, '0')}.example.org/${2000 + 1000 * (index % 3)}`;
    const base = 15 + 55 * this.#random();
    return {
      view: idleServer(address, index + 1, this.now, Math.round(base * 10) / 10),
      handOuts: [],
      base,
      phase: this.#random() * 6.28,
    };
  }

  get ids(): readonly string[] {
    return this.#servers.map(({ view }) => view.id);
  }

  server(id: string): ServerView | undefined {
    return this.#servers.find(({ view }) => view.id === id)?.view;
  }

  /** Changes a server by hand. */
  set(id: string, changes: Partial<ServerView>): void {
    const server = this.#servers.find(({ view }) => view.id === id);
    if (server === undefined) throw new Error(`no server ${id}`);
    server.view = { ...server.view, ...changes };
    this.timeline.observe(id, 'down', server.view.state === 'down', this.now);
    this.timeline.observe(id, 'drained', server.view.drain !== null, this.now);
  }

  /** Drains by hand, as the session server would. */
  drain(id: string, drain: DrainView): void {
    const until = drain.reason === null ? '' : `: ${drain.reason}`;
    this.set(id, {
      drain,
      state: 'draining',
      since: this.now,
      places: 0,
      reason: `Draining since ${drain.by} asked for it${until}.`,
    });
  }

  resume(id: string): void {
    this.set(id, { drain: null, state: 'available', since: this.now, places: 4, reason: 'Takes sessions.' });
  }

  remove(id: string): boolean {
    const index = this.#servers.findIndex(({ view }) => view.id === id);
    if (index < 0) return false;
    this.#servers.splice(index, 1);
    return true;
  }

  add(address: string): ServerView {
    const view = { ...idleServer(address, this.#servers.length + 1, this.now, 3), removable: true };
    this.#servers.push({ view, handOuts: [], base: 5, phase: 0 });
    return view;
  }

  /** So many people are in line. */
  set waiting(length: number) {
    const reason = '12 servers: 11 are at their limit, one is draining.';
    const common = { ofClass: false, connected: true, reason };
    this.#waiting = Array.from({ length }, (_, index) => ({
      ...{ ...common, id: `waiting-${index + 1}`, position: index + 1, since: this.now - 6 * (length - index) },
      project: projects[index % projects.length] ?? null,
    }));
  }

  waitingList(max: number): WaitingListView {
    return { at: this.now, total: this.#waiting.length, clients: this.#waiting.slice(0, max) };
  }

  removeWaiting(id: string): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((client) => client.id !== id);
    return this.#waiting.length < before;
  }

  /** A session runs on the server. */
  startSession(serverId: string, session: Partial<SessionView> = {}): SessionView {
    const view = this.server(serverId);
    const started: SessionView = {
      ...{ id: this.#id('session'), serverId, server: view?.address ?? serverId, state: 'running', since: this.now - 300 },
      ...{ project: projects[0] ?? null, basis: view?.sessions.basis ?? 'counted', closable: true, ...session },
    };
    this.#sessions.push(started);
    this.#countSessions(serverId);
    return started;
  }

  endSession(id: string): SessionView | undefined {
    const found = this.#sessions.find((session) => session.id === id);
    this.#sessions = this.#sessions.filter((session) => session !== found);
    if (found !== undefined) this.#countSessions(found.serverId);
    return found;
  }

  sessionList(max: number, server?: string): SessionListView {
    const found = this.#sessions.filter(({ serverId }) => server === undefined || serverId === server);
    return { at: this.now, total: found.length, sessions: found.slice(0, max) };
  }

  session(id: string): SessionView | undefined {
    return this.#sessions.find((session) => session.id === id);
  }

  #countSessions(serverId: string): void {
    const sessions = this.server(serverId)?.sessions;
    const count = this.#sessions.filter((session) => session.serverId === serverId).length;
    if (sessions !== undefined) this.set(serverId, { sessions: { ...sessions, count } });
  }

  uptime(): Record<string, ServerUptimeView> {
    return Object.fromEntries(
      this.ids.flatMap((id) => {
        const uptime = this.timeline.uptime(id, this.now);
        return uptime === undefined ? [] : [[id, uptime]];
      }),
    );
  }

  /** Lets time pass; servers are probed every five seconds. */
  advance(seconds: number): void {
    const until = this.now + seconds;
    while (this.now + 5 <= until) {
      this.now += 5;
      this.#probeAll();
    }
    this.now = until;
    this.history.advance(until);
  }

  #probeAll(): void {
    this.history.advance(this.now);
    for (const server of this.#servers) {
      const { view, base, phase } = server;
      if (view.state === 'down' || view.state === 'unknown') continue;
      const wave =
        base + 14 * Math.sin(this.now / 700 + phase) + 7 * Math.sin(this.now / 97 + phase * 3) + 3 * (this.#random() - 0.5);
      const load = Math.round(Math.max(1, Math.min(104, wave)) * 10) / 10;
      const booked =
        this.#random() < 0.1 ? Math.round(80 * this.#random()) / 10 : Math.max(0, Math.round((view.booked - 1) * 10) / 10);
      const predicted = Math.round((load + booked) * 10) / 10;
      server.view = {
        ...view,
        load,
        lastLoad: load,
        booked,
        predicted,
        handOuts: server.handOuts.length,
        handOutsLastHour: server.handOuts.filter((at) => at > this.now - 3600).length,
        lastAnswerAt: this.now,
        latency: 0.004 + 0.02 * this.#random(),
        ...(view.state === 'available' && { places: placesOf(predicted, view.cost) }),
      };
      this.history.sampled(view.id, this.now, load, booked);
    }
    this.#recordLoads();
    this.history.waitingIs(this.now, this.#waiting.length);
    this.timeline.tick(this.now);
    if (this.#random() < 0.12) this.allocate();
  }

  #recordLoads(): void {
    const answering = this.#servers.flatMap(({ view: { state, load, booked } }) =>
      load === null || state === 'down' || state === 'unknown' ? [] : { load, booked },
    );
    if (answering.length > 0) this.history.loadsAre(this.now, loadsOf(answering));
  }

  #record(): void {
    this.history.advance(this.now);
    this.history.fleetIs(this.ids);
    this.timeline.fleetIs(this.ids, this.now);
  }

  /** Answers one session request. */
  allocate(project: string | null = projects[Math.floor(this.#random() * projects.length)] ?? null): DecisionView {
    const open = this.#servers.map(({ view }) => view).filter(({ state }) => state === 'available');
    const [best] = [...open].sort((a, b) => (a.predicted ?? 0) - (b.predicted ?? 0));
    const decision: DecisionView =
      best === undefined
        ? this.#refusal(project, 'no-server-available', 'No simulation server is available at the moment.')
        : {
            id: this.#id('decision'),
            at: this.now,
            kind: 'allocated',
            project,
            serverId: best.id,
            server: best.address,
            code: 'least-predicted-load',
            reason: `Least predicted load: ${best.predicted ?? 0}% with the sessions already handed out.`,
            waited: 0,
            reservation: null,
            ...this.#others(best.id),
          };
    if (best !== undefined) {
      this.#servers.find(({ view }) => view.id === best.id)?.handOuts.push(this.now);
      this.set(best.id, { booked: best.booked + 8, predicted: (best.predicted ?? 0) + 8 });
      this.history.handedOut(best.id, this.now);
    }
    return this.#decided(decision);
  }

  refuse(project: string, code: string, reason: string): DecisionView {
    return this.#decided(this.#refusal(project, code, reason));
  }

  /** A waiting client disconnects. */
  abandon(project: string, waited: number): DecisionView {
    const gone = this.#refusal(project, 'client-gone', 'The client went away while it waited.');
    return this.#decided({ ...gone, kind: 'abandoned', waited });
  }

  #decided(decision: DecisionView): DecisionView {
    this.#decisions = listed([decision, ...this.#decisions]);
    return decision;
  }

  incident(changes: Partial<IncidentView> & Pick<IncidentView, 'kind' | 'serverId' | 'server'>): IncidentView {
    const incident: IncidentView = {
      id: this.#id('incident'),
      began: this.now,
      ended: null,
      reason: null,
      notices: [{ notifier: 'email', at: this.now, outcome: 'sent' }],
      ...changes,
    };
    this.#incidents = [incident, ...this.#incidents.filter(({ id }) => id !== incident.id)].slice(0, 200);
    return incident;
  }

  #refusal(project: string | null, code: string, reason: string): DecisionView {
    const { others, omitted } = this.#others(undefined);
    return {
      id: this.#id('decision'),
      at: this.now,
      kind: 'refused',
      project,
      serverId: null,
      server: null,
      code,
      reason,
      waited: 0,
      reservation: null,
      others,
      omitted,
    };
  }

  #others(chosen: string | undefined): { others: AnswerView[]; omitted: number } {
    const answers = this.answers(chosen).filter(({ chosen }) => !chosen);
    return { others: answers.slice(0, 20), omitted: Math.max(0, answers.length - 20) };
  }

  answers(chosen: string | undefined): AnswerView[] {
    return this.#servers.map(({ view }) => ({
      id: view.id,
      address: view.address,
      chosen: view.id === chosen,
      eligible: view.state === 'available',
      code: view.id === chosen ? 'chosen' : view.state === 'available' ? 'more-loaded' : view.state,
      reason: view.state === 'available' ? `Predicted load ${view.predicted ?? 0}%.` : view.reason,
    }));
  }

  explain(project: string | null): ExplainView {
    const open = this.#servers.map(({ view }) => view).filter(({ state }) => state === 'available');
    const [best] = [...open].sort((a, b) => (a.predicted ?? 0) - (b.predicted ?? 0));
    const reason =
      best === undefined
        ? 'No simulation server is available at the moment.'
        : `${best.address} would be handed out: it has the least predicted load.`;
    return {
      project,
      open: best !== undefined,
      code: best === undefined ? 'no-server-available' : 'ok',
      reason,
      reservation: null,
      servers: this.answers(best?.id),
    };
  }

  /** As if nothing had been learned on the server. */
  forgetCost(id: string): 'done' | 'nothing-learned' {
    if (this.server(id) === undefined) return 'nothing-learned';
    this.set(id, { costUncertainty: null });
    return 'done';
  }

  snapshot(): MonitorSnapshot {
    const servers = this.#servers.map(({ view }) => view);
    return { at: this.now, fleet: this.#fleet(servers), servers, decisions: this.#decisions, incidents: this.#incidents };
  }

  #fleet(servers: readonly ServerView[]): FleetView {
    const answering = servers.filter(({ load }) => load !== null);
    const mean = (value: (server: ServerView) => number | null): number | null =>
      answering.length === 0 ? null : answering.reduce((sum, server) => sum + (value(server) ?? 0), 0) / answering.length;
    const places = servers.reduce((sum, server) => sum + server.places, 0);
    const waiting = this.#waiting.length;
    return {
      title: this.title,
      server: 'session.example.org',
      version: this.version,
      startedAt: this.startedAt,
      open: places > 0,
      availability: places > 0 ? 'A session can start now.' : 'No session can start now: every server is full, draining or down.',
      places,
      counted: { sessionLength: 1440, places: Math.ceil(1.2 * places) },
      placesRange: { from: Math.floor(0.8 * places), to: Math.ceil(1.3 * places) },
      arrivedShare: 0.94,
      waiting: {
        length: waiting,
        longest: waiting === 0 ? null : 40 + waiting * 6,
        estimate: waiting === 0 ? null : { from: waiting * 20, to: waiting * 45 },
      },
      meanLoad: mean(({ load }) => load),
      meanPredicted: mean(({ predicted }) => predicted),
      handedOutLastHour: servers.reduce((sum, server) => sum + server.handOutsLastHour, 0),
      refusedLastHour: this.#decisions.filter(({ kind }) => kind === 'refused').length,
      classes: this.classes,
      replicas: this.replicas,
      target: 90,
      loadThreshold: 95,
      pollInterval: 5,
      channels: this.channels,
      maintenance: this.maintenance,
    };
  }

  #id(kind: string): string {
    this.#serial += 1;
    return `${kind}-${this.#serial}`;
  }
}

/** A fleet in which a little of everything has happened in the last hours. */
export function livelyFleet({ servers = 12, hours = 3, ...options }: DemoOptions & { readonly hours?: number } = {}): DemoFleet {
  const now = options.now ?? Math.floor(Date.now() / 1000);
  const fleet = new DemoFleet({ servers, ...options, now: now - hours * 3600 });
  fleet.advance(hours * 3600 - 1500);
  const [full = '', down = '', drained = '', suspect = '', unknown = ''] = [3, 5, 8, 9, 10].map(
    (index) => fleet.ids[index] ?? '',
  );
  const addressOf = (id: string) => fleet.server(id)?.address ?? '';
  fleet.incident({
    kind: 'full',
    serverId: full,
    server: addressOf(full),
    ended: fleet.now + 240,
    reason: 'Its load was 97.2%.',
  });
  fleet.set(down, silent('down', fleet.now, 5, 'Connection refused; 5 probes failed in a row.'));
  fleet.incident({ kind: 'down', serverId: down, server: addressOf(down), reason: 'Connection refused.' });
  fleet.advance(600);
  fleet.set(suspect, { suspectSince: fleet.now, reason: 'Was given 4 sessions and still looks idle.' });
  fleet.incident({
    kind: 'suspect',
    serverId: suspect,
    server: addressOf(suspect),
    reason: 'Was given 4 sessions and still looks idle.',
    notices: [
      { notifier: 'email', at: fleet.now, outcome: 'sent' },
      { notifier: 'webhook', at: null, outcome: 'failed' },
    ],
  });
  fleet.drain(drained, { since: fleet.now, by: 'ada', reason: 'new disk', until: fleet.now + 7200 });
  fleet.waiting = 3;
  fleet.advance(600);
  fleet.waiting = 0;
  fleet.set(unknown, silent('unknown', fleet.now, 1, 'No answer within 4 s.'));
  fleet.set(full, { state: 'full', places: 0, reason: 'Its load reached 95% and has not left room for 15 s since.' });
  fleet.set(fleet.ids[0] ?? '', { labels: { room: 'B12', gpu: 'RTX 4070' }, weight: 2 });
  fleet.refuse(
    'https://github.com/another-school/private-robots/blob/main/worlds/maze.wbt',
    'not-allowed',
    'No simulation server may run projects of github.com/another-school: 12 servers allow only other repositories.',
  );
  fleet.advance(295);
  fleet.allocate();
  return fleet;
}

/** Of at least one server. */
export function loadsOf(servers: readonly { readonly load: number; readonly booked: number }[]): FleetLoads {
  const loads = servers.map(({ load }) => load);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const booked = mean(servers.map(({ booked }) => booked));
  return { least: Math.min(...loads), mean: mean(loads), most: Math.max(...loads), booked };
}
