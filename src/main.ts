/**
 * The command line: sub-commands, signals, and what the process does when something is wrong.
 *
 * Loading the program makes much garbage once. The space for young objects would grow for it and keep its size, 5 MiB for the rest of an idle life; so it is
 * held small while modules load, and may grow under load as usual.
 *
 * What is known of a server lives until its next poll, which is long enough to be moved to the old objects and to be garbage there. V8 would let that heap
 * grow to four times what is in use before it looks: with ten thousand servers 470 MiB instead of 240. It looks a little sooner, at no cost that can be measured.
 */
import { setFlagsFromString } from 'node:v8';
import { holdSignals } from './commands/held-signals.ts';

holdSignals();
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=25');
const { runCommandLine } = await import('./commands/command-line.ts');
await runCommandLine(process.argv);
setFlagsFromString('--semi-space-growth-factor=2');
