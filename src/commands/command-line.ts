/** The sub-commands and their options. What each does stands in a file of its own. */
import { Command, InvalidArgumentError } from 'commander';
import { checkCommand } from './check.ts';
import { agentCommand, startCommand } from './start.ts';
import { schemaCommand } from './schema.ts';
import { testNotificationCommand } from './test-notification.ts';
import { tokenCommand } from './token.ts';
import { version } from '../version.ts';

/** Resolves when the command has been started, or has ended; the exit status is in `process.exitCode`. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  await createProgram().parseAsync([...argv]);
}

export function createProgram(): Command {
  const program = new Command('session-server')
    .description(
      'Entry point of a fleet of robot simulation servers: says whether a session can start, and hands each client the machine that suits it best.',
    )
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(session-server --help lists the commands)');

  program
    .command('start', { isDefault: true })
    .description('run the session server (this is what happens without a command, too)')
    .argument(
      '[config...]',
      'configuration file; default: config/session/local.json here, else the one that ships with the program',
    )
    .option('--agent [port]', 'also run a load agent that reports the load of this machine', readPort)
    .action((config: string[], options: { agent?: number | true }) => startCommand(config, options));
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
    .action((name: string) => tokenCommand(name));
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

function readPort(text: string): number {
  const port = Number(text);
  if (!/^[0-9]+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
  return port;
}
