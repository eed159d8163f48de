/** Reads the configuration file of a command, and reports what is wrong with it. */
import { findConfiguration, findInstalled } from '../config/find.ts';
import { loadConfiguration, type Loaded, type LoadResult } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { packageRoot } from '../system/package-root.ts';

/** Exit status of a rejected configuration and of a wrong command line: nothing was started (docs/design/protocol.md, "Configuration file"). */
export const REFUSED = 2;

/** The settings, or `undefined` after all problems were written to stderr and the exit status was set. */
export async function readConfiguration(file: string | undefined): Promise<Loaded | undefined> {
  return accepted(await loadConfiguration(findConfiguration(file, process.cwd(), packageRoot)));
}

/** The same for commands that maintain an installation. With `quiet` the caller reports the warnings of a configuration that is accepted. */
export async function readInstalled(file: string | undefined, { quiet = false } = {}): Promise<Loaded | undefined> {
  const found = findInstalled(file, process.cwd());
  if (found.kind === 'found') return accepted(await loadConfiguration(found.path), quiet);
  console.error(`error: ${found.reason}`);
  process.exitCode = REFUSED;
  return undefined;
}

function accepted(result: LoadResult, quiet = false): Loaded | undefined {
  if (!quiet || result.kind === 'refused') printProblems(result);
  if (result.kind === 'loaded') return result;
  process.exitCode = REFUSED;
  return undefined;
}

/** What the results of loading a configuration have in common, whichever program it is for. */
export type LoadProblems = { readonly warnings: readonly Problem[] } & (
  { readonly kind: 'loaded' } | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
);

/** To stderr, one line each. */
export function printProblems(result: LoadProblems): void {
  for (const warning of result.warnings) console.error(`warning: ${formatProblem(warning)}`);
  if (result.kind === 'refused') for (const problem of result.problems) console.error(`error: ${formatProblem(problem)}`);
}
