/**
 * The bare machine: a process group, in a cgroup where there are cgroups. It keeps a simulator from using more than its share and ends it reliably; it
 * hides nothing from it.
 */
import { dirname, join } from 'node:path';
import type { Clock } from '../../ports.ts';
import type { InnerAddress, LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { Ending } from '../../core/simulation/session-life.ts';
import type {
  Cgroup,
  Cgroups,
  Isolation,
  IsolationFacts,
  Launcher,
  Program,
  Running,
  StartOptions,
  StartResult,
  Usage,
} from '../ports.ts';
import { InnerPorts } from './inner-ports.ts';
import { InnerSocket } from './inner-socket.ts';
import { listens, MARK, Marks, usageOf } from './processes.ts';

export interface ProcessIsolationOptions {
  readonly instance: string;
  readonly launcher: Pick<Launcher, 'start'>;
  readonly clock: Clock;
  /** Absent: a process group alone. */
  readonly cgroups?: Cgroups;
  readonly display: () => string;
  /** There is no X server at that display. */
  readonly displayMissing: () => boolean;
  /** How a program is put into something more. Absent: it runs as it is. */
  readonly wrap?: (start: StartOptions, port: number) => Wrapped | Promise<Wrapped>;
  /** What runs in it cannot leave its cgroup, and ends with it. */
  readonly confines?: boolean;
  /** Its facts, where it is more than a process. */
  readonly facts?: IsolationFacts;
}

/** What is started for a session. */
export type Wrapped =
  | {
      readonly kind: 'wrapped';
      readonly plan: LaunchPlan;
      readonly inner: InnerAddress;
      /** `environment` is the whole of it. */
      readonly argv: (environment: Readonly<Record<string, string>>) => readonly string[];
    }
  | { readonly kind: 'refused'; readonly ending: Ending };

/** Seconds a simulator has to end by itself. */
const PATIENCE = 2;
/** Seconds until what was killed has to be gone. */
const GONE_AFTER = 3;

export function createProcessIsolation(given: ProcessIsolationOptions): Isolation {
  const options = { ...given, ports: new InnerPorts(), marks: new Marks(given.instance) };
  const { cgroups, marks } = options;
  return {
    facts: options.facts ?? factsOf(cgroups),
    container: false,
    start: (start) => startProcess(options, start),
    async list() {
      const marked = [...(await marks.find()).keys()];
      return [...new Set([...marked, ...((await cgroups?.list()) ?? [])])];
    },
    async remove(id) {
      await cgroups?.remove(id);
      await killMarked(options, id);
    },
  };
}

function factsOf(cgroups: Cgroups | undefined): IsolationFacts {
  const limits = cgroups?.limits ?? 'none';
  const notes = ['A simulation sees the files and the network of this machine.'];
  if (limits === 'none') notes.push('A simulation may use all of the processor, the memory and the processes of this machine.');
  if (limits === 'some') notes.push('Not all of processor, memory and processes are limited here.');
  return { name: cgroups === undefined ? 'none' : 'cgroup', strength: 'process', limits, network: 'unfiltered', notes };
}

interface Parts extends ProcessIsolationOptions {
  readonly ports: InnerPorts;
  readonly marks: Marks;
}

async function startProcess(options: Parts, start: StartOptions): Promise<StartResult> {
  const { id, workspace, limits, line, signal } = start;
  const { ports } = options;
  const port = await ports.take();
  let wrapped: Wrapped | undefined;
  const giveUp = async () => {
    ports.giveBack(port);
    await options.cgroups?.remove(id);
  };
  try {
    wrapped = await (options.wrap ?? unwrapped)(start, port);
    if (wrapped.kind === 'wrapped') wrapped = noDisplay(options, wrapped.plan) ?? wrapped;
    if (wrapped.kind === 'refused') {
      await giveUp();
      return wrapped;
    }
    const { plan, inner, argv } = wrapped;
    const cgroup = options.cgroups?.create(id, limits);
    signal.throwIfAborted();
    const environment = {
      ...plan.environment,
      ...(plan.display && { DISPLAY: options.display() }),
      [MARK]: `${options.instance}/${id}`,
    };
    const program = await options.launcher.start(argv(environment), {
      ...{ cwd: workspace.folder, joins: cgroup?.joins ?? [], line, environment },
    });
    return {
      kind: 'running',
      running: new RunningProcess(options, id, plan, inner, program, cgroup, () => {
        ports.giveBack(port);
      }),
    };
  } catch (error) {
    await giveUp();
    throw error;
  }
}

function unwrapped({ workspace, plan: planFor, mode }: StartOptions, port: number): Wrapped {
  const socket = join(dirname(workspace.folder), 's');
  const result = planFor({
    ...{ project: workspace.folder, port, socket, container: false },
    ...(mode !== undefined && { mode }),
  });
  if (result.kind === 'refused') return result;
  const { plan } = result;
  return {
    ...{ kind: 'wrapped', plan, argv: () => plan.argv },
    inner: plan.inner === 'tcp' ? { kind: 'tcp', host: '127.0.0.1', port } : { kind: 'unix', path: socket },
  };
}

function noDisplay(
  { displayMissing }: ProcessIsolationOptions,
  plan: LaunchPlan,
): Extract<Wrapped, { kind: 'refused' }> | undefined {
  if (!plan.display || !displayMissing()) return undefined;
  const text = 'This machine has no X display for the simulator.';
  return { kind: 'refused', ending: { reason: 'prepare', code: 1013, text } };
}

class RunningProcess implements Running {
  readonly plan: LaunchPlan;
  readonly command: readonly string[];
  readonly pid: number;
  readonly exited: Running['exited'];
  readonly #inner: InnerAddress;
  readonly #socket: InnerSocket | undefined;
  readonly #options: Parts;
  readonly #id: string;
  readonly #program: Program;
  readonly #cgroup: Cgroup | undefined;
  readonly #gone: () => void;

  constructor(
    options: Parts,
    id: string,
    plan: LaunchPlan,
    inner: InnerAddress,
    program: Program,
    cgroup: Cgroup | undefined,
    gone: () => void,
  ) {
    this.plan = plan;
    this.#inner = inner;
    this.#socket = inner.kind === 'unix' ? new InnerSocket(inner.path) : undefined;
    this.command = plan.argv;
    this.pid = program.pid;
    this.#options = options;
    this.#id = id;
    this.#program = program;
    this.#cgroup = cgroup;
    this.#gone = gone;
    this.exited = program.exited.then(async (status) => ({ status, outOfMemory: (await cgroup?.outOfMemory()) ?? false }));
  }

  get inner(): InnerAddress {
    return this.#socket === undefined ? this.#inner : { kind: 'unix', path: this.#socket.path };
  }

  async isListening(): Promise<boolean> {
    if (this.#socket !== undefined) return this.#socket.isListening();
    return this.#inner.kind === 'tcp' && listens(() => this.#pids(), this.#inner.port);
  }

  async usage(): Promise<Usage | undefined> {
    if (this.#cgroup !== undefined) {
      const usage = await this.#cgroup.usage();
      if (!usage.estimated) return usage;
      return { ...usage, memory: (await usageOf(await this.#cgroup.pids())).memory };
    }
    const pids = await this.#pids();
    return { ...(await usageOf(pids)), pids: pids.length, estimated: true };
  }

  async end(): Promise<void> {
    const { clock, cgroups } = this.#options;
    this.#program.signal('SIGTERM');
    const enough = new AbortController();
    await Promise.race([this.#program.exited, clock.sleep(PATIENCE, enough.signal)]);
    enough.abort();
    this.#program.signal('SIGKILL');
    await cgroups?.remove(this.#id);
    // All processes of this machine have to be looked at.
    if (cgroups === undefined || this.#options.confines !== true) await killMarked(this.#options, this.#id);
    await this.#socket?.close();
    this.#gone();
  }

  #pids(): Promise<readonly number[]> {
    return this.#cgroup === undefined ? this.#options.marks.of(this.#id) : this.#cgroup.pids();
  }
}

/** Kills what carries the mark of a session until there is nothing left, even what has left its group. Throws when something stays. */
async function killMarked({ marks, clock }: Parts, id: string): Promise<void> {
  const until = clock.now() + GONE_AFTER;
  for (;;) {
    const pids = await marks.of(id);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    if (clock.now() >= until) throw Object.assign(new Error(`processes of session ${id} do not end`), { code: 'stuck' });
    await clock.sleep(0.01);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
