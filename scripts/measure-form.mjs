// Prints the form of the sources: lines by folder, lengths of functions, imports between folders and import cycles. `npm run measure:form`; run it before and after a change of the layout.
// Test files are counted apart. A line is any line of a file; a function's lines are those from its first to its last token. Arrow functions without braces
// are expressions and not counted.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

const LONGEST_SHOWN = 20;
const LONG_FUNCTION = 40;
const root = join(import.meta.dirname, '..');
const isCode = (path) => /\.tsx?$/.test(path);
const isTest = (path) => /\.test\.tsx?$/.test(path);

const files = readdirSync(join(root, 'src'), { recursive: true }).filter(isCode).sort().map(readSource);
const sources = files.filter(({ path }) => !isTest(path));

printLines();
printFunctions(sources.flatMap(functionsOf));
printImports();
printCycles(cyclesOf(new Map(sources.map(({ path, imports }) => [path, imports]))));

function readSource(path) {
  const text = readFileSync(join(root, 'src', path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, tree, lines: text.split('\n').length - 1, imports: importsOf(tree, path) };
}

/** Files of this project that a file imports, types included. */
function importsOf(tree, path) {
  const specifiers = [];
  const visit = (node) => {
    const isStatic = ts.isImportDeclaration(node) || ts.isExportDeclaration(node);
    if (isStatic && node.moduleSpecifier !== undefined) specifiers.push(node.moduleSpecifier.text);
    const isLazy = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    if (isLazy && ts.isStringLiteral(node.arguments[0])) specifiers.push(node.arguments[0].text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return [...new Set(specifiers.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(path), name))))];
}

function functionsOf({ path, tree }) {
  const found = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body !== undefined && ts.isBlock(node.body)) {
      const first = tree.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = tree.getLineAndCharacterOfPosition(node.end).line;
      found.push({ lines: last - first + 1, name: nameOf(node), place: `${path}:${first + 1}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  const named =
    node.name ?? (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? '(no name)';
}

function printLines() {
  const rows = [...groupBy(files, ({ path }) => folderOf(path))].map(([folder, members]) => [
    folder,
    members.filter(({ path }) => !isTest(path)).length,
    sum(members.filter(({ path }) => !isTest(path))),
    sum(members.filter(({ path }) => isTest(path))),
  ]);
  const total = ['all', ...[1, 2, 3].map((column) => rows.reduce((all, row) => all + row[column], 0))];
  printTable('Lines by folder', ['folder', 'files', 'lines', 'lines of tests beside them'], [...rows, total]);
  const elsewhere = ['test', 'bench', 'scripts'].map((folder) => [folder, linesBelow(folder)]);
  printTable('Lines elsewhere', ['folder', 'lines'], elsewhere);
}

function printFunctions(functions) {
  const lengths = functions.map(({ lines }) => lines).sort((a, b) => a - b);
  const at = (share) => lengths[Math.min(lengths.length - 1, Math.floor(share * lengths.length))];
  const long = lengths.filter((lines) => lines > LONG_FUNCTION).length;
  console.log(
    `Functions: ${lengths.length}; lines p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}; ` +
      `longer than ${LONG_FUNCTION}: ${((100 * long) / lengths.length).toFixed(1)}%\n`,
  );
  const longest = functions.sort((a, b) => b.lines - a.lines).slice(0, LONGEST_SHOWN);
  printTable(
    `The ${LONGEST_SHOWN} longest functions`,
    ['lines', 'function', 'where'],
    longest.map(({ lines, name, place }) => [lines, name, place]),
  );
}

function printImports() {
  const outward = new Map();
  const inward = new Map();
  for (const { path, imports } of sources)
    for (const target of imports) {
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to) continue;
      outward.set(from, (outward.get(from) ?? new Set()).add(to));
      inward.set(to, (inward.get(to) ?? new Set()).add(from));
    }
  const folders = [...new Set(sources.map(({ path }) => folderOf(path)))];
  const rows = folders.map((folder) => [folder, outward.get(folder)?.size ?? 0, inward.get(folder)?.size ?? 0]);
  printTable('Folders that a folder imports, and that import it', ['folder', 'imports', 'imported by'], rows);
}

/** Strongly connected groups of two files and more (Tarjan 1972). */
function cyclesOf(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const cycles = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) cycles.push(group);
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return cycles;
}

function printCycles(cycles) {
  console.log(`Import cycles, types included: ${cycles.length}`);
  for (const cycle of cycles) console.log(`  ${cycle.join(' ↔ ')}`);
  if (cycles.length > 0) process.exitCode = 1;
}

/** The two upper folders: `core/fleet`, `http/gateway`, `engine`. */
function folderOf(path) {
  const folder = dirname(path).split('/').slice(0, 2).join('/');
  return folder === '.' ? '(src)' : folder;
}

function linesBelow(folder) {
  const names = readdirSync(join(root, folder), { recursive: true }).filter((path) => /\.(?:m?ts|tsx|mjs)$/.test(path));
  return names.reduce((all, name) => all + readFileSync(join(root, folder, name), 'utf8').split('\n').length - 1, 0);
}

function groupBy(values, keyOf) {
  const groups = new Map();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

function sum(members) {
  return members.reduce((all, { lines }) => all + lines, 0);
}

function printTable(title, head, rows) {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => String(row[column]).length)));
  const line = (row) =>
    row
      .map((cell, column) => (typeof cell === 'number' ? `${cell}`.padStart(widths[column]) : `${cell}`.padEnd(widths[column])))
      .join('  ');
  console.log([title, line(head), ...rows.map(line), ''].join('\n'));
}
