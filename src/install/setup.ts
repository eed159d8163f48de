/**
 * `session-server setup`: from a few answers to a configuration file and a unit of systemd; `session-server setup apache` and the like: the site of a web server that
 * stays in front, from a configuration. Each file is shown before it is written.
 */
import { resolve } from 'node:path';
import { contradictions } from '../config/checks.ts';
import { formatProblem } from '../config/problem.ts';
import { validate } from '../config/validate.ts';
import { packageRoot } from '../system/package-root.ts';
import { readInstalled, REFUSED } from '../commands/configuration.ts';
import { certificateHook } from './setup/certificate-hook.ts';
import { configurationFile, type Answers } from './setup/configuration-file.ts';
import { showFile, writeFiles, type PlannedFile } from './setup/files.ts';
import { reverseProxyOf } from './setup/reverse-proxy.ts';
import { nextSteps } from './setup/next-steps.ts';
import { askAtTerminal } from './setup/prompt.ts';
import { askForAnswers, readRoutes, type Ask, type SetupFlags } from './setup/questions.ts';
import { certificateSteps, enableStep, SITES, stepLines, type WebServerName } from './setup/sites.ts';
import { systemdUnit } from './setup/systemd-unit.ts';

export interface WriteFlags {
  /** Replaces files that are different. */
  readonly force?: boolean;
  /** Shows the files and writes none. */
  readonly dryRun?: boolean;
}

export interface SetupOptions extends SetupFlags, WriteFlags {
  /** Asks nothing. */
  readonly yes?: boolean;
  readonly config: string;
  readonly unit: string;
  readonly hook: string;
}

export interface FrontOptions extends WriteFlags {
  readonly route?: readonly string[];
  /** Path of the site. */
  readonly output?: string;
}

const FAILED = 1;
/** As a shell says it of a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export async function setupCommand(options: SetupOptions): Promise<void> {
  const person = options.yes === true || !process.stdin.isTTY ? undefined : askAtTerminal(process.stdin, process.stdout);
  try {
    const asked = await askForAnswers(options, person?.ask);
    if (asked.kind === 'refused') {
      refuse(asked.reason);
      return;
    }
    const { answers } = asked;
    const paths = { configuration: resolve(options.config), unit: resolve(options.unit), hook: resolve(options.hook) };
    if (!(await present(filesOf(answers, paths), options, person?.ask))) return;
    for (const warning of [...doubts(answers), ...warnings(process.execPath)]) console.error(`warning: ${warning}`);
    console.log(`\n${nextSteps(answers, paths)}`);
  } catch (error) {
    if (person?.left === undefined) throw error;
    // All questions come before the first file.
    console.error('\nnothing was written');
    process.exitCode = person.left === 'interrupted' ? INTERRUPTED : FAILED;
  } finally {
    person?.close();
  }
}

/** `session-server setup apache|nginx|caddy CONFIG`. */
export async function setupFrontCommand(name: WebServerName, args: readonly string[], options: FrontOptions): Promise<void> {
  const loaded = await readInstalled(args);
  if (loaded === undefined) return;
  console.log(`From ${loaded.path}:`);
  const routes = readRoutes(options.route ?? []);
  if (routes.kind === 'refused') {
    refuse(routes.reason);
    return;
  }
  const result = reverseProxyOf(loaded.settings, routes.routes);
  if (result.kind === 'refused') {
    refuse(result.reason);
    return;
  }
  const { path, text } = SITES[name];
  const { server, tls } = result.front;
  const file = { path: resolve(options.output ?? path), text: text(result.front), mode: 0o644 };
  if (!(await present([file], options, undefined))) return;
  const certificate = tls === undefined || tls.own ? [] : certificateSteps(name, server);
  console.log(['\nThen, as root:', '', ...stepLines([...certificate, enableStep(name)]), ''].join('\n'));
}

function filesOf(
  answers: Answers,
  paths: { readonly configuration: string; readonly unit: string; readonly hook: string },
): PlannedFile[] {
  const lowPorts = answers.front === 'gateway' || answers.port < 1024;
  const program = resolve(packageRoot, 'bin', 'session-server.mjs');
  const unit = systemdUnit({ node: process.execPath, program, configuration: paths.configuration, lowPorts });
  return [
    // It can hold a token, and a password later.
    { path: paths.configuration, text: configurationFile(answers), mode: 0o640 },
    { path: paths.unit, text: unit, mode: 0o644 },
    ...(answers.front === 'gateway' ? [{ path: paths.hook, text: certificateHook(), mode: 0o755 }] : []),
  ];
}

/** Shows the files and writes them. `false`: they were not written, and the person knows why. */
async function present(files: readonly PlannedFile[], { force = false, dryRun = false }: WriteFlags, ask: Ask): Promise<boolean> {
  for (const file of files) console.log(showFile(file));
  if (dryRun) return true;
  if (ask !== undefined && !/^y/i.test(await ask('Write these files? yes or no', 'yes'))) {
    console.error('nothing was written');
    process.exitCode = FAILED;
    return false;
  }
  try {
    const result = await writeFiles(files, { force });
    if (result.kind === 'refused') {
      refuse(result.reason);
      return false;
    }
    for (const line of result.lines) console.log(line);
    return true;
  } catch (error) {
    console.error(
      `error: ${error instanceof Error ? error.message : String(error)}; run it with sudo, or name other paths (session-server setup --help)`,
    );
    process.exitCode = FAILED;
    return false;
  }
}

/** What `check` will say of the configuration: answers that are right one by one need not fit each other, such as an address behind a front and no front. */
function doubts(answers: Answers): string[] {
  const { sound, warnings } = validate(JSON.parse(configurationFile(answers)));
  return [...warnings, ...contradictions(sound, false, process.env)].map(formatProblem);
}

/** What keeps the unit from starting. */
function warnings(node: string): string[] {
  return [node, packageRoot]
    .filter((path) => /^\/(?:home|root|tmp)\//.test(path))
    .map(
      (path) =>
        `${path} is not visible to the unit (ProtectHome, PrivateTmp); install Node for all users, and this program below /opt or with "npm install --global"`,
    );
}

function refuse(reason: string): void {
  console.error(`error: ${reason}`);
  process.exitCode = REFUSED;
}
