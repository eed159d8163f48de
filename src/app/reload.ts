/**
 * Applies new settings: a table of the keys that each part was given, so that exactly the parts are reconfigured whose keys changed. The type of a row
 * lets a part read no key that the row does not name, and a test finds keys that no row names.
 */
import { isDeepStrictEqual } from 'node:util';
import { below } from '../config/keys.ts';
import { inForce } from '../config/reload.ts';
import type { Settings } from '../config/settings.ts';
import { incidentRules } from '../core/incidents/incidents.ts';
import { allocationParameters, bucketRules, fleetRules, type Parts } from './build.ts';
import { reconcileIncidents } from './events.ts';
import type { Chosen, SettingsKey } from './settings-keys.ts';
import type { Running } from './start.ts';

export interface Reconfiguration {
  readonly part: string;
  readonly reads: readonly SettingsKey[];
  readonly apply: (settings: Settings, parts: Parts, running: Running) => void | Promise<void>;
}

/** In the order in which they are applied. */
export const RECONFIGURATIONS: readonly Reconfiguration[] = [
  row('allocation', ['allocation', 'loadThreshold'], (settings, { ledger }) => {
    ledger.reconfigure(allocationParameters(settings));
  }),
  row('waiting line', ['waiting'], (settings, { line }) => {
    line.configure(settings.waiting);
  }),
  row('request rates', ['limits.rateBurst', 'limits.ratePerSecond'], (settings, { buckets }) => {
    buckets.reconfigure(bucketRules(settings));
  }),
  row(
    'server states',
    ['loadThreshold', 'downAfter', 'allocation.target', 'allocation.recent', 'pollInterval'],
    (settings, { poller }) => {
      poller.reconfigure({ rules: fleetRules(settings), interval: settings.pollInterval });
    },
  ),
  row(
    'probe',
    [
      ...(['pollSsl', 'pollTimeout', 'pollInterval', 'gateway.enabled', 'gateway.routes', 'server'] as const),
      // Open connections to registered servers were allowed by the previous rules.
      ...(['registration.allowPrivate', 'registration.allowLoopback'] as const),
    ],
    (settings, { poller, createProbe }) => {
      poller.replaceProbe(createProbe(settings));
    },
  ),
  row('fleet', ['simulationServers'], (settings, { membership }) => {
    membership.set('configured', settings.simulationServers);
  }),
  row('counted sessions', ['gateway.enabled', 'gateway.routes', 'server', 'waiting.relay'], (_settings, { membership }) => {
    membership.recount();
  }),
  row(
    'notifications',
    [
      ...(['mail', 'webhooks', 'pollInterval'] as const),
      ...(['server', 'ssl', 'port', 'portRewrite'] as const),
      ...(['gateway.enabled', 'gateway.port', 'gateway.publicPort', 'gateway.tls'] as const),
    ],
    async (settings, { notifying }, { createNotifiers }) => {
      await notifying.reconfigure({ rules: incidentRules(settings.pollInterval), notifiers: createNotifiers(settings) });
    },
  ),
  row('registered servers', ['registration', 'gateway.enabled', 'gateway.routes', 'server'], (_settings, { registered }) => {
    registered.reconfigure();
  }),
  row('client addresses', ['trustedProxies'], (_settings, _parts, { edge }) => {
    edge.reconfigure();
  }),
];

/** Keys that every part reads again each time it needs them. */
export const READ_AT_EACH_USE: readonly SettingsKey[] = [
  ...([
    'handOutSsl',
    'allowedOrigins',
    'projects.otherHosts',
    'admin.tokens',
    'monitor.title',
    'monitor.access',
    'monitor.origin',
    'languages',
    'reservations',
  ] as const),
  ...(['limits.clients', 'limits.bodyBytes', 'limits.bufferBytes', 'limits.metricsServers'] as const),
  ...(['gateway.acmeDir', 'gateway.limits'] as const),
];

/** Returns the keys that need a restart. */
export async function reload(wanted: Settings, started: Settings, parts: Parts, running: Running): Promise<readonly string[]> {
  const { current, membership, queue } = parts;
  const { settings: next, afterRestart } = inForce(started, wanted);
  const before = current.settings;
  current.settings = next;
  // A change in DNS is a reason to reload, too.
  running.nameChecks.wake();
  if (isDeepStrictEqual(before, next)) return afterRestart;
  for (const { apply } of affected(before, next)) await apply(next, parts, running);
  membership.reroute();
  reconcileIncidents(parts);
  queue.refresh();
  return afterRestart;
}

/** The rows that read a key whose value differs. */
export function affected(before: Settings, next: Settings): readonly Reconfiguration[] {
  return RECONFIGURATIONS.filter(({ reads }) =>
    reads.some((key) => !isDeepStrictEqual(valueAt(before, key), valueAt(next, key))),
  );
}

function row<K extends SettingsKey>(
  part: string,
  reads: readonly K[],
  apply: (settings: Chosen<K>, parts: Parts, running: Running) => void | Promise<void>,
): Reconfiguration {
  return { part, reads, apply: (settings, parts, running) => apply(settings as unknown as Chosen<K>, parts, running) };
}

function valueAt(settings: Settings, key: SettingsKey): unknown {
  return key.split('.').reduce<unknown>(below, settings);
}
