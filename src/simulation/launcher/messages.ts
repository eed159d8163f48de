/** Messages between the server and the launcher. */

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
  | { readonly kind: 'signal'; readonly id: number; readonly name: 'SIGTERM' | 'SIGKILL' };

export type LauncherReport =
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly kind: 'line'; readonly id: number; readonly line: string }
  | { readonly kind: 'ended'; readonly id: number; readonly status: number | string };
