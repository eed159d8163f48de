/**
 * Containers by docker or podman: the command line of the engine, attached, so that the output of the simulator is read and its end is seen. A container that
 * outlives this server is found by its label.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../ports.ts';
import {
  containerName,
  idOfContainer,
  IN_CONTAINER,
  listArguments,
  outOfMemoryArguments,
  pidArguments,
  removeArguments,
  runArguments,
  type EngineName,
} from '../../core/simulation/engine-arguments.ts';
import type { InnerAddress, LaunchPlace, LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { Ending } from '../../core/simulation/session-life.ts';
import { doorArguments } from '../launcher/door.ts';
import { SingleFlight } from '../single-flight.ts';
import type {
  ImageBuilder,
  Isolation,
  IsolationFacts,
  Launcher,
  PrepareOptions,
  Program,
  Running,
  StartOptions,
  StartResult,
  Usage,
} from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import type { Tried } from './tried.ts';
import { ANSWER, engineEnvironment } from './engine-command.ts';
import { EngineImages } from './engine-images.ts';
import { InnerPorts } from './inner-ports.ts';
import { InnerSocket } from './inner-socket.ts';
import { listensInNamespace, MARK, Marks, usageOf } from './processes.ts';

export interface ContainerIsolationOptions {
  readonly engine: EngineName;
  readonly instance: string;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly settings: () => SimulationSettings;
  readonly network: () => LaunchPlan['network'];
}

/** Seconds for which a registry that does not have an image is not asked for it again. */
const REMEMBERED = 60;
/** Seconds between two checks whether a container runs. */
const LOOK = 0.05;

export async function tryContainers(options: ContainerIsolationOptions): Promise<Tried> {
  const { engine, launcher } = options;
  try {
    const { status, stderr } = await launcher.run([engine, 'info', '--format', 'json'], {
      deadline: ANSWER,
      environment: engineEnvironment(),
    });
    if (status !== 0) return { kind: 'not', reason: stderr.trim().split('\n').at(-1) ?? 'it does not answer' };
  } catch (error) {
    return { kind: 'not', reason: error instanceof Error ? error.message : String(error) };
  }
  return { kind: 'works', isolation: new Containers(options) };
}

class Containers implements Isolation {
  readonly container = true;
  readonly marks: Marks;
  readonly images: ImageBuilder;
  readonly #options: ContainerIsolationOptions;
  readonly #ports = new InnerPorts();
  readonly #pulls = new SingleFlight<Ending | undefined>();
  /** Until when an image is not asked for again. */
  readonly #missing = new Map<string, number>();
  readonly #runtime: string | undefined;

  constructor(options: ContainerIsolationOptions) {
    this.#options = options;
    this.marks = new Marks(options.instance);
    this.#runtime = options.settings().container.runtime ?? runtimeFor(options.engine);
    this.images = new EngineImages({
      ...{ ...options, runtime: this.#runtime, project: () => this.#project() },
      removeContainer: (id) => this.remove(id),
    });
  }

  get facts(): IsolationFacts {
    const { engine, network } = this.#options;
    const isFiltered = network() === 'none' && canEnter();
    return {
      ...{ name: engine, strength: 'container', limits: 'all', network: isFiltered ? 'none' : 'unfiltered' },
      notes: isFiltered ? [] : ['A simulation reaches the Internet and the network around this machine.'],
    };
  }

  /** The image is on this machine. */
  async prepare({ plan: planFor, mode, signal }: PrepareOptions): Promise<Ending | undefined> {
    const result = planFor(placeOf(this.#project(), mode));
    if (result.kind === 'refused') return result.ending;
    const { image } = result.plan;
    if (image === undefined) return noImage;
    return this.#pulls.join(image, signal, (inner) => this.#have(image, inner));
  }

  async start({ id, plan: planFor, mode, workspace, line, signal, image }: StartOptions): Promise<StartResult> {
    const { engine, instance, launcher, clock } = this.#options;
    const result = planFor(placeOf(this.#project(), mode));
    if (result.kind === 'refused') return result;
    const plan = { ...result.plan, ...(image !== undefined && { image }) };
    const session = join(dirname(workspace.folder), 'session');
    await mkdir(session, { recursive: true });
    const hasDoor = plan.inner === 'tcp' && plan.network === 'none' && canEnter();
    const port = plan.inner === 'tcp' && !hasDoor ? await this.#ports.take() : undefined;
    const gone = () => {
      if (port !== undefined) this.#ports.giveBack(port);
    };
    try {
      const argv = this.#arguments(plan, id, workspace.folder, session, port);
      signal.throwIfAborted();
      const program = await launcher.start(argv, { ...{ cwd: '/', joins: [], line }, environment: engineEnvironment() });
      const pid = await pidOf(program, () => this.#ask(pidArguments(engine, containerName(instance, id))), clock, signal);
      const door = hasDoor && pid !== undefined ? await this.#openDoor(pid, session, line) : undefined;
      const inner: InnerAddress =
        port === undefined ? { kind: 'unix', path: join(session, 's') } : { kind: 'tcp', host: '127.0.0.1', port };
      return {
        kind: 'running',
        running: new RunningContainer(this, { id, plan, inner, argv, program, pid, door, gone }),
      };
    } catch (error) {
      await this.remove(id);
      gone();
      throw error;
    }
  }

  async list(): Promise<readonly string[]> {
    const { engine, instance, launcher } = this.#options;
    const { status, stdout, stderr } = await launcher.run(listArguments(engine, instance), {
      deadline: ANSWER,
      environment: engineEnvironment(),
    });
    if (status !== 0) throw Object.assign(new Error(`${engine}: ${stderr.trim()}`), { code: 'engine' });
    const names = Buffer.from(stdout).toString('utf8').split('\n');
    return names.flatMap((name) => idOfContainer(instance, name.trim()) ?? []);
  }

  async remove(id: string): Promise<void> {
    const { engine, instance, launcher } = this.#options;
    await launcher.run(removeArguments(engine, containerName(instance, id)), {
      deadline: ANSWER,
      environment: engineEnvironment(),
    });
    if ((await this.list()).includes(id))
      throw Object.assign(new Error(`the container of session ${id} does not end`), { code: 'stuck' });
  }

  #project(): string {
    return this.#options.settings().projectsDir ?? IN_CONTAINER.project;
  }

  #arguments(plan: LaunchPlan, id: string, workspace: string, session: string, publish: number | undefined): readonly string[] {
    const { engine, instance, settings } = this.#options;
    const { limits, display } = settings();
    const displayFolder = '/tmp/.X11-unix';
    return runArguments({
      ...{ engine, instance, id, plan, workspace, session, limits, image: plan.image ?? '', project: this.#project() },
      ...{
        ulimits: hardLimits(),
        nvidia: existsSync('/dev/nvidiactl'),
        devices: ['/dev/dri'].filter((path) => existsSync(path)),
      },
      environment: { ...plan.environment, ...(plan.display && { DISPLAY: display }), [MARK]: `${instance}/${id}` },
      ...(this.#runtime !== undefined && { runtime: this.#runtime }),
      ...(publish !== undefined && { publish }),
      ...(plan.display && existsSync(displayFolder) && { displayFolder }),
    });
  }

  /** Into the network of a container, which has nothing but itself. */
  #openDoor(pid: number, session: string, line: (line: string) => void): Promise<Program> {
    const { argv } = doorArguments(join(session, 's'), IN_CONTAINER.port);
    return this.#options.launcher.start(['nsenter', `--net=/proc/${pid}/ns/net`, '--', ...argv], {
      ...{ cwd: '/', environment: {}, joins: [], line },
    });
  }

  async #have(image: string, signal: AbortSignal): Promise<Ending | undefined> {
    const { engine, launcher, settings, clock } = this.#options;
    const { container, limits } = settings();
    const known = await launcher.run([engine, 'image', 'inspect', '--format', '{{.Id}}', image], {
      deadline: ANSWER,
      environment: engineEnvironment(),
      signal,
    });
    if (known.status === 0) return undefined;
    const now = clock.now();
    for (const [name, until] of this.#missing) if (until <= now) this.#missing.delete(name);
    if (container.pull === 'never' || this.#missing.has(image)) return missing(image);
    const pulled = await launcher.run([engine, 'pull', '--quiet', image], {
      ...{ deadline: limits.prepareTimeout, environment: engineEnvironment(), signal },
    });
    if (pulled.status === 0) return undefined;
    if (!signal.aborted) this.#missing.set(image, clock.now() + REMEMBERED);
    return missing(image);
  }

  async #ask(argv: readonly string[]): Promise<string> {
    const { status, stdout } = await this.#options.launcher.run(argv, { deadline: ANSWER, environment: engineEnvironment() });
    return status === 0 ? Buffer.from(stdout).toString('utf8').trim() : '';
  }

  async outOfMemory(id: string): Promise<boolean> {
    const { engine, instance } = this.#options;
    return (await this.#ask(outOfMemoryArguments(engine, containerName(instance, id)))) === 'true';
  }
}

interface Parts {
  readonly id: string;
  readonly plan: LaunchPlan;
  readonly inner: InnerAddress;
  readonly argv: readonly string[];
  readonly program: Program;
  /** Of the first process in the container; `undefined` when it ended at once. */
  readonly pid: number | undefined;
  readonly door: Program | undefined;
  readonly gone: () => void;
}

class RunningContainer implements Running {
  readonly plan: LaunchPlan;
  readonly command: readonly string[];
  readonly pid: number;
  readonly exited: Running['exited'];
  readonly #socket: InnerSocket | undefined;
  readonly #containers: Containers;
  readonly #parts: Parts;

  constructor(containers: Containers, parts: Parts) {
    this.#containers = containers;
    this.#parts = parts;
    this.plan = parts.plan;
    this.#socket = parts.inner.kind === 'unix' ? new InnerSocket(parts.inner.path) : undefined;
    this.command = parts.argv;
    this.pid = parts.pid ?? parts.program.pid;
    this.exited = parts.program.exited.then(async (status) => ({ status, outOfMemory: await containers.outOfMemory(parts.id) }));
  }

  get inner(): InnerAddress {
    return this.#socket === undefined ? this.#parts.inner : { kind: 'unix', path: this.#socket.path };
  }

  isListening(): Promise<boolean> {
    const { pid } = this.#parts;
    if (this.#socket !== undefined) return this.#socket.isListening();
    return pid === undefined ? Promise.resolve(false) : listensInNamespace(pid, IN_CONTAINER.port);
  }

  async usage(): Promise<Usage | undefined> {
    const pids = await this.#containers.marks.of(this.#parts.id);
    return { ...(await usageOf(pids)), pids: pids.length, estimated: true };
  }

  async end(): Promise<void> {
    const { id, program, door, gone } = this.#parts;
    door?.signal('SIGKILL');
    await this.#containers.remove(id);
    program.signal('SIGKILL');
    await this.#socket?.close();
    gone();
  }
}

function placeOf(project: string, mode: LaunchPlace['mode']): LaunchPlace {
  return {
    ...{ project, port: IN_CONTAINER.port, socket: `${IN_CONTAINER.session}/s`, container: true },
    ...(mode !== undefined && { mode }),
  };
}

/** Waits until the container runs; `undefined` when its engine gave up. */
async function pidOf(
  program: Program,
  ask: () => Promise<string>,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const ending = new AbortController();
  void program.exited.then(() => {
    ending.abort();
  });
  for (;;) {
    signal.throwIfAborted();
    const pid = Number(await ask());
    if (pid > 0) return pid;
    if (ending.signal.aborted) return undefined;
    await clock.sleep(LOOK, signal);
  }
}

/** The network of a container can be entered by root alone. */
function canEnter(): boolean {
  return process.getuid?.() === 0;
}

/** The runtime that podman prefers refuses machines that have both versions of cgroups. */
function runtimeFor(engine: EngineName): string | undefined {
  if (engine === 'docker') return undefined;
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const isMixed = / - cgroup2 /.test(mounts) && / - cgroup /.test(mounts);
  return isMixed && ['/usr/bin/runc', '/usr/sbin/runc', '/usr/local/sbin/runc'].some((path) => existsSync(path))
    ? 'runc'
    : undefined;
}

/**
 * Most programs need no more, and a container may not exceed the limits of the caller everywhere. Podman was seen to lower its own limit of processes to 32768.
 */
function hardLimits(): { readonly nofile: number; readonly nproc: number } {
  const text = readFileSync('/proc/self/limits', 'utf8');
  const hard = (name: string, maximum: number) => {
    const value = new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(text)?.[1];
    return Math.min(maximum, value === undefined || value === 'unlimited' ? maximum : Number(value));
  };
  return { nofile: hard('Max open files', 65_536), nproc: hard('Max processes', 32_768) };
}

const noImage: Ending = { reason: 'prepare', code: 1013, text: 'This simulation server has no image for its simulator.' };

/** The original's text. */
function missing(image: string): Ending {
  const version = /:([A-Za-z0-9-]+)-ubuntu/.exec(image)?.[1] ?? image;
  const text = `Image version ${version} not available on Cyberbotics' dockerHub. Please, add the appropriate Dockerfile to your project.`;
  return { reason: 'prepare', code: 1013, text };
}
