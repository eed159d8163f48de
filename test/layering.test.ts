/** Who may import whom (ARCHITECTURE.md). A folder that is not in the table may be imported by nobody and import nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..', 'src');

/** Folder → what its files may import besides itself. `type:` allows types alone. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'ports.ts': ['core'],
  engine: ['core', 'ports.ts'],
  config: ['core', 'type:ports.ts', 'notifiers'],
  probes: ['core', 'ports.ts'],
  notifiers: ['core', 'ports.ts'],
  stores: ['core', 'ports.ts', 'make-folder.ts'],
  discovery: ['engine', 'core', 'ports.ts'],
  logging: ['core', 'engine', 'ports.ts', 'make-folder.ts'],
  http: ['engine', 'core', 'ports.ts', 'type:config'],
  agent: ['engine', 'core', 'ports.ts', 'type:config'],
  web: ['core'],
  'system-clock.ts': ['ports.ts'],
  'make-folder.ts': [],
  'package-root.ts': [],
  'process-memory.ts': [],
  'version.ts': ['package-root.ts'],
  'app.ts': ['*'],
  'state-documents.ts': ['type:core', 'type:engine', 'type:discovery', 'type:ports.ts'],
  'configured-notifiers.ts': ['type:config', 'notifiers', 'core', 'ports.ts'],
  'main.ts': ['*'],
  commands: ['*'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path),
);
const imports = files.flatMap(importsOf);

test('every file stands in a folder that the table of layers knows', () => {
  assert.ok(files.length > 20);
  assert.deepEqual(
    files.filter((file) => mayImport[layerOf(file)] === undefined),
    [],
  );
});

test('imports run only where the table of layers lets them', () => {
  assert.ok(imports.length > 20);
  const forbidden = imports.filter(({ file, target, typeOnly }) => {
    const from = layerOf(file);
    const to = layerOf(target);
    const allowed = mayImport[from] ?? [];
    return from !== to && !allowed.includes('*') && !allowed.includes(to) && !(typeOnly && allowed.includes(`type:${to}`));
  });
  assert.deepEqual(
    forbidden.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('the core imports nothing but itself, no package and no module of Node', () => {
  const outside = files
    .filter((file) => layerOf(file) === 'core')
    .flatMap((file) =>
      specifiersOf(file)
        .filter(({ specifier }) => !specifier.startsWith('./'))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    );
  assert.deepEqual(outside, []);
});

function layerOf(file: string): string {
  return file.split('/')[0] ?? '';
}

function importsOf(file: string): Import[] {
  return specifiersOf(file)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier, typeOnly }) => ({
      file,
      target: relative(source, normalize(join(source, dirname(file), specifier))),
      typeOnly,
    }));
}

function specifiersOf(file: string): { specifier: string; typeOnly: boolean }[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [
    ...text.matchAll(
      /^(?:import|export)\s(?<type>type\s)?[^;]*?from\s+'(?<specifier>[^']+)'|^import\s+'(?<bare>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm,
    ),
  ].map(({ groups }) => ({
    specifier: groups?.['specifier'] ?? groups?.['bare'] ?? groups?.['lazy'] ?? '',
    typeOnly: groups?.['type'] !== undefined,
  }));
}
