/** Which folder may import which (ARCHITECTURE.md). A folder that is not in the table may not be imported and may not import anything. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const source = join(import.meta.dirname, '..', 'src');

/** Folder → what its files may import besides itself. `type:` allows types alone. A folder with a row of its own inside another one is a layer of its own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core/text': [],
  'core/replicas': ['core/fleet'],
  'core/limits': [],
  'core/fleet': ['core/text'],
  'core/allocation': ['core/fleet'],
  'core/queue': ['core/fleet'],
  'core/reservations': ['core/fleet', 'core/allocation'],
  'core/rehearsal': ['core/fleet', 'core/allocation', 'core/queue', 'core/reservations'],
  'core/incidents': ['core/fleet'],
  'core/views': ['core/fleet', 'core/incidents', 'type:core/reservations'],
  'core/history': ['core/fleet', 'core/views'],
  'core/gateway': ['core/fleet'],
  'core/languages': [],
  'core/simulation': ['core/fleet', 'core/gateway'],
  'ports.ts': ['core'],
  state: ['core'],
  engine: ['core', 'state', 'ports.ts'],
  config: ['core', 'engine', 'type:ports.ts'],
  probes: ['core', 'ports.ts'],
  notifiers: ['core', 'ports.ts'],
  stores: ['core/replicas', 'ports.ts', 'system'],
  calendar: ['core'],
  discovery: ['engine', 'core', 'ports.ts'],
  logging: ['core', 'engine', 'ports.ts', 'system'],
  'http/server': ['engine', 'core', 'ports.ts'],
  'http/clients': ['http/server', 'engine', 'core', 'ports.ts'],
  'http/operators': ['http/server', 'engine', 'core', 'ports.ts'],
  'http/demo': ['http/server', 'http/clients', 'core'],
  'http/registration': ['http/server', 'core', 'ports.ts', 'type:discovery'],
  'http/gateway': ['http/server', 'http/clients', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/health.ts': ['http/server'],
  'http/replica-metrics.ts': ['core', 'engine'],
  'http/edge-port.ts': ['http/server', 'http/clients', 'core'],
  'http/replicas': ['http', 'engine', 'core', 'ports.ts', 'type:config'],
  'http/metrics.ts': ['http/server', 'engine', 'core', 'ports.ts'],
  'http/edge.ts': ['http', 'engine', 'core', 'ports.ts', 'type:config', 'type:discovery'],
  agent: ['engine', 'ports.ts'],
  demo: ['core', 'ports.ts', 'system'],
  'simulation/demo': ['core', 'engine', 'ports.ts', 'system'],
  client: [],
  web: ['core'],
  system: ['ports.ts'],
  tracing: ['core', 'ports.ts'],
  'simulation/ports.ts': ['core'],
  'simulation/settings': ['core', 'config'],
  'simulation/launcher': ['core', 'simulation/ports.ts'],
  'simulation/single-flight.ts': [],
  'simulation/projects': ['core', 'ports.ts', 'simulation/single-flight.ts', 'simulation/ports.ts', 'type:simulation/settings'],
  'simulation/simulators': ['core', 'simulation/ports.ts', 'type:simulation/settings'],
  'simulation/isolations': [
    ...['core', 'ports.ts', 'simulation/single-flight.ts', 'simulation/ports.ts', 'simulation/launcher'],
    'type:simulation/settings',
  ],
  'simulation/workspaces': ['simulation/ports.ts'],
  'simulation/builds': [
    ...['core', 'ports.ts', 'simulation/single-flight.ts', 'simulation/ports.ts', 'simulation/workspaces'],
    'type:simulation/settings',
  ],
  'simulation/cgroups': ['ports.ts', 'simulation/ports.ts'],
  'simulation/engine': ['core', 'ports.ts', 'engine', 'simulation/ports.ts'],
  'simulation/http': ['core', 'ports.ts', 'engine', 'http', 'agent', 'simulation/ports.ts', 'simulation/engine'],
  'simulation/meters': ['core', 'ports.ts', 'engine', 'agent', 'logging'],
  'simulation/instance.ts': ['system'],
  'simulation/missing.ts': ['type:simulation/settings'],
  'simulation/app': ['*'],
  app: ['*'],
  install: ['*'],
  'main.ts': ['*'],
  commands: ['*'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
  /** Imported only when it is needed. */
  readonly lazy: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path),
);
const imports = files.flatMap(importsOf);

test('every file is in a folder that the table of layers knows', () => {
  assert.ok(files.length > 20);
  assert.deepEqual(
    files.filter((file) => mayImport[layerOf(file)] === undefined),
    [],
  );
});

test('imports run only where the table of layers lets them', () => {
  assert.ok(imports.length > 20);
  const forbidden = imports.filter(
    (one) =>
      layerOf(one.file) !== layerOf(one.target) && !(mayImport[layerOf(one.file)] ?? []).some((grant) => isCovered(one, grant)),
  );
  assert.deepEqual(
    forbidden.map(({ file, target }) => `${file} imports ${target}`),
    [],
  );
});

test('every grant of the table is used', () => {
  const unused = Object.entries(mayImport).flatMap(([layer, grants]) =>
    grants
      .filter((grant) => !imports.some((one) => layerOf(one.file) === layer && isCovered(one, grant)))
      .map((grant) => `${layer} → ${grant}`),
  );
  assert.deepEqual(unused, []);
});

test('the session server, except for its command line, does not import the simulation server', () => {
  const outside = imports.filter(({ file, target }) => target.startsWith('simulation/') && !file.startsWith('simulation/'));
  assert.deepEqual(
    outside.filter(({ file }) => !file.startsWith('commands/')),
    [],
  );
});

test('without a store for replicas, neither its client nor what a replica is built from is loaded', () => {
  const loaded = new Set(['main.ts', 'commands/start.ts', 'app/index.ts']);
  for (const file of loaded)
    for (const one of imports) if (one.file === file && !one.typeOnly && !one.lazy) loaded.add(one.target);
  assert.ok(loaded.size > 100);
  const ofReplicas = [...loaded].filter((file) =>
    /^(?:stores\/redis\/|app\/replica|http\/replicas\/|engine\/replicas\/(?:far-queue|follower-links|leader-link|link-messages))/.test(
      file,
    ),
  );
  assert.deepEqual(ofReplicas, []);
  assert.ok(![...loaded].some((file) => specifiersOf(file).some(({ specifier, lazy }) => specifier === 'ioredis' && !lazy)));
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

function isCovered({ target, typeOnly }: Import, grant: string): boolean {
  const layer = layerOf(target);
  if (grant.startsWith('type:')) return typeOnly && grant === `type:${layer}`;
  return grant === '*' || grant === layer || layer.startsWith(`${grant}/`);
}

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
    .map(({ specifier, typeOnly, lazy }) => ({
      ...{ file, lazy },
      target: relative(source, normalize(join(source, dirname(file), specifier))),
      typeOnly,
    }));
}

function specifiersOf(file: string): { specifier: string; typeOnly: boolean; lazy: boolean }[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [
    ...text.matchAll(
      /^(?:import|export)\s(?<type>type\s)?[^;]*?from\s+'(?<specifier>[^']+)'|^import\s+'(?<bare>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm,
    ),
  ].map(({ groups }) => ({
    specifier: groups?.['specifier'] ?? groups?.['bare'] ?? groups?.['lazy'] ?? '',
    typeOnly: groups?.['type'] !== undefined,
    lazy: groups?.['lazy'] !== undefined,
  }));
}
