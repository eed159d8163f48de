/** The Grafana dashboard and the alert rules ask for metrics that the program really exports, with labels that these really have. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { Registry } from 'prom-client';
import { addReplicaMetrics } from '../src/http/replica-metrics.ts';
import { readExposition, type Family } from './support/exposition.ts';
import { startProgram } from './support/start-program.ts';
import { startSimulationServer } from './support/start-simulation-server.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly refId: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[];
  };
}

const scope = { after };
const server = await startSimulationServer(scope, 40);
const program = await startProgram(scope, {
  simulationServers: [server.address],
  webhooks: [{ url: 'http://127.0.0.1:9/' }],
});
await eventually('the load', async () => (await program.get('/load')) === '40');
await program.get('/session');
await program.get('/session?url=nonsense');
const ofReplicas = new Registry();
addReplicaMetrics(ofReplicas, () => ({
  ...{ leads: true, reachesStore: true, term: 1, leader: undefined, members: [], roundTrip: 0.001, failures: 0, takeovers: 1 },
  ...{ differing: new Map(), foreignFormat: undefined, knownAt: 0, polls: 0 },
}));
const exported = readExposition((await program.get('/metrics')) + (await ofReplicas.metrics()));

/** Exported only while the gateway has a certificate; `test/integration` of the gateway has it. */
const elsewhere = new Set(['session_server_certificate_expiry_time_seconds']);
/** What Prometheus adds. */
const addedLabels = ['job', 'instance'];

const dashboard = JSON.parse(readFileSync(new URL('../docs/grafana.json', import.meta.url), 'utf8')) as Dashboard;
const rules = readFileSync(new URL('../docs/prometheus-alerts.yml', import.meta.url), 'utf8');
const queries = dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query));
const asked = dashboard.panels.flatMap(({ targets = [] }) => targets);
const alertExpressions = [...rules.matchAll(/^ +expr: (.*(?:\n {10,}.*)*)/gm)].map(([, expression = '']) => expression);

/** Metrics that an expression names, with the labels it asks for in braces. */
function selectorsOf(expression: string): { readonly name: string; readonly labels: string[] }[] {
  return [...expression.matchAll(/\b((?:session_server|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', inside = '']) => ({
      name,
      labels: [...inside.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label),
    }),
  );
}

function familyOf(name: string): Family | undefined {
  return exported.get(name) ?? exported.get(name.replace(/_(bucket|sum|count)$/, ''));
}

for (const [what, expressions] of [
  ['the dashboard', [...asked.map(({ expr }) => expr), ...queries]],
  ['the alert rules', alertExpressions],
] as const) {
  test(`${what} asks only for what is exported`, () => {
    assert.ok(expressions.length >= 8);
    let found = 0;
    for (const { name, labels } of expressions.flatMap(selectorsOf)) {
      found += 1;
      if (elsewhere.has(name)) continue;
      const family = familyOf(name);
      assert.ok(family, `${name} is not exported`);
      const known = new Set([...addedLabels, ...family.samples.flatMap(({ labels }) => Object.keys(labels))]);
      for (const label of labels) assert.ok(known.has(label), `${name} has no label ${label}`);
    }
    assert.ok(found >= 8);
  });
}

test('counters are queried as rates, and gauges as they are', () => {
  for (const expression of [...asked.map(({ expr }) => expr), ...alertExpressions]) {
    for (const { name } of selectorsOf(expression)) {
      const isCounter = familyOf(name)?.type === 'counter' || name.endsWith('_bucket');
      const isRate = new RegExp(`(rate|increase)\\(${name}(\\{[^}]*\\})?\\[`).test(expression);
      assert.equal(isRate, isCounter, expression);
    }
  }
});

test('a legend names a label of the series', () => {
  for (const { expr, legendFormat } of asked) {
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1];
      const own = selectorsOf(expr).flatMap(
        ({ name }) => familyOf(name)?.samples.flatMap(({ labels }) => Object.keys(labels)) ?? [],
      );
      const labels = [...addedLabels, ...own];
      assert.ok(kept === undefined ? labels.includes(label) : kept.split(', ').includes(label), `${label} in ${expr}`);
    }
  }
});

test('every metric of the fleet, the sessions and the probes is on the dashboard', () => {
  const shown = new Set(
    asked.flatMap(({ expr }) => selectorsOf(expr)).map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')),
  );
  const left = [...exported.keys()].filter((name) => name.startsWith('session_server_') && !shown.has(name));
  assert.deepEqual(left, ['session_server_info', 'session_server_start_time_seconds', 'session_server_file_descriptors_limit']);
});

test('panels have names of their own and do not lie over each other', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  const titles = dashboard.panels.map(({ title }) => title);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(titles).size, titles.length);
  const taken = new Set<string>();
  for (const { gridPos, title } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(!taken.has(`${x} ${y}`), `${title} lies over another panel`);
        taken.add(`${x} ${y}`);
      }
    }
  }
});
