/**
 * `session-server setup replicas`: from the configuration of one session server to those of several replicas, their systemd units, and the sites of the
 * reverse proxies that find the leader. All files are written into one folder, from where they are copied to the machines.
 */
import { getServers } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readInstalled, REFUSED } from '../commands/configuration.ts';
import { isObject } from '../config/keys.ts';
import { parse, type Loaded } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { validate } from '../config/validate.ts';
import { packageRoot } from '../system/package-root.ts';
import { present, type WriteFlags } from './setup.ts';
import type { PlannedFile } from './setup/files.ts';
import { readRoutes } from './setup/questions.ts';
import { reverseProxyOf } from './setup/reverse-proxy.ts';
import { caddyfile, haproxyBackend, nginxSite } from './setup/site-files.ts';
import { systemdUnit } from './setup/systemd-unit.ts';

export interface ReplicasSetupOptions extends WriteFlags {
  readonly store: string;
  /** `name=host:port` each. */
  readonly replica: readonly string[];
  readonly route?: readonly string[];
  /** Folder. */
  readonly output: string;
}

interface Named {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Where the configuration is on each machine, and beside it the password. */
const CONFIGURATION = '/etc/session-server/session.json';
const MIN_REPLICAS = 2;

type Plan =
  | { readonly kind: 'planned'; readonly replicas: readonly Named[]; readonly files: readonly PlannedFile[] }
  | { readonly kind: 'refused'; readonly reason: string };

export async function setupReplicasCommand(file: string | undefined, options: ReplicasSetupOptions): Promise<void> {
  const loaded = await readInstalled(file);
  if (loaded === undefined) return;
  const plan = planOf(loaded, await readFile(loaded.path), options);
  if (plan.kind === 'refused') {
    console.error(`error: ${plan.reason}`);
    process.exitCode = REFUSED;
    return;
  }
  if ((await present(plan.files, options, undefined)) === 'done' && options.json !== true) console.log(steps(plan.replicas));
}

function planOf({ path, settings }: Loaded, bytes: Uint8Array, options: ReplicasSetupOptions): Plan {
  const { store, output } = options;
  const replicas = options.replica.flatMap((text) => readReplica(text) ?? []);
  if (replicas.length < options.replica.length || replicas.length < MIN_REPLICAS)
    return refused('name at least two replicas as NAME=HOST:PORT: --replica a=10.0.0.11:1999 --replica b=10.0.0.12:1999');
  const routes = readRoutes(options.route ?? []);
  // A replica listens for the reverse proxies of other machines.
  const site = routes.kind === 'refused' ? routes : reverseProxyOf({ ...settings, listen: '::' }, routes.routes);
  if (site.kind === 'refused') return site;
  const written = parse(path, bytes);
  if (written.kind === 'problem' || !isObject(written.value)) return refused(`${path} has changed; try again`);
  const { value } = written;
  const configurations = replicas.map((replica) => configurationOf(value, replica, store));
  const [problem] = configurations.flatMap((configuration) => validate(configuration).problems);
  if (problem !== undefined) return refused(formatProblem(problem));
  const addresses = replicas.map(({ address }) => address);
  const reverseProxy = { ...site.reverseProxy, replicas: addresses };
  const file = (name: string, text: string, mode = 0o644) => ({ path: join(resolve(output), name), text, mode });
  const files = [
    ...replicas.flatMap((replica, i) => [
      file(`${replica.name}/session.json`, `${JSON.stringify(configurations[i], undefined, 2)}\n`, 0o640),
      file(`${replica.name}/session-server.service`, unitOf(replica)),
    ]),
    file('nginx.conf', nginxSite(reverseProxy, getServers())),
    file('Caddyfile', caddyfile(reverseProxy)),
    file('haproxy-backend.cfg', haproxyBackend(addresses)),
  ];
  return { kind: 'planned', replicas, files };
}

function refused(reason: string): Plan {
  return { kind: 'refused', reason };
}

/** As the operator wrote it, with what this replica needs. */
function configurationOf(written: Readonly<Record<string, unknown>>, { name, address, port }: Named, store: string) {
  const { listen, replicas: _, ...rest } = written;
  const own = { store, passwordFile: join(dirname(CONFIGURATION), 'store-password'), name, address: `http://${address}` };
  return { ...rest, ...(listen !== '127.0.0.1' && listen !== undefined && { listen }), port, replicas: own };
}

function readReplica(text: string): Named | undefined {
  const [, name = '', address = '', port] =
    /^([\w.-]{1,100})=((?:[A-Za-z0-9.-]{1,200}|\[[0-9A-Fa-f:.]+\]):(\d{1,5}))$/.exec(text) ?? [];
  return port === undefined ? undefined : { name, address, port: Number(port) };
}

function unitOf({ port }: Named): string {
  const program = resolve(packageRoot, 'bin', 'session-server.mjs');
  return systemdUnit({ node: process.execPath, program, configuration: CONFIGURATION, lowPorts: port < 1024 });
}

function steps(replicas: readonly Named[]): string {
  return [
    '',
    ...replicas.map(
      ({ name }) => `On the machine of ${name}: copy its session.json to ${CONFIGURATION} and its unit to /etc/systemd/system/,`,
    ),
    `  write the password of the store to ${join(dirname(CONFIGURATION), 'store-password')}, and run: systemctl enable --now session-server`,
    'On the reverse proxy: use one of nginx.conf, Caddyfile and haproxy-backend.cfg. docs/how-to/replicas.md has the details.',
    `Then check each machine: session-server doctor --config ${CONFIGURATION}`,
  ].join('\n');
}
