import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createProgram } from './command-line.ts';
import { completionScript } from './completion.ts';

/** The words that bash offers after these, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const typed = ['session-server', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript(createProgram(), 'bash')}
COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _session_server; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/proc/self/task' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash completes commands, commands of commands and their options', () => {
  assert.deepEqual(offered('ch'), ['check']);
  assert.deepEqual(offered('check', '--s'), ['--strict']);
  assert.deepEqual(offered('check', 'my.json', '--j'), ['--json']);
  assert.deepEqual(offered('setup', 'ngi'), ['nginx']);
  assert.deepEqual(offered('setup', 'nginx', '--o'), ['--output']);
  assert.deepEqual(offered('setup', '--reverse'), ['--reverse-proxy']);
  assert.deepEqual(offered('setup', '--fr'), [], 'hidden options are not offered');
  assert.deepEqual(offered('nonsense', '--ver'), ['--version']);
});

test('zsh uses the script of bash', () => {
  const script = completionScript(createProgram(), 'zsh');
  assert.match(script, /^autoload -U \+X bashcompinit && bashcompinit\n/);
  assert.ok(script.endsWith(completionScript(createProgram(), 'bash')));
});

test('fish gets a line for each command and each option, with its description', () => {
  const lines = completionScript(createProgram(), 'fish').trimEnd().split('\n');
  for (const line of lines) assert.match(line, /^complete -c session-server -n '[^']+' (?:-a|-l) [a-z-]+ -d '(?:[^'\\]|\\.)+'$/);
  const has = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  assert.equal(has(/'not __fish_seen_subcommand_from start .*' -a doctor -d 'check an installation/), 1);
  assert.equal(has(/'__fish_seen_subcommand_from check' -l strict /), 1);
  assert.equal(has(/'__fish_seen_subcommand_from setup' -a caddy /), 1);
  assert.equal(has(/'__fish_seen_subcommand_from nginx' -l output /), 1);
});
