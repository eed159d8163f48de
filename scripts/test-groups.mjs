// Which test files may share a process. Starting a process and reading the sources costs several times what most tests cost.
import { dirname, join } from 'node:path';

/** Processes that share the tests of whole programs. */
const INTEGRATION_PROCESSES = 4;
/** Parts of group names, slowest first. */
const SLOWEST_FIRST = [
  'browser/monitor',
  'simulation/day',
  'integration-',
  'browser',
  'integration',
  'src/config',
  'src/http',
  'src/core',
];
/** What a file may import from `node:test` and still share its process: nothing that also applies to the tests of other files. */
const SHAREABLE = new Set(['test', 'describe', 'it', 'suite']);

/**
 * Groups files by the process that runs them, slowest group first: no core should be idle while the last group runs alone.
 * `sourceOf(file)` returns the text of a file.
 */
export function groupTests(files, sourceOf) {
  const groups = new Map();
  let integration = 0;
  for (const file of files) {
    const group = sharesProcess(sourceOf(file)) ? groupOf(file, () => (integration += 1)) : file;
    groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  return [...groups].sort(([a], [b]) => rank(a) - rank(b));
}

/**
 * Whether a file may share its process. A hook such as `beforeEach` outside a `describe` applies to every test of the process, so a file that can reach a hook has
 * a process of its own. Hooks come from `node:test` only: by name, or as properties of `test` or of the whole module.
 */
export function sharesProcess(source) {
  const mentions = source.split(/['"]node:test['"]/).length - 1;
  const imports = [...source.matchAll(/^import (type )?\{([^}]*)\} from 'node:test';/gm)];
  const names = imports
    .filter(([, type]) => type === undefined)
    .flatMap(([, , list]) => list.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  return (
    imports.length === mentions &&
    names.every((name) => SHAREABLE.has(name)) &&
    !/\b(?:test|describe|it|suite)\s*\.\s*(?:before|after)/.test(source)
  );
}

function rank(group) {
  const index = SLOWEST_FIRST.findIndex((part) => group.includes(part));
  return index < 0 ? SLOWEST_FIRST.length : index;
}

function groupOf(file, count) {
  if (file.startsWith(join('src', ''))) return dirname(file);
  if (file.startsWith(join('test', 'integration', ''))) return `integration-${'abcd'[count() % INTEGRATION_PROCESSES]}`;
  return file;
}
