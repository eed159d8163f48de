/** What the engine of the simulation server needs from outside. Types only; each is implemented by the adapters of one folder. */
import type { BuildStep, Recipe } from '../core/simulation/build-recipe.ts';
import type {
  InnerAddress,
  LaunchPlace,
  LaunchPlan,
  PlanResult,
  ProjectFacts,
  SimulatorWord,
  Strength,
} from '../core/simulation/launch-plan.ts';
import type { RunnableProject } from '../core/simulation/project-address.ts';
import type { Ending, SimulatorExit } from '../core/simulation/session-life.ts';

/** Where projects come from. */
export interface ProjectSource {
  /**
   * The files of a project at one commit. An outcome that concerns the project or its host is a value. When `signal` is aborted the result is not waited
   * for; what is fetched goes on as long as another session waits for it.
   */
  checkout(project: RunnableProject, signal: AbortSignal): Promise<CheckoutResult>;
}

export type CheckoutResult =
  { readonly kind: 'checkout'; readonly checkout: Checkout } | { readonly kind: 'refused'; readonly ending: Ending };

/** Read-only files that several sessions share. They stay on the disk until they were released as often as they were handed out. */
export interface Checkout {
  /** Absolute path of the project's folder. */
  readonly folder: string;
  /** Forty hexadecimal digits. */
  readonly commit: string;
  /** The host of the project did not answer, and this is what it had before. */
  readonly stale: boolean;
  readonly facts: ProjectFacts;
  /** Paths of symbolic links, below the folder. */
  readonly links: ReadonlySet<string>;
  /** The text of `webots.yml` or `webots.yaml`, at most 64 kB. */
  readonly webotsYaml?: string;
  /** What it can be built by. */
  readonly recipes: readonly Recipe[];
  /** The content of a regular file of the commit, such as `controllers/arm/arm.py`; `undefined` when there is none or it is larger than `limit` bytes. */
  readFile(path: string, limit: number): Promise<Uint8Array | undefined>;
  release(): void;
}

/** A session's own, writable view of a checkout. */
export interface Workspace {
  /** Absolute path of the project's folder. */
  readonly folder: string;
  /** Bytes written; `undefined` where they are not counted. */
  usage(): Promise<number | undefined>;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Everything that takes long before a session can start: images, and what is built of a project. */
export interface Preparation {
  prepare(request: PrepareRequest): Promise<Prepared>;
}

export interface PrepareRequest {
  readonly project: RunnableProject;
  readonly checkout: Checkout;
  readonly mode: LaunchPlace['mode'];
  /** A sentence for the client. */
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export type Prepared =
  /** The files that the session gets a view of, and the image if it is not that of the plan. */
  | { readonly kind: 'ready'; readonly folder: string; readonly image?: string }
  | { readonly kind: 'refused'; readonly ending: Ending };

export interface Workspaces {
  readonly name: 'overlay' | 'copy';
  /** `id` names the session. When the signal is aborted it stops early and throws; `remove` cleans up. */
  open(id: string, checkout: Pick<Checkout, 'folder'>, signal: AbortSignal): Promise<Workspace>;
  /** Replaces a regular file of a workspace; never through a link. `false`: there is none at this path. */
  write(workspace: Workspace, path: string, content: Uint8Array): Promise<boolean>;
  /** Ids of sessions of which something is on the disk. */
  list(): Promise<readonly string[]>;
  remove(id: string): Promise<void>;
  /** When the server ends: removes what belongs to no session. */
  close(): Promise<void>;
}

/** A simulator: what to run, and what its output means. Pure. */
export interface Simulator {
  readonly name: string;
  /** Whether it runs files of the project; one that does not is free of the rules about repositories, and fetches nothing. */
  readonly usesProject: boolean;
  plan(facts: ProjectFacts, place: LaunchPlace): PlanResult;
  word(line: string): SimulatorWord | undefined;
}

/** Seconds, bytes and counts; `undefined` limits are not enforced. */
export interface ResourceLimits {
  /** Processors, such as 1.5. */
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly pids: number;
}

/** What one means of isolation does here, for people. */
export interface IsolationFacts {
  readonly name: string;
  readonly strength: Strength;
  readonly limits: 'all' | 'some' | 'none';
  readonly network: 'none' | 'unfiltered';
  /** Sentences about what it does not do on this machine. */
  readonly notes: readonly string[];
}

export interface StartOptions {
  readonly id: string;
  readonly plan: (place: LaunchPlace) => PlanResult;
  readonly workspace: Workspace;
  readonly mode?: LaunchPlace['mode'];
  readonly limits: ResourceLimits;
  readonly line: (line: string) => void;
  readonly signal: AbortSignal;
  /** In place of the image of the plan. */
  readonly image?: string;
}

export interface BuildOptions {
  /** Names what is made meanwhile, as the id of a session does. */
  readonly id: string;
  /** The project, with its `Dockerfile`. */
  readonly folder: string;
  /** Of the image. */
  readonly name: string;
  /** The image of the simulator, as the argument `WEBOTS_DEFAULT_IMAGE`. */
  readonly base: string;
  /** The argument `MAKE`: there is a `Makefile`. */
  readonly make: boolean;
  /** Where the project as it is in the image is written; must not exist. */
  readonly target: string;
  /** Seconds. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  readonly step: (step: BuildStep) => void;
}

/** Images that are built of projects, each by a name of ours. */
export interface ImageBuilder {
  /** The last lines of what was printed when it fails. */
  build(options: BuildOptions): Promise<string | undefined>;
  has(name: string): Promise<boolean>;
  /** Names of those that this server built. */
  list(): Promise<readonly string[]>;
  /** `false`: it is in use. */
  remove(name: string): Promise<boolean>;
}

export type PrepareOptions = Pick<StartOptions, 'plan' | 'mode' | 'signal'>;

export interface Isolation {
  readonly facts: IsolationFacts;
  /** Whether simulators run from an image. */
  readonly container: boolean;
  /** What may take minutes before a start, such as pulling an image; the reason when it cannot be done. Absent: nothing does. */
  prepare?(options: PrepareOptions): Promise<Ending | undefined>;
  start(options: StartOptions): Promise<StartResult>;
  /** Absent: simulators run without images. */
  readonly images?: ImageBuilder;
  /** Ids of sessions of which something runs. */
  list(): Promise<readonly string[]>;
  /** Ends whatever of a session runs; resolves when it is gone. */
  remove(id: string): Promise<void>;
}

export type StartResult =
  { readonly kind: 'running'; readonly running: Running } | { readonly kind: 'refused'; readonly ending: Ending };

export interface Running {
  readonly plan: LaunchPlan;
  readonly inner: InnerAddress;
  /** Program and arguments as they were started, for the log. */
  readonly command: readonly string[];
  readonly pid: number;
  readonly exited: Promise<SimulatorExit>;
  /** A process of this session, and none of another, listens on the inner address. */
  isListening(): Promise<boolean>;
  /** What it uses; `undefined` when that is not known. */
  usage(): Promise<Usage | undefined>;
  /** Asks it to end, then kills it. Resolves when nothing of it is left; rejects when something stays. */
  end(): Promise<void>;
}

export interface Usage {
  /** Seconds of processor time since the start. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  readonly pids: number;
  /** Not measured, but summed up over processes that were found. */
  readonly estimated: boolean;
}

/** Groups of processes that the kernel limits, measures and kills as one. */
export interface Cgroups {
  /** `all`: processor, memory and processes are limited. */
  readonly limits: 'all' | 'some' | 'none';
  /** Throws when it cannot be made. */
  create(id: string, limits: ResourceLimits): Cgroup;
  list(): Promise<readonly string[]>;
  /** Kills all processes of a group and removes it. Rejects when some stay. */
  remove(id: string): Promise<void>;
}

export interface Cgroup {
  /** Files that a process writes 0 into to join. */
  readonly joins: readonly string[];
  pids(): Promise<readonly number[]>;
  usage(): Promise<Usage>;
  /** The limit of memory was hit and a process killed. */
  outOfMemory(): Promise<boolean>;
}

/** The one place that starts programs: lists of arguments, no shell, an environment from a list, a process group of its own. */
export interface Launcher {
  /** Runs a program to its end and returns what it wrote, within limits. Throws an `Error` with a stable `code` when it cannot be started. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program that lives on. It ends with this server at the latest. */
  start(argv: readonly string[], options: LaunchOptions): Promise<Program>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds until it is killed; 30 by default. */
  readonly deadline?: number;
  /** Bytes of its output; it is killed when it writes more. 1 MB by default. */
  readonly maxOutput?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Exit status, or the name of the signal. */
  readonly status: number | string;
  readonly stdout: Uint8Array;
  /** The last 4 kB of it. */
  readonly stderr: string;
  /** Why it was killed. */
  readonly killed?: 'deadline' | 'output' | 'aborted';
}

export interface LaunchOptions {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Cgroups it is in before its first instruction. */
  readonly joins: readonly string[];
  /** Each line of its output: at most 64 kB long, and 1 MB and 1000 lines a second of each of its two streams. */
  readonly line: (line: string) => void;
}

export interface Program {
  readonly pid: number;
  readonly exited: Promise<number | string>;
  /** To its process group. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** Ports of sessions. */
export interface StreamPorts {
  /** Listens on the lowest free port; `undefined` when there is none. */
  hold(): Promise<StreamPort | undefined>;
}

export interface StreamPort {
  readonly port: number;
  /** Relays connections from now on. */
  open(inner: InnerAddress, deny: (path: string) => boolean): void;
  /** Connections to the stream. */
  watchers(): number;
  /** Bytes relayed in both directions since the start. */
  bytes(): number;
  /** Ends the connections and takes no more. */
  closeStreams(): void;
  /** The port is free for others. */
  close(): Promise<void>;
}

export interface Disk {
  /** Bytes free for this user on the disk of a folder. */
  free(folder: string): Promise<number>;
}
