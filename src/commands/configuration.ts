/** Reads the configuration file that a command was given, and says what is wrong with it. */
import { findConfiguration, findInstalled, type Found } from '../config/find.ts';
import { loadConfiguration, type Loaded } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { packageRoot } from '../system/package-root.ts';

/** docs/design/protocol.md, "Configuration file": nothing was started. */
export const REFUSED = 2;

export interface ReadOptions {
  /** `returned`: whoever asks tells them. */
  readonly warnings: 'said' | 'returned';
}

/** The settings, or `undefined` after all problems were written to stderr and the exit status was set. */
export function readConfiguration(args: readonly string[]): Promise<Loaded | undefined> {
  return read(findConfiguration(args, process.cwd(), packageRoot));
}

/** The same for commands that look after an installation. */
export function readInstalled(args: readonly string[], options?: ReadOptions): Promise<Loaded | undefined> {
  return read(findInstalled(args, process.cwd()), options);
}

async function read(found: Found, { warnings }: ReadOptions = { warnings: 'said' }): Promise<Loaded | undefined> {
  if (found.kind === 'refused') {
    refuse(found.problems);
    return undefined;
  }
  const result = await loadConfiguration(found.path);
  if (warnings === 'said' || result.kind === 'refused') sayWarnings(result.warnings);
  if (result.kind === 'loaded') return result;
  refuse(result.problems);
  return undefined;
}

function sayWarnings(warnings: readonly Problem[]): void {
  for (const warning of warnings) console.error(`warning: ${formatProblem(warning)}`);
}

function refuse(problems: readonly Problem[]): void {
  for (const problem of problems) console.error(`error: ${formatProblem(problem)}`);
  process.exitCode = REFUSED;
}
