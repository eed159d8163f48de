/** What the session server needs from outside, and its implementations in production. Simulations of whole days pass in others. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Demo } from '../core/views/demo-view.ts';
import { webSocketUrl } from '../core/fleet/endpoint.ts';
import type { Decision } from '../core/views/decision.ts';
import { insideEndpoint } from '../core/gateway/gateway-routes.ts';
import type { Journal } from '../engine/replicas/journal.ts';
import type { ReplicaWatch } from '../engine/replicas/replica-watch.ts';
import type { SharedSignIns } from '../engine/replicas/shared-sign-ins.ts';
import type { SharedPolling } from '../engine/replicas/shared-polling.ts';
import type { SharedAdmission } from '../engine/replicas/shared-admission.ts';
import type { RenderClassPage } from '../http/clients/class-routes.ts';
import type { EdgePort } from '../http/edge-port.ts';
import { startEdge, type Edge, type EdgeOptions, type Pages } from '../http/edge.ts';
import type { MonitorPages } from '../http/operators/monitor-routes.ts';
import type { ReferencePage } from '../http/server/reference-page.ts';
import { readAssets, readClientAssets, readPageAssets } from '../http/server/page-assets.ts';
import type {
  CalendarReader,
  Clock,
  HistoryFile,
  Log,
  NameLookup,
  NewId,
  Notifier,
  OutgoingProxies,
  Probe,
  Random,
  StateStore,
} from '../ports.ts';
import { createClientCheck } from '../probes/client-check.ts';
import { createLoadProbe, type LoadProbeOptions } from '../probes/load.ts';
import { createRoutedProbe } from '../probes/routed.ts';
import { probeUpgrade } from '../probes/upgrade.ts';
import { createFileStore } from '../stores/file.ts';
import { createHistoryFile } from '../stores/history-file.ts';
import { packageRoot } from '../system/package-root.ts';
import { configuredNotifiers, type NotifierSettings } from './configured-notifiers.ts';
import type { Chosen } from './settings-keys.ts';

export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Log;
  readonly names: NameLookup;
  readonly version: string;
  /** For polls and webhooks. Absent: connections are direct. */
  readonly proxies?: OutgoingProxies | undefined;
  /** Absent: this is not the demo. */
  readonly demo?: Demo;
  /** Gets each decision that is recorded. */
  readonly decided?: (decision: Decision) => void;
  /** Absent: it is the only replica. */
  readonly leading?: Leading;
}

/** What the leader of several replicas shares with the others. */
export interface Leading {
  readonly journal: Journal;
  readonly admission: SharedAdmission;
  readonly watch: ReplicaWatch;
  readonly signIns: SharedSignIns;
  readonly port: EdgePort;
  /** Whether this replica has lost its connections. */
  readonly isGone: (replica: string) => boolean;
  readonly polling: Pick<SharedPolling, 'lead' | 'probed'>;
}

export interface Adapters {
  readonly createProbe: (settings: ProbeSettings, environment: Environment, guard?: Guard) => Probe;
  readonly createStore: (settings: Settings, log: Log) => StateStore;
  /** Absent: the history of the charts is not saved. */
  readonly createHistoryFile?: (settings: Settings) => HistoryFile;
  readonly createNotifiers: (settings: NotifierSettings, environment: Environment) => Notifier[];
  readonly startEdge: (options: EdgeOptions) => Promise<Edge>;
}

export type Guard = NonNullable<LoadProbeOptions['guard']>;
export type ProbeSettings = Chosen<'pollSsl' | 'pollTimeout' | 'pollInterval' | 'gateway.enabled' | 'gateway.routes' | 'server'>;

/** The page is loaded at its first view: it takes a tenth of the memory of an idle session server. */
const pages: MonitorPages = {
  monitor: async (...page) => (await import('../web/render.ts')).renderMonitorPage(...page),
  entrance: async (...page) => (await import('../web/render.ts')).renderSignInPage(...page),
};

const visitorPages: Pages['visitors']['render'] = {
  landing: async (...page) => (await import('../web/visitors/render.ts')).renderLandingPage(...page),
  session: async (...page) => (await import('../web/visitors/render.ts')).renderSessionPage(...page),
  demo: async (...page) => (await import('../web/visitors/render.ts')).renderDemoPage(...page),
};

const renderApiReference: ReferencePage['render'] = async (...page) =>
  (await import('../web/api-reference/render.ts')).renderApiReference(...page);
const renderClassPage: RenderClassPage = async (...page) => (await import('../web/classes/render.ts')).renderClassPage(...page);

/** Both libraries are loaded at the first import. */
const calendars: CalendarReader = {
  read: async (...calendar) => (await import('../calendar/read-calendar.ts')).readCalendar(...calendar),
};

export const realAdapters: Adapters = {
  createProbe: loadProbe,
  createStore: ({ stateDir: folder }, log) => createFileStore({ folder, log }),
  createHistoryFile: ({ stateDir }) => createHistoryFile(stateDir),
  createNotifiers: configuredNotifiers,
  async startEdge(options) {
    const folder = join(packageRoot, 'dist', 'web');
    const read = (page: Parameters<typeof readPageAssets>[1]) => readPageAssets(folder, page);
    const [assets, visitors, viewer, classAssets, client, { styles }] = await Promise.all([
      read('monitor'),
      read('visitors'),
      read('viewer'),
      read('classes'),
      readClientAssets(folder),
      readAssets(folder, { styles: 'api.css' }),
    ]);
    const reference: ReferencePage = { styles, render: renderApiReference };
    return startEdge(options, {
      monitor: { assets, pages },
      visitors: { assets: { visitors, viewer }, render: visitorPages },
      classes: { assets: classAssets, render: renderClassPage },
      client,
      reference,
      calendars,
    });
  },
};

function loadProbe(
  { pollSsl, pollTimeout, pollInterval, gateway, server }: ProbeSettings,
  environment: Environment,
  guard?: Guard,
): Probe {
  // A connection has to outlive the pause between two polls, or each poll would open a new one.
  const common = { timeout: pollTimeout, keepAlive: 3 * pollInterval + 5, environment };
  const outside = checkedProbe({ ...common, ssl: pollSsl, guard, proxies: environment.proxies });
  if (!gateway.enabled) return outside;
  // Not guarded: the operator wrote where the routes go.
  const inside = checkedProbe({ ...common, ssl: false });
  return createRoutedProbe({ outside, inside, locate: (endpoint) => insideEndpoint(gateway.routes, endpoint, server) });
}

interface CheckedProbeOptions {
  readonly ssl: boolean;
  readonly timeout: number;
  readonly keepAlive: number;
  readonly environment: Environment;
  readonly guard?: Guard | undefined;
  readonly proxies?: OutgoingProxies | undefined;
}

/** Asks for `/load`, and for `/client` by the same scheme. */
function checkedProbe({ environment, guard, ...options }: CheckedProbeOptions): Probe {
  const { clock, names } = environment;
  const now = () => clock.now();
  return createClientCheck({
    probe: createLoadProbe({ ...options, names, now, ...(guard !== undefined && { guard }) }),
    now,
    check(endpoint, signal) {
      const guarded = guard?.(endpoint.id);
      return probeUpgrade(`${webSocketUrl(endpoint, options.ssl)}/client`, {
        ...{ timeout: options.timeout, lookup: guarded ?? names.lookup, signal },
        proxies: guarded === undefined ? options.proxies : undefined,
      });
    },
  });
}
