/** `session-server completion SHELL`: a script for the shell, made from what the command line knows of itself. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionCommand(program: Command, shell: Shell): void {
  process.stdout.write(completionScript(program, shell));
}

/** To be evaluated by the shell: `source <(session-server completion bash)`. */
export function completionScript(program: Command, shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bashScript(program);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`;
    case 'fish':
      return fishScript(program);
  }
}

/** A command by the words that call it. */
interface Named {
  readonly words: readonly string[];
  readonly command: Command;
}

/** Inner commands first, because the first match counts. */
function allCommands(command: Command, words: readonly string[] = []): Named[] {
  return [...command.commands.flatMap((inner) => allCommands(inner, [...words, inner.name()])), { words, command }];
}

function optionsOf(command: Command): { readonly name: string; readonly description: string }[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, description }) => ({ name: long ?? '', description }));
}

function bashScript(program: Command): string {
  const cases = allCommands(program).map(({ words, command }) => {
    const candidates = [...command.commands.map((inner) => inner.name()), ...optionsOf(command).map(({ name }) => name)];
    const pattern = words.length === 0 ? '*' : `'${words.join(' ')} '*`;
    return `    ${pattern}) candidates='${candidates.join(' ')}' ;;`;
  });
  return `_session_server() {
  local candidates
  case "\${COMP_WORDS[*]:1:COMP_CWORD-1} " in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _session_server session-server
`;
}

function fishScript(program: Command): string {
  const lines = allCommands(program).flatMap(({ words, command }) => {
    const top = program.commands.map((inner) => inner.name()).join(' ');
    const [last = ''] = words.slice(-1);
    const where = last === '' ? `not __fish_seen_subcommand_from ${top}` : `__fish_seen_subcommand_from ${last}`;
    const line = (rest: string, description: string) =>
      `complete -c session-server -n '${where}' ${rest} -d '${description.replaceAll("'", "\\'")}'`;
    return [
      ...command.commands.map((inner) => line(`-a ${inner.name()}`, inner.description())),
      ...optionsOf(command).map(({ name, description }) => line(`-l ${name.slice(2)}`, description)),
    ];
  });
  return `${lines.join('\n')}\n`;
}
