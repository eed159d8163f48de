/** The list of metrics, from the registry that the program fills. */
import { Registry } from 'prom-client';
import { createGateway } from '../../src/http/gateway/gateway.ts';
import { addGauges, createMetrics } from '../../src/http/metrics.ts';
import { addReplicaMetrics } from '../../src/http/replica-metrics.ts';
import { listItem } from './layout.ts';
import { unused } from './unused.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly type: string;
}

/** The first that fits. */
const groups: readonly (readonly [title: string, has: (name: string) => boolean])[] = [
  ['Each simulation server', (name) => name.startsWith('session_server_server_')],
  ['Replicas', (name) => /_(?:replica|store)_/.test(name)],
  ['Gateway', (name) => /_(?:gateway|certificate)_/.test(name)],
  ['Session server', () => true],
];

export function metricsList(): string {
  const { registry } = createMetrics();
  addGauges(registry, unused);
  addReplicaMetrics(registry, unused);
  // What the library counts of Node.js depends on the system.
  const all = [...described(registry), ...gatewayMetrics()].filter(({ name }) => name.startsWith('session_server_'));
  const titleOf = ({ name }: Metric) => groups.find(([, has]) => has(name))?.[0];
  return groups
    .toReversed()
    .map(([title]) => [`## ${title}`, '', ...all.filter((metric) => titleOf(metric) === title).map(item), ''].join('\n'))
    .join('\n');
}

function gatewayMetrics(): readonly Metric[] {
  const registry = new Registry();
  const settings = () => ({ gateway: { tls: undefined } });
  createGateway({
    ...{ clock: unused, log: unused, queue: unused, endpoint: unused, addressGuard: unused },
    ...{ addressOf: unused, ready: unused, maxRelays: unused, notify: unused, isEndDue: unused },
    newId: () => 'id',
    settings: settings as never,
    registry,
  });
  return described(registry);
}

/** The library's own types leave out what it needs itself. */
function described(registry: Registry): readonly Metric[] {
  return registry.getMetricsAsArray() as unknown as readonly Metric[];
}

function item({ name, type, labelNames, help }: Metric): string {
  const labels = labelNames.length === 0 ? '' : ` with ${labelNames.map((label) => `\`${label}\``).join(', ')}`;
  return listItem(`\`${name}\` (${type}${labels}): ${help}`);
}
