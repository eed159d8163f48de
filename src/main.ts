/**
 * The command line: sub-commands, signals, and what the process does when something is wrong.
 *
 * Loading the program makes much garbage once. The space for young objects would grow for it and keep its size, 5 MiB for the rest of an idle life; so it is
 * held small while modules load, and may grow under load as usual.
 */
import { setFlagsFromString } from 'node:v8';
import { holdSignals } from './commands/early-signals.ts';

holdSignals();
setFlagsFromString('--semi-space-growth-factor=1');
const { runCommandLine } = await import('./commands/command-line.ts');
await runCommandLine(process.argv);
setFlagsFromString('--semi-space-growth-factor=2');
