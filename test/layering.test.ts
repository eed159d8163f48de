/** Who may import whom (ARCHITECTURE.md). A folder that is not in the table may be imported by nobody and import nothing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..', 'src');

/** Folder → what its files may import besides itself. `type:` allows types alone. A folder within a folder that has its own rows is a layer of its own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core/text': [],
  'core/limits': [],
  'core/fleet': ['core/text', 'type:core/allocation'],
  'core/allocation': ['core/fleet'],
  'core/queue': ['core/fleet', 'core/allocation'],
  'core/incidents': ['core/text', 'core/fleet'],
  'core/views': ['core/fleet', 'core/incidents'],
  'core/history': ['core/fleet', 'core/views'],
  'core/gateway': ['core/fleet'],
  'ports.ts': ['core'],
  engine: ['core', 'ports.ts'],
  config: ['core', 'engine', 'type:ports.ts'],
  probes: ['core', 'ports.ts'],
  notifiers: ['core', 'ports.ts'],
  stores: ['core', 'ports.ts', 'system'],
  discovery: ['engine', 'core', 'ports.ts'],
  logging: ['core', 'engine', 'ports.ts', 'system'],
  'http/server': ['engine', 'core', 'ports.ts'],
  'http/clients': ['http/server', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/operators': ['http/server', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/registration': ['http/server', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/gateway': ['http/server', 'http/clients', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/health.ts': ['http/server'],
  'http/metrics.ts': ['http/server', 'engine', 'core'],
  'http/edge.ts': ['http', 'engine', 'core', 'ports.ts', 'type:config'],
  agent: ['engine', 'core', 'ports.ts'],
  web: ['core'],
  system: ['ports.ts'],
  app: ['*'],
  install: ['*'],
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
    const isAllowed = (layer: string) =>
      allowed.some((entry) => entry === '*' || entry === layer || layer.startsWith(`${entry}/`));
    const isTypeAllowed = (layer: string) => allowed.some((entry) => entry === `type:${layer}`);
    return from !== to && !isAllowed(to) && !(typeOnly && isTypeAllowed(to));
  });
  assert.deepEqual(
    forbidden.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('the core imports nothing but itself, no package and no module of Node', () => {
  const outside = files
    .filter((file) => file.startsWith('core/'))
    .flatMap((file) =>
      specifiersOf(file)
        .filter(({ specifier }) => !specifier.startsWith('.'))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    );
  assert.deepEqual(outside, []);
});

/** The longest beginning of the path that the table knows; else its folder, which no row allows. */
function layerOf(file: string): string {
  const parts = file.split('/');
  const known = parts
    .map((_, index) => parts.slice(0, parts.length - index).join('/'))
    .find((path) => mayImport[path] !== undefined);
  return known ?? parts[0] ?? '';
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
