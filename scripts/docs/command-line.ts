/** The help of every command, as the program prints it. */
import type { Command } from 'commander';
import { createProgram } from '../../src/commands/command-line.ts';

const COLUMNS = 100;

export function commandLineHelp(): string {
  return sectionsOf(createProgram(), '').join('\n');
}

function sectionsOf(command: Command, before: string): readonly string[] {
  const name = `${before}${command.name()}`;
  command.configureOutput({ getOutHelpWidth: () => COLUMNS, getOutHasColors: () => false });
  const own = [`## \`${name}\``, '', '```', command.helpInformation().trimEnd(), '```', ''].join('\n');
  return [own, ...command.commands.flatMap((each) => sectionsOf(each, `${name} `))];
}
