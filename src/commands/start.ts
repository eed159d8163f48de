/** `session-server start` and `session-server agent`. The configuration is read again at SIGHUP and when the file changes. */
import { randomUUID } from 'node:crypto';
import type { Agent, AgentOptions } from '../agent/server.ts';
import type { App, Environment } from '../app/index.ts';
import type { Loaded } from '../config/load.ts';
import { isOfPackage } from '../config/find.ts';
import { loadConfiguration } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Settings } from '../config/settings.ts';
import { watchConfiguration } from '../config/watch.ts';
import type { Demo } from '../core/views/demo-view.ts';
import { hostInUrl } from '../core/fleet/endpoint.ts';
import { addressKind } from '../core/fleet/ip-address.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import { AGENT_CONNECTIONS } from '../http/server/descriptors.ts';
import { logPath, logsToStdout, openLog, type OpenLog } from '../logging/log.ts';
import { packageRoot } from '../system/package-root.ts';
import { readOutgoingProxies } from '../system/outgoing-proxies.ts';
import { lockFolder } from '../system/folder-lock.ts';
import { tuneForFleet } from '../system/process-memory.ts';
import { systemClock } from '../system/system-clock.ts';
import { certificateProblems, readConfiguration } from './configuration.ts';
import { FAILED, ProcessLifecycle } from './process-lifecycle.ts';
import { version } from '../system/version.ts';
import type { Tracing } from '../tracing/tracing.ts';

/** Port of a load agent that is started beside the session server. */
const AGENT_PORT = 2000;

export interface StartOptions {
  /** Port of a load agent beside the session server; `true`: the usual one. */
  readonly agent?: number | true;
  /** Starts something beside the session server; `false`: it did not start, and said why. */
  readonly beside?: (life: ProcessLifecycle) => Promise<boolean>;
  /** The page to open; all that is said then. */
  readonly page?: string;
  /** The demo, of which the pages show a part. */
  readonly demo?: Demo;
  /** Seconds in which everything has to stop. */
  readonly maxStop?: number;
}

export async function startCommand(file: string | undefined, options: StartOptions): Promise<void> {
  const { maxStop, beside } = options;
  // From the first moment on: a supervisor may change its mind, and the file may change, while the program is still starting.
  const life = new ProcessLifecycle({ reloads: true, ...(maxStop !== undefined && { maxStop }) });
  const besideStarts = beside?.(life);
  const loaded = await readConfiguration(file);
  if (loaded === undefined && beside !== undefined) await life.stop();
  if (loaded === undefined || life.ending) return;
  // Most of the time of a start goes into loading it, and what starts beside it takes long, too.
  if (beside !== undefined) await import('../app/index.ts');
  if ((await besideStarts) === false) return;
  const { settings } = loaded;
  tuneForFleet(settings.simulationServers.length);
  const { logDir, debug, logTo, logLevel, logFormat: format } = settings;
  const log = openLog({ logDir, debug, logTo, logLevel, format, clock: systemClock });
  life.log = log;
  life.endOnBugs(log);
  for (const warning of loaded.warnings) log.warn(formatProblem(warning));

  const starting = startServer(settings, log, options.demo);
  const reloading = startReloading(loaded.path, starting, log);
  const watching = watchConfiguration(loaded.path, { clock: systemClock, changed: () => reloading.wake() });
  life.add(reloading, { stop: async () => (await watching).stop() }, { stop: async () => (await starting)?.stop() });
  life.onReload(() => {
    log.reopen();
    reloading.wake();
  });

  const agentPort = options.agent === true ? AGENT_PORT : options.agent;
  // Its connections are descriptors of this process, and the budget of the clients leaves room for so many.
  const limits = { connections: AGENT_CONNECTIONS };
  const agent =
    agentPort === undefined
      ? undefined
      : await startAgentOrSay({ port: agentPort, log, limits, trial: true }, ['--agent', agentPort]);
  if (agent !== undefined) life.add({ stop: () => agent.close() });
  const app = await starting;
  if (app === undefined || (agentPort !== undefined && agent === undefined)) {
    await life.stop();
    return;
  }
  log.info(`Session server running on port ${app.port}`, { version, configuration: loaded.path });
  if (options.page !== undefined) {
    console.log(`Open http://${reachedAt(settings.listen)}:${app.port}/${options.page}`);
    return;
  }
  sayWhatRuns(loaded, app, agent?.port);
  if (agent === undefined && isOfPackage(loaded.path, packageRoot)) console.log(NOTHING_CONFIGURED);
}

interface AgentCommandOptions {
  readonly port: number;
  readonly host?: string;
  readonly trial?: boolean;
}

export async function agentCommand({ port, ...options }: AgentCommandOptions): Promise<void> {
  const life = new ProcessLifecycle({ reloads: false });
  const { host } = options;
  const addresses: KeyAndValue[] = host === undefined ? [] : [['--host', host]];
  const agent = await startAgentOrSay({ port, ...options }, ['--port', port], addresses);
  if (agent === undefined) return;
  life.add({ stop: () => agent.close() });
  console.log(`Load agent running on port ${agent.port}: http://${reachedAt(host)}:${agent.port}/monitor`);
}

/** `undefined`: it cannot listen, which was said. */
async function startServer(settings: Settings, log: OpenLog, demo?: Demo): Promise<App | undefined> {
  // Loaded only now: most of the time of a start goes into it, and commands that run nothing do not need it.
  const { startApp } = await import('../app/index.ts');
  const { createSharedLookup } = await import('../probes/shared-lookup.ts');
  const { proxies, problems } = readOutgoingProxies(process.env);
  for (const problem of problems) log.warn(problem);
  if (proxies !== undefined) log.info('polls and webhooks use the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY');
  const tracing = await tracingIfConfigured(settings, log);
  const environment: Environment = {
    ...{ clock: systemClock, random: Math.random, newId: () => randomUUID(), log, version },
    names: createSharedLookup(),
    ...(proxies !== undefined && { proxies }),
    ...(demo !== undefined && { demo }),
    ...(tracing !== undefined && { decided: tracing.decided }),
  };
  const lock = await lockState(settings.stateDir, log);
  if (lock === undefined) return undefined;
  try {
    const app =
      settings.replicas === undefined
        ? await startApp(settings, environment)
        : await (await import('../app/replicated.ts')).startReplicated(settings.replicas, settings, environment);
    return {
      ...app,
      async stop() {
        await app.stop();
        await tracing?.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();

    const { port, listen, gateway } = settings;
    const addresses: KeyAndValue[] = [
      ['listen', listen],
      ['gateway.listen', gateway.listen],
    ];
    const ports: KeyAndValue[] = [
      ['port', port],
      ['gateway.port', gateway.port],
      ['gateway.redirectFrom', gateway.redirectFrom],
    ];
    sayCannotListen(error, ports, addresses);
    return undefined;
  }
}

/** Its libraries are not loaded otherwise. */
async function tracingIfConfigured({ tracing: { endpoint } }: Settings, log: OpenLog): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { startTracing } = await import('../tracing/tracing.ts');
  return startTracing({ endpoint, version, log });
}

/** Two processes would overwrite what the other one saved. `undefined`: another one has the folder, which was said. */
async function lockState(folder: string, log: OpenLog): Promise<{ readonly release: () => Promise<void> } | undefined> {
  const lock = await lockFolder(folder);
  if (lock.kind === 'locked') return lock;
  if (lock.kind === 'impossible') {
    log.warn(`the state folder ${folder} cannot be locked; run only one session server with it`, { error: lock.error });
    return { release: () => Promise.resolve() };
  }
  const fix = 'stop that one first, or give each a "stateDir" of its own';
  console.error(`error: stateDir: ${folder} — another session server (process ${lock.holder}) uses it; ${fix}`);
  process.exitCode = FAILED;
  return undefined;
}

/** As `startServer`. */
async function startAgentOrSay(
  options: Omit<AgentOptions, 'clock'>,
  port: KeyAndValue,
  addresses: readonly KeyAndValue[] = [],
): Promise<Agent | undefined> {
  const { startAgent } = await import('../agent/server.ts');
  try {
    return await startAgent({ ...options, clock: systemClock });
  } catch (error) {
    sayCannotListen(error, [port], addresses);
    return undefined;
  }
}

type KeyAndValue = readonly [key: string, value: string | number | undefined];

/** One line that names the port or the address with its key, and exit status 1. Anything else is not expected here. */
function sayCannotListen(error: unknown, ports: readonly KeyAndValue[], addresses: readonly KeyAndValue[]): void {
  // `hostname`: the name service could not resolve it.
  const { code, port, address, hostname = address } = error as Readonly<Record<string, unknown>>;
  const aboutPort: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program uses it; stop that program, or choose another port',
    EACCES: 'this user cannot listen on it; choose a port from 1024 on, or grant the capability CAP_NET_BIND_SERVICE',
  };
  const aboutAddress: Readonly<Record<string, string>> = {
    EADDRNOTAVAIL: 'this machine does not have the address; use one that it has',
    EAFNOSUPPORT: 'this machine has no addresses of that kind; use one that it has',
    EINVAL: 'this machine does not have the address; use one that it has',
    ENOTFOUND: 'the name does not exist; write an IP address',
    EAI_AGAIN: 'the DNS server does not answer; write an IP address',
  };
  if (typeof code !== 'string') throw error;
  const [places, wrong] = code in aboutPort ? [ports, port] : [addresses, hostname];
  const place = places.find(([, value]) => value === wrong) ?? places[0];
  const reason = aboutPort[code] ?? aboutAddress[code];
  if (place === undefined || reason === undefined) throw error;
  const [key, value] = place;
  console.error(`error: ${key}: ${value} — ${reason}`);
  process.exitCode = FAILED;
}

const NOTHING_CONFIGURED = `
No configuration file was named, so this is the example of the package. Its only simulation server is localhost:2000.
To try the program with a robot to drive:  session-server demo
To configure this machine as a service:    session-server setup
To use a configuration file of your own:   session-server FILE`;

/** What runs where, and what to open next. */
function sayWhatRuns({ path, settings }: Loaded, { port }: App, agentPort: number | undefined): void {
  const servers = settings.simulationServers.length;
  const host = reachedAt(settings.listen);
  // A collector reads JSON lines there and nothing else.
  const isHere = logsToStdout(settings);
  const say = isHere && settings.logFormat === 'json' ? console.error : console.log;
  say(`Session server ${version} on port ${port}, configured by ${path}`);
  say(
    agentPort === undefined
      ? `Simulation servers: ${servers}`
      : `Load agent of this machine on port ${agentPort}; simulation servers: ${servers}`,
  );
  say(`Log: ${isHere ? 'here' : logPath(settings.logDir)}`);
  say(`Open http://${host}:${port}/monitor, or ask: curl ${host}:${port}/livez`);
}

/** How a browser on this machine reaches what listens on `address`. */
function reachedAt(address: string | undefined): string {
  const isLocal = address === undefined || address === '127.0.0.1' || address === '::1' || addressKind(address) === 'unspecified';
  return isLocal ? 'localhost' : hostInUrl(address);
}

/** Reads the file again whenever it is woken, one reading at a time. */
function startReloading(path: string, starting: Promise<App | undefined>, log: OpenLog): Loop {
  return startLoop({
    clock: systemClock,
    delay: Infinity,
    cycle: async () => {
      const app = await starting;
      if (app !== undefined) await reloadOnce(path, app, log);
      return Infinity;
    },
    failed: (error) => {
      log.error('reloading the configuration failed inside the session server; the current one stays active', { error });
      return Infinity;
    },
  });
}

async function reloadOnce(path: string, app: App, log: OpenLog): Promise<void> {
  const result = await loadConfiguration(path);
  const aboutCertificate = result.kind === 'loaded' ? await certificateProblems(result.settings) : [];
  for (const warning of [...result.warnings, ...aboutCertificate]) log.warn(formatProblem(warning));
  if (result.kind === 'refused') {
    for (const problem of result.problems) log.error(formatProblem(problem));
    log.error('the new configuration is rejected; the current one stays active', { path });
    return;
  }
  const settings: Settings = result.settings;
  const afterRestart = await app.reload(settings);
  log.info('configuration read again', { path, simulationServers: settings.simulationServers.length });
  if (afterRestart.length > 0) log.warn(`these keys take effect after a restart: ${afterRestart.join(', ')}`);
}
