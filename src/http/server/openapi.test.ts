/** What `/api/v1` does and what its document says are the same. The list of routes in the documentation is generated from the document. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { livelyFleet } from '../../../test/support/monitor-source.ts';
import { createAdminRoutes } from '../operators/admin-routes.ts';
import { OTHER_MEANINGS, REFUSAL_CODES } from './api-codes.ts';
import { createApiRoutes } from '../operators/api-routes.ts';
import { createHistoryRoutes } from '../operators/history-routes.ts';
import { createRegisterRoutes } from '../registration/register-routes.ts';
import { renderApiReference } from '../../web/api-reference/render.ts';
import { allocated, availability, server, waitingSession } from './api-schemas.ts';
import { createApi } from './openapi.ts';
import { createRoutes } from './routes.ts';
import { createSessionsApi } from '../clients/sessions-api.ts';

const METHODS = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'];
const root = new URL('../../../', import.meta.url);

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly schema?: unknown;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema?: unknown; readonly example?: unknown }> };
  readonly responses: Record<
    string,
    {
      readonly description?: string;
      readonly content?: Record<string, { readonly schema?: unknown; readonly example?: unknown }>;
    }
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, unknown>>;
}

function build() {
  const fleet = livelyFleet({ hours: 1 });
  const pass = async (_c: unknown, next: () => Promise<void>) => {
    await next();
  };
  const nothing = () => Promise.resolve({ kind: 'done' as const });
  const clock = { now: () => 1000, wallTime: () => 1_800_000_000 };
  const bytes = new Uint8Array();
  const styles = { name: 'api.css', hash: 'h', type: 'text/css', plain: bytes, brotli: bytes, gzip: bytes };
  const api = createApi({
    version: '1.2.3',
    reference: { styles, render: renderApiReference },
    groups: [
      createSessionsApi({
        sent: () => undefined,
        tickets: {
          request: () => Promise.resolve({ kind: 'refused', outcome: { kind: 'refused', code: 'no-room', reason: 'No room.' } }),
          poll: () => undefined,
          giveUp: () => Promise.resolve(false),
          giveUpLater: () => false,
        },
        addressOf: () => ({ address: 'x', limitKey: undefined }),
        ready: Promise.resolve(),
        isReady: () => true,
        bodyBytes: () => 65_536,
      }),
      createApiRoutes({
        source: fleet,
        clock,
        addressOf: () => ({ address: '192.0.2.1', limitKey: undefined }),
        availability: () => fleet.snapshot().fleet,
        explain: (url) => fleet.explain(url ?? null),
        mayRead: pass,
      }),
      createHistoryRoutes({
        source: {
          history: () => undefined,
          sparklines: () => ({ from: 0, step: 1, servers: {} }),
          marks: () => [],
          uptime: () => ({}),
          reserved: () => [],
        },
        clock,
        mayRead: pass,
      }),
      createAdminRoutes({
        actions: {
          drain: nothing,
          resume: nothing,
          removeServer: nothing,
          addServer: () => Promise.resolve({ kind: 'done', id: 'x:1' }),
          forgetCosts: () => Promise.resolve({ kind: 'done' }),
          testNotification: () => Promise.resolve({ kind: 'done', channels: [] }),
        },
        projectHosts: () => [],
        clock,
        mayAct: pass,
      }),
      createRegisterRoutes({
        registered: {
          knows: () => false,
          announce: () => ({ kind: 'accepted', id: 'x:1', state: 'checking' }),
          leave: () => true,
        },
        rules: () => ({ heartbeat: 30 }),
        addressOf: () => ({ address: 'x', limitKey: undefined }),
        clock: { now: () => 0 },
        log: new MemoryLog(),
      }).api,
    ],
  });
  return { api, routes: createRoutes({ log: new MemoryLog(), groups: [api] }) };
}

const { api, routes } = build();
const response = await routes.request('/api/v1/openapi.json');
const document = (await response.json()) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, name: `${method.toUpperCase()} ${path}`, operation })),
);

function* nodes(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, below] of Object.entries(value)) yield* nodes(below, `${path}/${key}`);
}

function resolve(reference: string): unknown {
  let value: unknown = document;
  for (const part of reference.replace(/^#\//, '').split('/')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value;
}

test('the document is served as OpenAPI 3.1 with the version of the session server', () => {
  assert.equal(response.status, 200);
  assert.match(response.headers.get('Content-Type') ?? '', /^application\/json/);
  assert.equal(document.openapi, '3.1.0');
  assert.equal(document.info.version, '1.2.3');
  assert.ok(document.info.title);
  const [server] = document.servers;
  const base = new URL(server?.url ?? '', 'https://host.example/1999/api/v1/openapi.json');
  assert.equal(base.href, 'https://host.example/1999/', 'behind a reverse proxy that rewrites ports');
});

test('every route under /api/v1 is in the document, and the document has no other', () => {
  const registered = api.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  assert.ok(registered.length > 10);
  assert.deepEqual([...new Set(registered)].sort(), operations.map(({ name }) => name).sort());
});

test('every route in the document answers something that the document describes', async () => {
  for (const { path, method, name, operation } of operations) {
    const answer = await routes.request(path.replace(/\{\w+\}/g, 'x'), { method: method.toUpperCase() }, { incoming: undefined });
    assert.ok(operation.responses[String(answer.status)], `${name} answers ${answer.status}`);
    const type = answer.headers.get('Content-Type')?.split(';')[0];
    if (type !== undefined) assert.ok(operation.responses[String(answer.status)]?.content?.[type], `${name}: ${type}`);
  }
});

test('every reference in the document resolves', () => {
  let count = 0;
  for (const [path, node] of nodes(document)) {
    if (typeof node['$ref'] !== 'string') continue;
    count += 1;
    assert.match(node['$ref'], /^#\/components\//);
    assert.equal(typeof resolve(node['$ref']), 'object', `${path}: ${node['$ref']}`);
  }
  assert.ok(count > 20);
});

test('every operation is described: summary, parameters, responses, bodies', () => {
  for (const { path, method, name, operation } of operations) {
    assert.ok(METHODS.includes(method), name);
    assert.match(operation.summary ?? '', /^[A-Z].*[^.]$/, name);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
    assert.deepEqual(
      inPath,
      [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter),
      name,
    );
    for (const parameter of operation.parameters ?? []) {
      assert.ok(parameter.schema, `${name} ${parameter.name}`);
      if (parameter.in === 'path') assert.equal(parameter.required, true);
    }
    const codes = Object.keys(operation.responses);
    assert.ok(
      codes.some((code) => /^2\d\d$/.test(code)),
      name,
    );
    for (const [code, { description, content }] of Object.entries(operation.responses)) {
      assert.match(code, /^[2-5]\d\d$/);
      assert.ok(description, `${name} ${code}`);
      for (const media of Object.values(content ?? {})) assert.ok(media.schema, `${name} ${code}`);
      if (Number(code) >= 400)
        assert.deepEqual(content?.['application/json']?.schema, { $ref: '#/components/schemas/Refusal' }, `${name} ${code}`);
    }
    for (const media of Object.values(operation.requestBody?.content ?? {})) assert.ok(media.schema, name);
  }
});

test('every operation has a name of its own, a group that is described, and an example of every body in JSON', () => {
  const names = operations.map(({ operation }) => operation.operationId ?? '');
  assert.equal(new Set(names).size, operations.length);
  const groups = document.tags.map(({ name }) => name);
  for (const { name, operation } of operations) {
    assert.match(operation.operationId ?? '', /^[a-z]+[A-Z][A-Za-z]+$/, name);
    assert.deepEqual(operation.tags?.filter((tag) => groups.includes(tag)).length, 1, name);
    for (const { content } of [operation.requestBody, ...Object.values(operation.responses)].filter((body) => body !== undefined))
      for (const [type, { example }] of Object.entries(content ?? {}))
        if (type === 'application/json') assert.equal(typeof example, 'object', name);
  }
});

test('examples are valid: each route accepts its own, and answers are as their schemas say', async () => {
  for (const { path, method, name, operation } of operations) {
    const example = operation.requestBody?.content['application/json']?.example;
    if (example === undefined) continue;
    const init = { method: method.toUpperCase(), headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(example) };
    const answer = await routes.request(path.replace(/\{\w+\}/g, 'x'), init, { incoming: undefined });
    const body = await answer.text();
    if (answer.status === 400) assert.doesNotMatch(body, /"bad-request"/, `${name}: ${body}`);
  }
  const exampleOf = (path: string) => document.paths[path]?.['get']?.responses['200']?.content?.['application/json']?.example;
  availability.parse(exampleOf('/api/v1/availability'));
  server.parse(exampleOf('/api/v1/servers/{id}'));
  allocated.or(waitingSession).parse(exampleOf('/api/v1/sessions/{ticket}'));
});

test('the page at /api shows every operation, without scripts and files of others', async () => {
  const page = await routes.request('/api');
  assert.equal(page.status, 200);
  assert.match(page.headers.get('Content-Security-Policy') ?? '', /^default-src 'none'; style-src 'self';/);
  const html = await page.text();
  for (const { operation, path } of operations) {
    assert.ok(html.includes(`id="${operation.operationId ?? ''}"`), operation.operationId);
    assert.ok(html.includes(path), path);
  }
  assert.doesNotMatch(html, /<script| (?:src|href)="(?:https?:)?\/\//);
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id = ''] of html.matchAll(/ href="#([^"]+)"/g)) assert.ok(ids.includes(id), id);
  assert.match(html, /<link rel="stylesheet" href="api\/api\.css\?v=h"/);
  assert.equal((await routes.request('/api/api.css?v=h')).headers.get('Content-Type'), 'text/css');
  assert.equal((await routes.request('/api', { method: 'POST' })).status, 405);
});

test('schemas have types that exist, and name only properties they have', () => {
  const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
  const schemas = document.components['schemas'] ?? {};
  assert.ok(Object.keys(schemas).length > 12);
  for (const [path, node] of nodes(schemas)) {
    const { type, required, properties, items } = node;
    if (path.endsWith('/properties')) continue;
    if (typeof type === 'string' || Array.isArray(type))
      for (const one of [type].flat()) assert.ok(types.includes(String(one)), `${path}: ${String(one)}`);
    if (type === 'array') assert.ok(items, path);
    if (!Array.isArray(required)) continue;
    for (const name of required) assert.ok(Object.hasOwn(properties as object, String(name)), `${path}: ${String(name)}`);
  }
  for (const [name, schema] of Object.entries(schemas))
    assert.notDeepEqual([(schema as { type?: unknown }).type].flat().includes('null'), true, `${name} is nullable by itself`);
});

test('security schemes that are named are defined', () => {
  for (const { name, operation } of operations)
    for (const scheme of (operation.security ?? []).flatMap((alternative) => Object.keys(alternative)))
      assert.ok(resolve(`#/components/securitySchemes/${scheme}`), `${name}: ${scheme}`);
});

test('the document lists every code', () => {
  const code = resolve('#/components/schemas/Refusal/properties/code') as Record<string, unknown>;
  assert.deepEqual(code['x-extensible-enum'], Object.keys(REFUSAL_CODES));
});

test('every code that the source refuses with is described', () => {
  const sources = [
    ...readdirSync(new URL('src/http/', root), { recursive: true, encoding: 'utf8' })
      .filter((file) =>
        /(?:^|\/)(?:access|.*-routes|health|refusal|routes|json-body|openapi|sessions-api|session-tickets)\.ts$/.test(file),
      )
      .map((file) => `src/http/${file}`),
    ...[
      'src/engine/admission.ts',
      'src/engine/request-routing.ts',
      'src/engine/operator-actions.ts',
      'src/core/queue/waiting-line.ts',
      'src/core/fleet/routing.ts',
    ],
  ];
  const codes = new Set<string>();
  for (const source of sources) {
    const text = readFileSync(new URL(source, root), 'utf8');
    for (const pattern of [
      /refusal\(\s*c,\s*\d{3},\s*'([a-z-]+)'/g,
      /refused\(\s*\d{3},\s*'([a-z-]+)'/g,
      /\brefused\(\s*'([a-z-]+)'/g,
      /\bcode: '([a-z-]+)',\s*reason/g,
      /this\.#refuse\([^;)]*?'([a-z-]+)'/g,
    ])
      for (const [, code = ''] of text.matchAll(pattern)) codes.add(code);
  }
  assert.ok(codes.size > 25);
  assert.deepEqual(
    [...codes].filter((code) => !Object.hasOwn(REFUSAL_CODES, code) && !Object.hasOwn(OTHER_MEANINGS, code)),
    [],
  );
});
