/**
 * One session: carries out what `session-life` asks for. Nothing here decides; each outcome goes back as an event. What is being created when the session ends
 * is waited for and then undone, so that nothing is created after it was given up.
 */
import type { Clock, Log } from '../../ports.ts';
import { shutdownMessage } from '../../core/gateway/client-messages.ts';
import {
  ALREADY_STARTED,
  progressLines,
  refusalLines,
  sentenceLines,
  streamLine,
  type PublicAddress,
} from '../../core/simulation/client-lines.ts';
import type { StreamMode } from '../../core/simulation/launch-plan.ts';
import type { RunnableProject } from '../../core/simulation/project-address.ts';
import {
  acceptedLife,
  step,
  type Command,
  type Ending,
  type LifeEvent,
  type LifeLimits,
  type Resource,
  type SessionLife,
} from '../../core/simulation/session-life.ts';
import { typeLines } from '../../core/simulation/world.ts';
import type {
  Checkout,
  Isolation,
  Preparation,
  ProjectSource,
  ResourceLimits,
  Running,
  Simulator,
  StreamPort,
  StreamPorts,
  Workspace,
  Workspaces,
} from '../ports.ts';

/** The connection of a client, as the engine sees it. */
export interface Client {
  /** For people and the log. */
  readonly address: string;
  /** What limits count by; `undefined`: not limited. */
  readonly limitKey: string | undefined;
  say(line: string): void;
  close(code: number): void;
}

export interface SessionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly projects: ProjectSource;
  readonly preparation: Preparation;
  readonly workspaces: Workspaces;
  readonly isolation: Isolation;
  readonly simulator: Simulator;
  readonly ports: StreamPorts;
  /** For simulators that run nothing of a project: an empty folder. */
  readonly emptyFolder: string;
  readonly lifeLimits: () => LifeLimits;
  readonly resourceLimits: () => ResourceLimits;
  readonly address: () => PublicAddress;
  readonly maxSessions: () => number;
  /** Whether a path of a project is a link, or below one. */
  readonly leadsThroughLink: (links: ReadonlySet<string>, path: string) => boolean;
}

export interface SessionReports {
  /** The session has ended, and nothing of it is left. */
  readonly forget: (ending: Ending) => void;
  /** The session began to end. */
  readonly ending: (ending: Ending) => void;
  readonly streaming: () => void;
}

/** Seconds between two checks whether the simulator listens: the first pause, and the maximum. */
const FIRST_PAUSE = 0.005;
const MAX_PAUSE = 0.25;
/** Seconds that a simulator has to listen on its address after it reported that the world is loaded. */
const LISTEN_AFTER = 10;
/** Bytes of a controller. */
const MAX_CONTROLLER = 1_000_000;
/** Seconds between two controllers that are restored, because each starts Git. */
const RESET_PAUSE = 0.5;

export class Session {
  readonly id: string;
  readonly client: Client;
  readonly acceptedAt: number;
  project: RunnableProject | undefined;
  running: Running | undefined;
  port: StreamPort | undefined;
  workspace: Workspace | undefined;
  #mode: StreamMode | undefined;
  #checkout: Checkout | undefined;
  #image: string | undefined;
  #life: SessionLife;
  readonly #parts: SessionParts;
  readonly #reports: SessionReports;
  /** Ends what is being created. */
  readonly #stopping = new AbortController();
  #creating: Promise<void> = Promise.resolve();
  #isLooking = false;
  #resetAfter = 0;

  constructor(id: string, client: Client, parts: SessionParts, reports: SessionReports) {
    this.id = id;
    this.client = client;
    this.#parts = parts;
    this.#reports = reports;
    this.acceptedAt = parts.clock.now();
    this.#life = acceptedLife(this.acceptedAt);
  }

  get life(): SessionLife {
    return this.#life;
  }

  start(project: RunnableProject, mode: StreamMode | undefined): void {
    if (this.#life.phase === 'accepted') {
      this.project = project;
      this.#mode = mode;
    }
    this.feed({ kind: 'start' });
  }

  tick(): void {
    this.feed({ kind: 'tick', watchers: this.port?.watchers() ?? 0 });
  }

  feed(event: LifeEvent): void {
    const { life, commands } = step(this.#life, event, this.#parts.lifeLimits(), this.#parts.clock.now());
    this.#life = life;
    for (const command of commands) this.#carryOut(command);
  }

  /** Restores a controller from the commit, and confirms it to the client. */
  async resetController(file: string): Promise<void> {
    const now = this.#parts.clock.now();
    if (now < this.#resetAfter) return;
    this.#resetAfter = now + RESET_PAUSE;
    const content = await this.#checkout?.readFile(`controllers/${file}`, MAX_CONTROLLER);
    if (content === undefined || this.workspace === undefined || this.#life.phase === 'ending') return;
    const done = await this.#parts.workspaces.write(this.workspace, `controllers/${file}`, content);
    if (!done) return;
    this.client.say(`reset controller: ${file}`);
    this.#log(`Reset file ${file}`);
  }

  #carryOut(command: Command): void {
    switch (command.kind) {
      case 'create':
        this.#creating = this.#create(command.resource);
        break;
      case 'undo':
        this.#stopping.abort();
        void this.#undo(command.resource);
        break;
      case 'progress':
        for (const line of progressLines(command.step)) this.client.say(line);
        break;
      case 'shutdown':
        this.client.say(shutdownMessage(command.seconds));
        break;
      case 'announce':
        this.#announce();
        break;
      case 'close':
        this.#close(command.ending);
        break;
      case 'already-started':
        this.client.say(ALREADY_STARTED);
        break;
      case 'report-stuck':
        this.#parts.log.error(`[${this.id}] ${command.resource} does not end; trying again`);
        break;
      case 'forget':
        this.#reports.forget(command.ending);
        break;
    }
  }

  async #create(resource: Resource): Promise<void> {
    try {
      const ending = await this.#make(resource);
      this.feed(ending === undefined ? { kind: 'created', resource } : { kind: 'failed', resource, ending });
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        this.#parts.log.error(`[${this.id}] ${FAILURES[resource].log}`, { error, project: this.project?.url });
      this.feed({ kind: 'failed', resource, ending: FAILURES[resource].ending });
    }
    this.#lookWhenLoaded();
  }

  /** `undefined`: it is there. Throws what is not expected. */
  #make(resource: Resource): Promise<Ending | undefined> {
    switch (resource) {
      case 'port':
        return this.#makePort();
      case 'checkout':
        return this.#makeCheckout();
      case 'workspace':
        return this.#makeWorkspace();
      case 'simulator':
        return this.#makeSimulator();
    }
  }

  async #makePort(): Promise<Ending | undefined> {
    this.port = await this.#parts.ports.hold();
    if (this.port !== undefined) return undefined;
    return { reason: 'refused', code: 1013, text: `Too many open connections (>${this.#parts.maxSessions()})` };
  }

  async #makeCheckout(): Promise<Ending | undefined> {
    const { projects, simulator, emptyFolder } = this.#parts;
    if (!simulator.usesProject || this.project === undefined) {
      this.#checkout = emptyCheckout(emptyFolder, this.project);
      for (const line of sentenceLines('Demo: showing the built-in robot')) this.client.say(line);
      return undefined;
    }
    const result = await projects.checkout(this.project, this.#stopping.signal);
    if (result.kind === 'refused') return result.ending;
    this.#checkout = result.checkout;
    const { stale, webotsYaml } = result.checkout;
    if (stale) for (const line of sentenceLines('Using an earlier version')) this.client.say(line);
    for (const line of typeLines(webotsYaml ?? '')) this.client.say(line);
    return undefined;
  }

  async #makeWorkspace(): Promise<Ending | undefined> {
    if (this.#checkout === undefined) throw new Error('a workspace needs a checkout');
    if (this.project === undefined) throw new Error('a workspace needs a project');
    const { signal } = this.#stopping;
    const prepared = await this.#parts.preparation.prepare({
      ...{ project: this.project, checkout: this.#checkout, mode: this.#mode, signal },
      say: (sentence) => {
        for (const line of sentenceLines(sentence)) this.client.say(line);
      },
    });
    if (prepared.kind === 'refused') return prepared.ending;
    this.#image = prepared.image;
    this.workspace = await this.#parts.workspaces.open(this.id, prepared, signal);
    return undefined;
  }

  async #makeSimulator(): Promise<Ending | undefined> {
    const { isolation, simulator, resourceLimits } = this.#parts;
    const [checkout, workspace] = [this.#checkout, this.workspace];
    if (checkout === undefined || workspace === undefined) throw new Error('a simulator needs a workspace');
    const result = await isolation.start({
      ...{ id: this.id, workspace, limits: resourceLimits(), signal: this.#stopping.signal },
      plan: (place) => simulator.plan(checkout.facts, place),
      line: (line) => {
        this.#readLine(line);
      },
      ...(this.#image !== undefined && { image: this.#image }),
      ...(this.#mode !== undefined && { mode: this.#mode }),
    });
    if (result.kind === 'refused') return result.ending;
    const { running } = result;
    this.running = running;
    this.#log(`${simulator.name} [${running.pid}] started: "${running.command.join(' ')}"`);
    void running.exited.then((exit) => {
      this.#log(`${simulator.name} [${running.pid}] exited`, { status: exit.status });
      this.feed({ kind: 'exited', exit });
    });
    return undefined;
  }

  #readLine(line: string): void {
    const word = this.#parts.simulator.word(line);
    if (word === 'loaded') {
      if (this.#life.phase === 'streaming') this.client.say('.');
      else this.feed({ kind: 'loaded' });
      this.#lookWhenLoaded();
    } else if (word === 'idle' || word === 'busy') this.feed({ kind: 'busy', busy: word === 'busy' });
    else if (word === undefined) this.#parts.log.limited('info', `output ${this.id}`, `[${this.id}] ${line}`);
  }

  /** A simulator that says when it has loaded listens by then; another one is looked at from its start on. */
  #lookWhenLoaded(): void {
    const { running } = this;
    if (running === undefined || this.#isLooking || (running.plan.loadedBy === 'word' && !this.#life.loaded)) return;
    this.#isLooking = true;
    void this.#awaitListening(running);
  }

  /** The address is sent only when a process of this session accepts connections there: the simulation of another session may have the port. */
  async #awaitListening(running: Running): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stopping;
    const since = clock.now();
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(MAX_PAUSE, pause * 1.5)) {
      if (await running.isListening()) {
        if (running.plan.loadedBy === 'address') this.feed({ kind: 'loaded' });
        this.feed({ kind: 'reachable' });
        return;
      }
      if (running.plan.loadedBy === 'word' && clock.now() - since > LISTEN_AFTER) {
        log.warn(`[${this.id}] the simulator has loaded the world and does not listen on its address`);
        const text = 'The simulator does not listen on the address it was given.';
        this.feed({ kind: 'end', ending: { reason: 'did-not-start', code: 1011, text } });
        return;
      }
      await clock.sleep(pause, signal);
    }
  }

  #announce(): void {
    const [port, running, checkout] = [this.port, this.running, this.#checkout];
    if (port === undefined || running === undefined || checkout === undefined) return;
    port.open(running.inner, (path) => this.#parts.leadsThroughLink(checkout.links, path));
    this.client.say(streamLine(this.#parts.address(), port.port));
    this.#reports.streaming();
  }

  #close(ending: Ending): void {
    const { reason, code, text } = ending;
    if (text !== undefined) for (const line of refusalLines(text)) this.client.say(line);
    this.#log(reason === 'client-left' ? 'Client disconnected' : `Session ends: ${text ?? reason}`, { reason });
    this.client.close(code);
    this.port?.closeStreams();
    this.#reports.ending(ending);
  }

  async #undo(resource: Resource): Promise<void> {
    await this.#creating;
    try {
      await this.#takeDown(resource);
    } catch (error) {
      this.#parts.log.limited('warn', `undo ${this.id}`, `[${this.id}] ${resource} does not end`, { error });
      this.feed({ kind: 'undo-failed', resource });
      return;
    }
    this.feed({ kind: 'gone', resource });
  }

  async #takeDown(resource: Resource): Promise<void> {
    const { isolation, workspaces } = this.#parts;
    switch (resource) {
      case 'simulator':
        // What could not be started may have left something.
        await (this.running === undefined ? isolation.remove(this.id) : this.running.end());
        break;
      case 'workspace':
        await (this.workspace === undefined ? workspaces.remove(this.id) : this.workspace.close());
        break;
      case 'checkout':
        this.#checkout?.release();
        break;
      case 'port':
        await this.port?.close();
        break;
    }
  }

  #log(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#parts.log.info(`[${this.id}] ${message}`, fields);
  }
}

const PREPARE: Ending = { reason: 'prepare', code: 1013, text: 'The simulation cannot be prepared at the moment.' };

/** What the log and the client get when something fails that is not the project's fault. */
const FAILURES: Readonly<Record<Resource, { readonly log: string; readonly ending: Ending }>> = {
  port: { log: 'no port can be opened', ending: { ...PREPARE, reason: 'refused' } },
  checkout: {
    log: 'the project cannot be fetched',
    ending: { reason: 'fetch', code: 1013, text: 'The project cannot be fetched.' },
  },
  workspace: { log: 'the files of the project cannot be prepared', ending: PREPARE },
  simulator: {
    log: 'the simulator cannot be started',
    ending: { reason: 'did-not-start', code: 1013, text: 'The simulator cannot be started on this machine.' },
  },
};

function emptyCheckout(folder: string, project: RunnableProject | undefined): Checkout {
  const facts = { world: `worlds/${project?.world ?? ''}`, worldHeader: '' };
  return {
    ...{ folder, commit: '', stale: false, facts, recipes: [], links: new Set<string>() },
    readFile: () => Promise.resolve(undefined),
    release: () => undefined,
  };
}
