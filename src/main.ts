/** The command line: sub-commands, signals, and what the process does when something is wrong. */
import { runCommandLine } from './commands/command-line.ts';

await runCommandLine(process.argv);
