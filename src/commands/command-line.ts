/** The sub-commands and their options. Each command is in a file of its own. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { INSTALLED } from '../config/find.ts';
import { nearest } from '../core/text/nearest.ts';
import type { DoctorOptions } from '../install/doctor.ts';
import type { ReplicasSetupOptions } from '../install/setup-replicas.ts';
import type { SimulationSetupOptions } from '../install/setup-simulation.ts';
import type { SetupOptions, SiteOptions } from '../install/setup.ts';
import { version } from '../system/version.ts';
import { checkCommand, type CheckOptions } from './check.ts';
import { completionCommand, SHELLS, type Shell } from './completion.ts';
import { REFUSED } from './configuration.ts';
import type { DemoOptions } from './demo.ts';
import { takeSignals } from './early-signals.ts';
import { TOKEN_VARIABLE } from './ask-running.ts';
import { forgetCostsCommand, type ForgetCostsOptions } from './forget-costs.ts';
import { rehearseCommand, type RehearseOptions } from './rehearse.ts';
import { schemaCommand } from './schema.ts';
import { agentCommand, startCommand } from './start.ts';
import { testNotificationCommand } from './test-notification.ts';
import { tokenCommand, type TokenOptions } from './token.ts';

/** Commands that run until a signal ends them, and take the signals themselves; a signal ends the others, as it ends most programs. */
const RUN_ON: ReadonlySet<string> = new Set(['start', 'agent', 'simulation', 'demo']);

/** Resolves when the command has been started, or has ended; the exit status is in `process.exitCode`. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  if (!hasWorkingDirectory()) {
    console.error('error: the current folder was removed — change to another one with "cd" and try again');
    process.exitCode = 1;
    return;
  }
  const program = createProgram();
  const mistake = unknownCommand(program, argv[2]);
  if (mistake !== undefined) program.error(mistake);
  await program.parseAsync([...argv]);
}

export function createProgram(): Command {
  const program = new Command('session-server')
    .description(
      'Entry point of a fleet of robot simulation servers: says whether a session can start, and hands each client the machine that suits it best.',
    )
    .version(version)
    .enablePositionalOptions()
    // A wrong command line has the same status everywhere; the commands in `addCommand` order inherit this.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : REFUSED))
    .hook('preAction', (_, command) => {
      if (!RUN_ON.has(command.name())) takeSignals({});
    });
  addServer(program);
  addDemo(program);
  addTools(program);
  addInstallation(program);
  program.addHelpText(
    'after',
    `
Exit status: 0 success, 1 failure, 2 rejected configuration or wrong command line. See "doctor --help" for its own.

Examples:
  session-server config/session/local.json   start, called like the original session server
  session-server check --strict my.json      check a configuration before a restart
  session-server agent --port 2000           report the load of a machine without a simulation server`,
  );
  return program;
}

function addServer(program: Command): void {
  program
    .command('start', { isDefault: true })
    .description('run the session server (default command)')
    .argument('[config]', 'configuration file; default: config/session/local.json here, or the one of the package')
    .option('--agent [port]', 'also run a load agent that reports the load of this machine; default port: 2000', readAgentPort)
    .action((config: string | undefined, { agent }: { agent?: number | true | AfterAgent }, command: Command) => {
      if (!(agent instanceof AfterAgent)) return startCommand(config, { ...(agent !== undefined && { agent }) });
      if (config !== undefined) command.error(`error: too many arguments: ${agent.text}, ${config}; name one configuration file`);
      return startCommand(agent.text, { agent: true });
    });
  program
    .command('agent')
    .description('run only the load agent: it reports the load of this machine at /load')
    .option('--port <port>', 'port to listen on', readPort, 2000)
    .option('--host <host>', 'address to listen on; default: all of IPv4 and IPv6')
    .option('--trial', 'also open /client, so that a session server offers this machine although it runs no simulations')
    .action((options: { port: number; host?: string; trial?: boolean }) => agentCommand(options));
  program
    .command('simulation')
    .description('run the simulation server: it starts a simulation on this machine for each client')
    .argument('[config]', 'configuration file', 'config/simulation/local.json')
    .option('--sweep', 'only remove what a simulation server that was killed left behind')
    .action(async (config: string, { sweep }: { sweep?: true }) => {
      const { simulationCommand, sweepCommand } = await import('./simulation.ts');
      return sweep === true ? sweepCommand(config) : simulationCommand(config);
    });
}

function addDemo(program: Command): void {
  program
    .command('demo')
    .description('try it: a session server, simulation servers with a robot to drive, and a page with buttons')
    .option('--port <port>', 'port of the session server', readPort, 1999)
    .option(
      '--simulation-port <port>',
      'port of the first simulation server; the ports above are for the others and for sessions',
      readPort,
      2000,
    )
    .option('--machines <count>', 'simulation servers, with two places each', readMachines, 5)
    .option(
      '--listen <address>',
      'address to listen on; `::` lets other machines use the demo and its buttons',
      readAddress,
      '127.0.0.1',
    )
    .option('--server <name>', 'name at which browsers reach it; default: the address, or the name of this machine')
    .action(async (options: DemoOptions) => (await import('./demo.ts')).demoCommand(options));
}

function addTools(program: Command): void {
  program
    .command('check')
    .description('list all errors and warnings of a configuration file; exit status 0 or 2')
    .argument('[config]', 'configuration file')
    .option('--strict', 'treat warnings as errors')
    .option('--json', 'print the result as JSON')
    .action((config: string | undefined, options: CheckOptions) => checkCommand(config, options));
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file, for editors')
    .option('--simulation', 'the schema for the simulation server')
    .action((options: { simulation?: true }) => schemaCommand(options));
  program
    .command('test-notification')
    .description('send a test message to every configured receiver and print the result')
    .argument('[config]', 'configuration file')
    .action((config: string | undefined) => testNotificationCommand(config));
  program
    .command('token')
    .description('create an access token: for an operator, or with --role for a teacher or a reader')
    .argument('<name>', 'name of its holder')
    .addOption(new Option('--role <role>', 'what its holder may do').choices(['reader', 'teacher', 'operator']))
    .option('--read-only', 'the same as --role reader, for example for Prometheus')
    .option('--json', 'print token and hash as JSON')
    .action((name: string, options: TokenOptions) => tokenCommand(name, options));
  program
    .command('forget-costs')
    .description(
      `make the running session server forget the learned cost of sessions; the token of an operator is read from ${TOKEN_VARIABLE}`,
    )
    .argument('[config]', 'configuration file')
    .option('--server <id>', 'only what was learned on this simulation server')
    .option('--project <url>', 'only what was learned about this project')
    .option('--url <address>', 'address of the session server; default: the configured port on this machine')
    .action((config: string | undefined, options: ForgetCostsOptions) => forgetCostsCommand(config, options));
  program
    .command('rehearse')
    .description(
      `ask the running session server whether a number of people would fit at a certain time; a token is read from ${TOKEN_VARIABLE}`,
    )
    .argument('[config]', 'configuration file')
    .requiredOption('--people <number>', 'how many')
    .requiredOption('--at <time>', 'when, such as 2026-09-15T09:00')
    .option('--minutes <number>', 'how long; default: 90')
    .option('--project <url>', 'what they would run')
    .option('--json', 'print the answer as JSON')
    .option('--url <address>', 'address of the session server; default: the configured port on this machine')
    .action((config: string | undefined, options: RehearseOptions) => rehearseCommand(config, options));
  program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .argument('<shell>', SHELLS.join(', '), readShell)
    .action((shell: Shell) => completionCommand(program, shell));
}

/** An option that can be repeated. */
function many(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Commands for the day of the installation, loaded when they are called: a server that runs for months does not need them. */
function addInstallation(program: Command): void {
  const setup = program
    .command('setup')
    .description('create the configuration and a systemd unit, interactively or from options')
    .option('--server <name>', 'domain name of this machine')
    .option('--reverse-proxy <kind>', 'what serves port 443: gateway (this program), apache, nginx, caddy, or none')
    .addOption(new Option('--front <kind>', 'the same').hideHelp())
    .option('--simulation-server <address>', 'host/2000 (behind the reverse proxy) or host:2000; can be repeated', many)
    .option('--route <ports=host>', 'machine that has these ports, as in 2000-2999=localhost; can be repeated', many)
    .option('--port <port>', 'local port of the session server', readPort)
    .option('--monitor-origin <origin>', 'where operators sign in: another port or name of this machine; - for none')
    .option('--administrator <address>', 'e-mail address for notifications')
    .option('--mail-server <host>', 'SMTP server')
    .option('--mail-sender <address>', 'sender address')
    .option('--registration', 'let simulation servers register themselves; creates a token')
    .option('--config <path>', 'configuration file to write', INSTALLED)
    .option('--unit <path>', 'systemd unit to write', '/etc/systemd/system/session-server.service')
    .option('--hook <path>', 'certbot hook to write', '/etc/session-server/deploy-certificate')
    .option('--yes', 'do not ask any questions')
    .option('--force', 'replace files that are different, and keep copies of them')
    .option('--dry-run', 'show the files without writing them')
    .option('--json', 'with --dry-run: print the files as JSON; asks no questions')
    .action(async ({ front, ...options }: SetupOptions & { front?: string }) => {
      const { setupCommand } = await import('../install/setup.ts');
      await setupCommand({ ...(front !== undefined && { reverseProxy: front }), ...options });
    });
  addSimulationSetup(setup);
  addSiteSetup(setup);
  addReplicasSetup(setup);
  addDoctor(program);
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description(
      'check an installation, from name and certificate to each simulation server, or a simulation machine with its configuration; exit status 0, 1 (warnings) or 2 (faults)',
    )
    .argument('[url]', 'address of the site, such as https://webots.example.org; default: from the configuration')
    .option('--config <path>', `configuration file; default: ${INSTALLED}, unless a URL is given`)
    .option('--json', 'print the findings as JSON')
    .option('--timeout <seconds>', 'time for each request', readTimeout, 5)
    .action(async (url: string | undefined, options: DoctorOptions) =>
      url === undefined &&
      options.config !== undefined &&
      (await (await import('./check.ts')).isOfSimulationServer(options.config))
        ? (await import('./doctor-simulation.ts')).doctorSimulation(options.config, options)
        : (await import('../install/doctor.ts')).doctorCommand(url, options),
    );
}

function addSiteSetup(setup: Command): void {
  for (const [name, title] of Object.entries({ apache: 'Apache', nginx: 'nginx', caddy: 'Caddy' } as const))
    setup
      .command(name)
      .description(`write ${name === 'caddy' ? 'a' : 'an'} ${title} site that proxies to the fleet`)
      .argument('[config]', `configuration file; default: ${INSTALLED}`)
      .option('--route <ports=host>', 'machine that has these ports; default: gateway.routes of the configuration', many)
      .option('--output <path>', 'file to write')
      .option('--force', 'replace a file that is different, and keep a copy of it')
      .option('--dry-run', 'show the file without writing it')
      .option('--json', 'with --dry-run: print the file as JSON')
      .action(async (config: string | undefined, options: SiteOptions) =>
        (await import('../install/setup.ts')).setupSiteCommand(name as 'apache' | 'nginx' | 'caddy', config, options),
      );
}

function addReplicasSetup(setup: Command): void {
  setup
    .command('replicas')
    .description('write the files for several replicas: configurations, units, and sites of nginx, Caddy and HAProxy')
    .argument('[config]', `configuration file of the one session server; default: ${INSTALLED}`)
    .requiredOption('--store <url>', 'Redis or Valkey that they share, such as redis://10.0.0.5:6379/0')
    .requiredOption('--replica <name=host:port>', 'name and address of a replica; to be repeated', many)
    .option('--route <ports=host>', 'machine that has these ports; default: gateway.routes of the configuration', many)
    .option('--output <folder>', 'folder to write', 'replicas')
    .option('--force', 'replace files that are different, and keep copies of them')
    .option('--dry-run', 'show the files without writing them')
    .option('--json', 'with --dry-run: print the files as JSON')
    .action(async (config: string | undefined, options: ReplicasSetupOptions) =>
      (await import('../install/setup-replicas.ts')).setupReplicasCommand(config, options),
    );
}

function addSimulationSetup(setup: Command): void {
  setup
    .command('simulation')
    .description('write the configuration and a systemd unit for a simulation server on this machine')
    .option('--server <name>', 'host name by which clients reach this machine')
    .option('--docker', 'run simulations in Docker containers')
    .option('--notify <url>', 'where it announces itself, such as https://host/register/TOKEN of a session server')
    .option('--config <path>', 'configuration file to write', '/etc/simulation-server/simulation.json')
    .option('--unit <path>', 'systemd unit to write', '/etc/systemd/system/simulation-server.service')
    .option('--force', 'replace files that are different, and keep copies of them')
    .option('--dry-run', 'show the files without writing them')
    .action(async (options: SimulationSetupOptions) =>
      (await import('../install/setup-simulation.ts')).setupSimulationCommand(options),
    );
}

/** A word in place of a command would be taken for the configuration file of `start`. */
function unknownCommand(program: Command, word: string | undefined): string | undefined {
  const names = [...program.commands.map((command) => command.name()), 'help'];
  if (word === undefined || !/^[A-Za-z][A-Za-z-]*$/.test(word) || names.includes(word) || existsSync(word)) return undefined;
  const meant = nearest(word.toLowerCase(), names);
  const advice = meant === undefined ? 'session-server --help lists the commands.' : `Did you mean "${meant}"?`;
  return `error: unknown command "${word}". ${advice}`;
}

/** A folder that was deployed again no longer exists for a shell that is still in it. */
function hasWorkingDirectory(): boolean {
  try {
    return process.cwd() !== '';
  } catch {
    return false;
  }
}

/** A word after `--agent` that is not a number: the configuration file of `start --agent my.json`. */
class AfterAgent {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function readAgentPort(text: string): number | AfterAgent {
  return /^[0-9]+$/.test(text) ? readPort(text) : new AfterAgent(text);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
  return port;
}

function readMachines(text: string): number {
  const count = Number(text);
  if (!/^[0-9]+$/.test(text) || count < 1 || count > 20) throw new InvalidArgumentError('Use a whole number from 1 to 20.');
  return count;
}

function readAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Use an IP address, such as 127.0.0.1.');
  return text;
}

function readTimeout(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600)) throw new InvalidArgumentError('Use a number of seconds above 0 and up to 600.');
  return seconds;
}

function readShell(text: string): Shell {
  const shell = SHELLS.find((name) => name === text);
  if (shell === undefined) throw new InvalidArgumentError(`Use one of ${SHELLS.join(', ')}.`);
  return shell;
}
