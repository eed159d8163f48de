/**
 * `session-server setup`: from a few answers to a configuration file and a systemd unit; `session-server setup apache` and the like: the site of a web
 * server that serves port 443, from a configuration. Each file is shown before it is written.
 */
import { resolve } from 'node:path';
import { readInstalled, REFUSED } from '../commands/configuration.ts';
import { formatProblem } from '../config/problem.ts';
import { contradictions } from '../config/schema.ts';
import { validate } from '../config/validate.ts';
import { packageRoot } from '../system/package-root.ts';
import { certificateHook } from './setup/certificate-hook.ts';
import { configurationFile, type Answers } from './setup/configuration-file.ts';
import { showFile, writeFiles, type PlannedFile } from './setup/files.ts';
import { nextSteps } from './setup/next-steps.ts';
import { askAtTerminal } from './setup/prompt.ts';
import { BACK, createInterview, type Ask } from './setup/interview.ts';
import { askForAnswers, readRoutes, type SetupFlags } from './setup/questions.ts';
import { reverseProxyOf } from './setup/reverse-proxy.ts';
import { certificateSteps, enableStep, SITES, stepLines, type WebServerName } from './setup/sites.ts';
import { systemdUnit } from './setup/systemd-unit.ts';

export interface WriteFlags {
  /** Replaces files that are different. */
  readonly force?: boolean;
  /** Shows the files and writes none. */
  readonly dryRun?: boolean;
  /** With `dryRun`: the files as JSON. */
  readonly json?: boolean;
}

export interface SetupOptions extends SetupFlags, WriteFlags {
  /** Asks nothing. */
  readonly yes?: boolean;
  readonly config: string;
  readonly unit: string;
  readonly hook: string;
}

export interface SiteOptions extends WriteFlags {
  readonly route?: readonly string[];
  /** Path of the site. */
  readonly output?: string;
}

const FAILED = 1;
/** The status that a shell gives to a program that Ctrl-C ended. */
const INTERRUPTED = 130;

export async function setupCommand(options: SetupOptions): Promise<void> {
  if (isWrongJson(options)) return;
  const silent = options.yes === true || options.json === true || !process.stdin.isTTY;
  const prompt = silent ? undefined : askAtTerminal(process.stdin, process.stdout);
  const interview = createInterview(prompt?.ask);
  if (!silent) console.log(`Type "${BACK}" to return to the previous question.`);
  try {
    for (;;) {
      const asked = await interview.hold((ask) => askForAnswers(options, ask));
      if (asked.kind === 'refused') {
        refuse(asked.reason);
        return;
      }
      if (await writeInstallation(asked.answers, options, prompt?.ask)) return;
      interview.goBack();
    }
  } catch (error) {
    if (prompt?.left === undefined) throw error;
    // All questions come before the first file.
    console.error('\nnothing was written');
    process.exitCode = prompt.left === 'interrupted' ? INTERRUPTED : FAILED;
  } finally {
    prompt?.close();
  }
}

/** `false`: the operator wants to change an answer. */
async function writeInstallation(answers: Answers, options: SetupOptions, ask: Ask): Promise<boolean> {
  const paths = { configuration: resolve(options.config), unit: resolve(options.unit), hook: resolve(options.hook) };
  const presented = await present(filesOf(answers, paths), options, ask);
  if (presented === 'back') return false;
  if (presented === 'refused') return true;
  for (const warning of [...doubts(answers), ...invisible(process.execPath)]) console.error(`warning: ${warning}`);
  if (options.json !== true) console.log(`\n${nextSteps(answers, paths)}`);
  return true;
}

/** `session-server setup apache|nginx|caddy CONFIG`. */
export async function setupSiteCommand(name: WebServerName, file: string | undefined, options: SiteOptions): Promise<void> {
  if (isWrongJson(options)) return;
  const loaded = await readInstalled(file);
  if (loaded === undefined) return;
  if (options.json !== true) console.log(`From ${loaded.path}:`);
  const routes = readRoutes(options.route ?? []);
  const result = routes.kind === 'refused' ? routes : reverseProxyOf(loaded.settings, routes.routes);
  if (result.kind === 'refused') {
    refuse(result.reason);
    return;
  }
  const { path, text } = SITES[name];
  const { server, tls } = result.reverseProxy;
  const site = { path: resolve(options.output ?? path), text: text(result.reverseProxy), mode: 0o644 };
  if ((await present([site], options, undefined)) !== 'done' || options.json === true) return;
  const certificate = tls === undefined || tls.own ? [] : certificateSteps(name, server);
  console.log(['\nThen, as root:', '', ...stepLines([...certificate, enableStep(name)]), ''].join('\n'));
}

function filesOf(
  answers: Answers,
  paths: { readonly configuration: string; readonly unit: string; readonly hook: string },
): PlannedFile[] {
  const hasGateway = answers.reverseProxy === 'gateway';
  const program = resolve(packageRoot, 'bin', 'session-server.mjs');
  const unit = systemdUnit({
    ...{ node: process.execPath, program, configuration: paths.configuration },
    lowPorts: hasGateway || answers.port < 1024,
  });
  return [
    // It can hold a token, and a password later.
    { path: paths.configuration, text: configurationFile(answers), mode: 0o640 },
    { path: paths.unit, text: unit, mode: 0o644 },
    ...(hasGateway ? [{ path: paths.hook, text: certificateHook(), mode: 0o755 }] : []),
  ];
}

/** Shows the files and writes them. `refused`: they were not written, and the operator knows why. */
export async function present(
  files: readonly PlannedFile[],
  { force = false, dryRun, json }: WriteFlags,
  ask: Ask,
): Promise<'done' | 'refused' | 'back'> {
  if (json === true) {
    const shown = files.map(({ mode, ...file }) => ({ ...file, mode: mode.toString(8).padStart(4, '0') }));
    console.log(JSON.stringify({ files: shown }, undefined, 2));
  } else for (const file of files) console.log(showFile(file));
  if (dryRun === true) return 'done';
  const answer = (await ask?.('Write these files? yes or no', 'yes'))?.trim().toLowerCase() ?? 'yes';
  if (answer === BACK) return 'back';
  if (!answer.startsWith('y')) {
    console.error('nothing was written');
    process.exitCode = FAILED;
    return 'refused';
  }
  return (await write(files, force)) ? 'done' : 'refused';
}

async function write(files: readonly PlannedFile[], force: boolean): Promise<boolean> {
  try {
    const result = await writeFiles(files, { force });
    if (result.kind === 'refused') refuse(result.reason);
    else for (const line of result.lines) console.log(line);
    return result.kind === 'written';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`error: ${reason}; run it with sudo, or name other paths (session-server setup --help)`);
    process.exitCode = FAILED;
    return false;
  }
}

/** What `check` will say about the configuration: answers that are right one by one may not fit together. */
function doubts(answers: Answers): string[] {
  const { sound, warnings } = validate(JSON.parse(configurationFile(answers)));
  return [...warnings, ...contradictions(sound, false, process.env)].map(formatProblem);
}

/** What keeps the unit from starting. */
function invisible(node: string): string[] {
  return [node, packageRoot]
    .filter((path) => /^\/(?:home|root|tmp)\//.test(path))
    .map(
      (path) =>
        `${path} is not visible to the unit (ProtectHome, PrivateTmp); install Node for all users, and this program below /opt or with "npm install --global"`,
    );
}

function isWrongJson({ json, dryRun }: WriteFlags): boolean {
  const isWrong = json === true && dryRun !== true;
  if (isWrong) refuse('--json needs --dry-run');
  return isWrong;
}

function refuse(reason: string): void {
  console.error(`error: ${reason}`);
  process.exitCode = REFUSED;
}
