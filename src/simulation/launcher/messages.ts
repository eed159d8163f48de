/** Messages between the server and the launcher. */
import type { RunOptions, RunResult } from '../ports.ts';

export type LauncherRequest =
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly argv: readonly string[];
      readonly cwd: string;
      /** The whole environment. */
      readonly environment: Readonly<Record<string, string>>;
      /** Files that the launcher writes 0 into to join a cgroup. */
      readonly joins: readonly string[];
      /** The same to go back. */
      readonly home: readonly string[];
      /** Files that kill all processes of a cgroup when 1 is written into them. */
      readonly kills: readonly string[];
    }
  | { readonly kind: 'signal'; readonly id: number; readonly name: 'SIGTERM' | 'SIGKILL' }
  /** A program is run to its end. */
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly argv: readonly string[];
      readonly options: Omit<RunOptions, 'signal'>;
    }
  /** Its result is no longer needed. */
  | { readonly kind: 'abort'; readonly id: number };

export type LauncherReport =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'ran'; readonly id: number; readonly result: RunResult }
  | { readonly kind: 'line'; readonly id: number; readonly line: string }
  | { readonly kind: 'ended'; readonly id: number; readonly status: number | string };
