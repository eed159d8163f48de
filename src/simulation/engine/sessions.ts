/** All sessions of this server: which clients get one, and what happens to each. */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import { demoWorldOf } from '../../core/simulation/demo-world.ts';
import { readClientMessage } from '../../core/simulation/client-lines.ts';
import { readProjectAddress, type AddressOptions, type RunnableProject } from '../../core/simulation/project-address.ts';
import { ruleAgainst, type RepositoryRules } from '../../core/simulation/rules.ts';
import { holdsPlace, type Ending, type EndReason } from '../../core/simulation/session-life.ts';
import { Session, type Client, type SessionParts } from './session.ts';

export interface SessionsOptions extends SessionParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly rules: () => RepositoryRules;
  /** Which URLs are read as projects. */
  readonly reading: () => AddressOptions;
  /** The isolation is strong enough for foreign projects. */
  readonly isolated: () => boolean;
  /** Percent; `undefined` while it is not known. */
  readonly load: () => number | undefined;
  /** Percent that the sessions which are starting will probably add. */
  readonly pending: () => number;
  readonly limits: () => { readonly perAddress: number; readonly accepted: number };
}

export interface SessionsCounts {
  readonly starting: number;
  readonly running: number;
  readonly idle: number;
  /** Sessions that began since the start of the server. */
  readonly begun: number;
}

/** What a socket does with its session. */
export interface SessionHandle {
  readonly id: string;
  message(text: string): void;
  left(): void;
}

const TICK = 1;

export class Sessions {
  /** Since the start. */
  readonly ended = new Map<EndReason, number>();
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #loop: Loop;
  #begun = 0;
  #draining = false;
  #stopping = false;
  #changed: () => void = () => undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#loop = startLoop({
      clock: options.clock,
      delay: TICK,
      cycle: () => {
        for (const session of [...this.#sessions.values()]) session.tick();
        return TICK;
      },
      failed: (error) => {
        options.log.error('checking the sessions failed', { error });
        return TICK;
      },
    });
  }

  get all(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  get draining(): boolean {
    return this.#draining;
  }

  counts(): SessionsCounts {
    const streaming = this.all.filter(({ life }) => life.phase === 'streaming');
    const idle = streaming.filter(({ life }) => !life.busy).length;
    return { starting: this.#starting().length, running: streaming.length - idle, idle, begun: this.#begun };
  }

  /** Places that are taken, also by sessions that have not ended completely. */
  taken(): number {
    return this.all.filter(({ life }) => holdsPlace(life)).length;
  }

  /** Takes a connection; `undefined`: too many have not sent a start message yet. */
  accept(client: Client): SessionHandle | undefined {
    const { accepted } = this.#options.limits();
    const silent = this.all.filter(({ life }) => life.phase === 'accepted');
    const own = silent.filter((session) => client.limitKey !== undefined && session.client.limitKey === client.limitKey);
    if (this.#stopping || silent.length >= accepted || own.length >= Math.max(10, accepted / 10)) return undefined;
    const id = this.#options.newId();
    const session = new Session(id, client, this.#options, {
      forget: () => {
        this.#sessions.delete(id);
        this.#changed();
      },
      ending: ({ reason }) => {
        this.ended.set(reason, (this.ended.get(reason) ?? 0) + 1);
      },
      streaming: () => undefined,
    });
    this.#sessions.set(id, session);
    this.#options.log.info(`[${id}] New client`, { client: client.address });
    return {
      id,
      message: (text) => {
        this.#message(session, text);
      },
      left: () => {
        session.feed({ kind: 'left' });
      },
    };
  }

  /** Ends a session; `false`: there is none with this id. */
  end(id: string): boolean {
    const session = this.#sessions.get(id);
    const text = 'The operator of this simulation server ended the session.';
    session?.feed({ kind: 'end', ending: { reason: 'drained', code: 1000, text } });
    return session !== undefined;
  }

  /** No new sessions from now on. With `seconds`, those that run end after that time. */
  drain(seconds?: number): void {
    this.#draining = true;
    if (seconds !== undefined) for (const session of this.all) session.feed({ kind: 'drain', seconds });
  }

  resume(): void {
    this.#draining = false;
  }

  /** Ends all sessions and resolves when nothing of any is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const empty = new Promise<void>((resolve) => {
      this.#changed = () => {
        if (this.#sessions.size === 0) resolve();
      };
      for (const session of this.all) session.feed({ kind: 'stop' });
      this.#changed();
    });
    await empty;
    await this.#loop.stop();
  }

  #starting(): readonly Session[] {
    return this.all.filter(({ life }) => ['fetching', 'preparing', 'starting'].includes(life.phase));
  }

  #message(session: Session, text: string): void {
    const message = readClientMessage(text);
    switch (message.kind) {
      case 'start': {
        if (session.life.phase !== 'accepted') {
          session.feed({ kind: 'start' });
          return;
        }
        const decision = this.#decide(session.client, message.url);
        if ('reason' in decision) {
          session.feed({ kind: 'end', ending: decision });
          return;
        }
        this.#options.log.info(`[${session.id}] Starting simulation from ${decision.url}`);
        this.#begun += 1;
        session.start(decision, message.mode);
        break;
      }
      case 'refused':
        if (session.life.phase === 'accepted')
          session.feed({ kind: 'end', ending: { reason: 'refused', code: 1008, text: message.reason } });
        break;
      case 'reset-controller':
        void session.resetController(message.file);
        break;
      case 'ignored':
        this.#options.log.limited('info', 'ignored', `[${session.id}] a message from the client was not understood`);
        break;
    }
  }

  /** The project, or why it does not run here. */
  #decide(client: Client, url: string): RunnableProject | Ending {
    const room = this.#roomFor(client);
    if (!this.#options.simulator.usesProject) return room ?? demoProject(url);
    const address = readProjectAddress(url, this.#options.reading());
    const ruling = address.kind === 'project' ? this.#rule(address.project.key, address.project.url) : undefined;
    const rulingOnForm =
      address.kind === 'refused' && address.repository !== undefined
        ? this.#rule(address.repository, address.url ?? '')
        : undefined;
    if (address.kind === 'refused') return rulingOnForm ?? { reason: 'refused', code: 1008, text: address.text };
    return ruling ?? room ?? address.project;
  }

  #rule(project: string, url: string): Ending | undefined {
    const { rules, isolated, load, pending } = this.#options;
    return ruleAgainst(rules(), { project, url, isolated: isolated(), load: load(), pending: pending() });
  }

  #roomFor(client: Client): Ending | undefined {
    if (this.#draining || this.#stopping)
      return { reason: 'refused', code: 1013, text: 'This simulation server takes no new sessions at the moment.' };
    const holding = this.all.filter(({ life }) => holdsPlace(life));
    const maximum = this.#options.maxSessions();
    if (holding.length >= maximum) return { reason: 'refused', code: 1013, text: `Too many open connections (>${maximum})` };
    const { perAddress } = this.#options.limits();
    const own = holding.filter((session) => client.limitKey !== undefined && session.client.limitKey === client.limitKey);
    if (perAddress > 0 && own.length >= perAddress)
      return { reason: 'refused', code: 1013, text: 'Too many simulations run from your address.' };
    return undefined;
  }
}

/** What stands for a project where none is run. */
function demoProject(url: string): RunnableProject {
  const world = demoWorldOf(url);
  return {
    ...{ url: `demo:${world}`, key: `demo:${world}`, repository: '', remote: '', readings: [], world: `${world}.wbt` },
  };
}
