/** The command line: sub-commands, signals, and what the process does when something is wrong. */
import { holdSignals } from './commands/early-signals.ts';
import { withSmallYoungHeap } from './system/process-memory.ts';

holdSignals();
await withSmallYoungHeap(async () => {
  const { runCommandLine } = await import('./commands/command-line.ts');
  await runCommandLine(process.argv);
});
