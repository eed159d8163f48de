/** `session-server check`: what is wrong with a configuration file, or what it means. */
import { findConfiguration } from '../config/find.ts';
import { thisMachine } from '../config/environment.ts';
import { loadConfiguration, MAX_FILE_BYTES, parse, type LoadResult } from '../config/load.ts';
import { programOf } from '../config/program.ts';
import type { Settings } from '../config/settings.ts';
import { logPath, logsToStdout } from '../logging/log.ts';
import { packageRoot } from '../system/package-root.ts';
import { certificateProblems, printProblems, REFUSED } from './configuration.ts';

export interface CheckOptions {
  /** Warnings are errors. */
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** Exit status 0, or 2 with every problem on stderr. */
export async function checkCommand(file: string | undefined, { strict = false, json = false }: CheckOptions): Promise<void> {
  const path = findConfiguration(file, process.cwd(), packageRoot);
  if (file !== undefined && (await isOfSimulationServer(path))) {
    await checkSimulation(path, { strict, json });
    return;
  }
  const result = await withCertificates(await loadConfiguration(path));
  const accepted = result.kind === 'loaded' && !(strict && result.warnings.length > 0);
  if (json) console.log(JSON.stringify({ accepted, ...report(result) }, undefined, 2));
  else {
    printProblems(result);
    if (result.kind === 'loaded') console.log(summary(result.path, result.settings, result.warnings.length));
  }
  if (!accepted) process.exitCode = REFUSED;
}

/** Whether the file configures a simulation server; not one that cannot be read. */
export async function isOfSimulationServer(path: string): Promise<boolean> {
  const read = await thisMachine().readFile(path, MAX_FILE_BYTES);
  const parsed = read.kind === 'content' ? parse(path, read.bytes) : undefined;
  return parsed?.kind === 'value' && programOf(parsed.value) === 'simulation';
}

async function checkSimulation(file: string, { strict, json }: Required<CheckOptions>): Promise<void> {
  const { loadSimulationConfiguration } = await import('../simulation/settings/load.ts');
  const result = await loadSimulationConfiguration(file);
  const { path, warnings } = result;
  const accepted = result.kind === 'loaded' && !(strict && warnings.length > 0);
  const errors = result.kind === 'refused' ? result.problems : [];
  if (json) console.log(JSON.stringify({ accepted, path, errors, warnings }, undefined, 2));
  else {
    printProblems(result);
    if (result.kind === 'loaded') console.log(`${path}: a simulation server, ${number(warnings.length, 'warning')}, no errors`);
  }
  if (!accepted) process.exitCode = REFUSED;
}

async function withCertificates(result: LoadResult): Promise<LoadResult> {
  if (result.kind === 'refused') return result;
  return { ...result, warnings: [...result.warnings, ...(await certificateProblems(result.settings))] };
}

function report(result: LoadResult) {
  const { path, warnings } = result;
  if (result.kind === 'refused') return { path, errors: result.problems, warnings };
  return { path, errors: [], warnings, simulationServers: result.settings.simulationServers.length, ...meaning(result.settings) };
}

function summary(path: string, settings: Settings, warnings: number): string {
  const servers = settings.simulationServers.length;
  return [
    `${path}: ${number(servers, 'simulation server')}, ${number(warnings, 'warning')}, no errors`,
    ...Object.entries(meaning(settings)).map(([name, text]) => `  ${`${name}:`.padEnd(8)} ${text}`),
  ].join('\n');
}

function number(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What the keys do not show by themselves: defaults that are filled in, and relative paths. */
function meaning({ debug, logTo, logDir, stateDir, mail, handOutSsl, pollSsl }: Settings) {
  return {
    log: logsToStdout({ debug, logTo }) ? 'stdout' : logPath(logDir),
    state: stateDir,
    email: mail === undefined ? 'none' : `to ${mail.administrator}, sent by ${mail.server}:${mail.port}`,
    links: `${handOutSsl ? 'wss' : 'ws'} for clients, ${pollSsl ? 'https' : 'http'} for polling`,
  };
}
