/** What is to be run for a session, as data: a simulator makes a plan, an isolation carries it out. Pure. */
import type { Ending } from './session-life.ts';

export const STREAM_MODES = ['x3d', 'w3d', 'mjpeg'] as const;
/** How the simulator streams. Absent wherever a client did not choose. */
export type StreamMode = (typeof STREAM_MODES)[number];

/** Where the simulator listens, for this server alone. */
export type InnerAddress =
  { readonly kind: 'tcp'; readonly host: string; readonly port: number } | { readonly kind: 'unix'; readonly path: string };

/** `none`: not even a name service. `host`: that of the machine. */
export const NETWORKS = ['none', 'egress', 'host'] as const;
export type Network = (typeof NETWORKS)[number];

/** How well sessions are kept apart from the machine and from each other, from none to best. */
export const STRENGTHS = ['process', 'namespace', 'container'] as const;
export type Strength = (typeof STRENGTHS)[number];

/** What is known of a project before it runs. Read from its commit, never through a link in it. */
export interface ProjectFacts {
  /** Path of the world below the project's folder, such as `worlds/arm.wbt`. */
  readonly world: string;
  /** First line of the world, at most 200 characters of it. */
  readonly worldHeader: string;
}

/** Names and paths as the simulator sees them, inside its isolation. */
export interface LaunchPlace {
  /** Absolute path of the project's folder. */
  readonly project: string;
  /** TCP port that is free for the simulator. */
  readonly port: number;
  /** Path at which it may make a Unix socket. */
  readonly socket: string;
  readonly mode?: StreamMode;
  /** It runs in a container, from an image. */
  readonly container: boolean;
}

export interface LaunchPlan {
  /** Program and arguments. No shell ever sees them. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absent: a program of this machine. */
  readonly image?: string;
  readonly inner: 'tcp' | 'unix';
  /** `word`: the simulator says so. `address`: its address answers. */
  readonly loadedBy: 'word' | 'address';
  readonly network: Network;
  /** Folders of this machine that the program needs, to be read. */
  readonly folders: readonly string[];
  readonly display: boolean;
  readonly gpu: boolean;
}

export type PlanResult =
  { readonly kind: 'plan'; readonly plan: LaunchPlan } | { readonly kind: 'refused'; readonly ending: Ending };

/** What a line of a simulator's output says. `heartbeat` is `loaded` after the first time. */
export type SimulatorWord = 'loaded' | 'idle' | 'busy' | 'reset';
