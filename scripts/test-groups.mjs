// Which test files may share a process. Starting a process and reading the sources costs several times what most tests cost.
import { join } from 'node:path';

/** Folders, and how many processes share their tests. The first that fits counts. */
const PROCESSES = [
  ['test/simulation', 1],
  ['test/integration', 6],
  ['test/browser', 3],
  ['test', 2],
  ['src', 3],
];
/** Parts of group names, slowest first. */
const SLOWEST_FIRST = ['test/simulation', 'test/browser', 'test/integration', 'src'];
/** What a file may import from `node:test` and still share its process: nothing that also applies to the tests of other files. */
const SHAREABLE = new Set(['test', 'describe', 'it', 'suite']);

/**
 * Groups files by the process that runs them, slowest group first: no core should be idle while the last group runs alone.
 * `sourceOf(file)` returns the text of a file.
 */
export function groupTests(files, sourceOf) {
  const groups = new Map();
  const counts = new Map();
  for (const file of files) {
    const group = sharesProcess(sourceOf(file)) ? groupOf(file, counts) : file;
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

/** The files of a folder take its processes in turn, so that each gets some of the slow ones. */
function groupOf(file, counts) {
  const [folder, processes] = PROCESSES.find(([path]) => file.startsWith(join(path, '')));
  const count = counts.get(folder) ?? 0;
  counts.set(folder, count + 1);
  return `${folder}-${'abcdef'[count % processes]}`;
}
