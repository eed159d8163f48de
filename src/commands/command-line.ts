/** The sub-commands and their options. What each does stands in a file of its own. */
import { Command, InvalidArgumentError } from 'commander';
import { checkCommand } from './check.ts';
import { agentCommand, startCommand } from './start.ts';
import { takeSignals } from './early-signals.ts';
import { schemaCommand } from './schema.ts';
import { testNotificationCommand } from './test-notification.ts';
import { tokenCommand } from './token.ts';
import { INSTALLED } from '../config/find.ts';
import { version } from '../system/version.ts';
import type { DoctorOptions } from '../install/doctor.ts';
import type { FrontOptions, SetupOptions } from '../install/setup.ts';

/** Commands that run until a signal ends them, and take the signals themselves; the others are ended by any, as programs are. */
const RUN_ON: ReadonlySet<string> = new Set(['start', 'agent']);

/** Resolves when the command has been started, or has ended; the exit status is in `process.exitCode`. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  if (!hasWorkingDirectory()) {
    console.error('error: the folder you are in was removed — go to another one with "cd" and try again');
    process.exitCode = 1;
    return;
  }
  await createProgram().parseAsync([...argv]);
}

export function createProgram(): Command {
  const program = new Command('session-server')
    .description(
      'Entry point of a fleet of robot simulation servers: says whether a session can start, and hands each client the machine that suits it best.',
    )
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(session-server --help lists the commands)')
    .hook('preAction', (_, command) => {
      if (!RUN_ON.has(command.name())) takeSignals({});
    });

  program
    .command('start', { isDefault: true })
    .description('run the session server (this is what happens without a command, too)')
    .argument(
      '[config...]',
      'configuration file; default: config/session/local.json here, else the one that ships with the program',
    )
    .option('--agent [port]', 'also run a load agent that reports the load of this machine; default port: 2000', readAgentPort)
    .action((config: string[], { agent }: { agent?: number | true | AfterAgent }) => {
      if (agent instanceof AfterAgent) return startCommand([agent.text, ...config], { agent: true });
      return startCommand(config, { ...(agent !== undefined && { agent }) });
    });
  program
    .command('check')
    .description('say what is wrong with a configuration file; exit status 0 or 2')
    .argument('[config...]', 'configuration file')
    .option('--strict', 'warnings count as well')
    .action((config: string[], options: { strict?: true }) => checkCommand(config, options));
  program.command('schema').description('print the JSON Schema of the configuration file, for editors').action(schemaCommand);
  program
    .command('test-notification')
    .description('send a test message on every configured channel and say what became of it')
    .argument('[config...]', 'configuration file')
    .action((config: string[]) => testNotificationCommand(config));
  program
    .command('agent')
    .description('run the load agent alone: it reports the load of this machine at /load')
    .option('--port <port>', 'port listened on', readPort, 2000)
    .option('--host <host>', 'address listened on; default: all of IPv4 and IPv6')
    .action((options: { port: number; host?: string }) => agentCommand(options));
  program
    .command('token')
    .description('make an access token for a person who may drain, resume, add and remove servers')
    .argument('<name>', 'who will hold it')
    .option('--read-only', 'for who may only read what monitor.access closes, such as Prometheus')
    .action((name: string, options: { readOnly?: boolean }) => tokenCommand(name, options));
  addInstallation(program);
  program.addHelpText(
    'after',
    `
Examples:
  session-server config/session/local.json   as the original session server is called
  session-server check --strict my.json      before a restart
  session-server agent --port 2000           on a machine without a simulation server, to see its load`,
  );
  return program;
}

/** Commands for the day of the installation, loaded when they are called: a server that runs for months does not carry them. */
function addInstallation(program: Command): void {
  const many = (value: string, before: readonly string[] = []) => [...before, value];
  const setup = program
    .command('setup')
    .description('write the configuration and the unit of systemd; asks for what is not given')
    .option('--server <name>', 'domain name of this machine')
    .option('--front <kind>', 'what answers at port 443: gateway (this program), apache, nginx, caddy, or none')
    .option('--simulation-server <address>', 'host/2000 (behind the front) or host:2000; may be repeated', many)
    .option('--route <ports=host>', 'which machine has which ports, as in 2000-2999=localhost; may be repeated', many)
    .option('--port <port>', 'local port of the session server', readPort)
    .option('--administrator <address>', 'e-mail address that hears of failures')
    .option('--mail-server <host>', 'SMTP server')
    .option('--mail-sender <address>', 'sender address')
    .option('--registration', 'simulation servers may register themselves; makes a token')
    .option('--config <path>', 'configuration file to write', INSTALLED)
    .option('--unit <path>', 'unit of systemd to write', '/etc/systemd/system/session-server.service')
    .option('--hook <path>', 'hook of certbot to write', '/etc/session-server/deploy-certificate')
    .option('--yes', 'ask nothing')
    .option('--force', 'replace files that are different; they are kept as copies')
    .option('--dry-run', 'show the files and write none')
    .action(async (options: SetupOptions) => (await import('../install/setup.ts')).setupCommand(options));
  for (const name of ['apache', 'nginx', 'caddy'] as const)
    setup
      .command(name)
      .description(`write a site of ${name} that passes on to the fleet`)
      .argument('[config...]', `configuration file; default: ${INSTALLED}`)
      .option('--route <ports=host>', 'which machine has which ports; default: gateway.routes of the configuration', many)
      .option('--output <path>', 'file to write')
      .option('--force', 'replace a file that is different; it is kept as a copy')
      .option('--dry-run', 'show the file and do not write it')
      .action(async (config: string[], options: FrontOptions) =>
        (await import('../install/setup.ts')).setupFrontCommand(name, config, options),
      );
  program
    .command('migrate')
    .description('explain a configuration of the original, key by key, and what it means here')
    .argument('<config>', 'configuration file of the original session server')
    .action(async (config: string) => (await import('./migrate.ts')).migrateCommand(config));
  program
    .command('doctor')
    .description(
      'look for what is wrong, from name and certificate to each simulation server; exit status 0, 1 (warnings) or 2 (faults)',
    )
    .argument('[url]', 'address of the site, such as https://webots.example.org; default: from the configuration')
    .option('--config <path>', `configuration file; default: ${INSTALLED}, unless a URL is given`)
    .option('--json', 'findings as JSON')
    .option('--timeout <seconds>', 'time for each question', Number, 5)
    .action(async (url: string | undefined, options: DoctorOptions) =>
      (await import('../install/doctor.ts')).doctorCommand(url, options),
    );
}

/** A folder that was deployed anew is gone for who still stands in it. */
function hasWorkingDirectory(): boolean {
  try {
    return process.cwd() !== '';
  } catch {
    return false;
  }
}

/** What follows `--agent` and is no number: the configuration file of `start --agent my.json`. */
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
