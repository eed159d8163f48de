/**
 * What the program runs with: the configuration with everything resolved and parsed, so that no other code has to know a default, a spelling or
 * an environment variable. `toSettings` is pure.
 *
 * Names are those of the configuration file; a key with a richer value has a type here.
 */
import { dirname, join } from 'node:path';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { parseHostAndPort } from '../core/fleet/host-and-port.ts';
import type { SimulationServer } from '../core/fleet/simulation-server.ts';
import { parseRoutes, type GatewayRoutes } from '../core/gateway/gateway-routes.ts';
import type { WebhookFormat } from '../core/incidents/webhook-format.ts';
import type { Configuration } from './schema.ts';
import { endpointOf, type SimulationServerEntry } from './schema/simulation-servers.ts';
import type { Secrets } from './secrets.ts';
import type { StoreFiles } from './store-files.ts';
import { absolutePath, type Environment } from './environment.ts';

/** Keys whose value is the same as in the file. */
type Plain = Omit<Configuration, (typeof RICHER)[number]>;

/** Keys whose value is resolved or parsed. */
const RICHER = [
  ...(['$schema', 'administrator', 'mailServer', 'mailServerPort', 'mailServerTls', 'mailSender', 'mailSenderUser'] as const),
  ...(['mailSenderPassword', 'simulationServers', 'webhooks', 'gateway', 'replicas', 'logDir', 'stateDir'] as const),
  ...(['handOutSsl', 'pollSsl', 'allowedOrigins'] as const),
] as const;

export interface Settings extends Readonly<Plain> {
  /** In the order of the file, each machine once. */
  readonly simulationServers: readonly SimulationServer[];
  /** Absent: e-mail is disabled. */
  readonly mail?: MailSettings;
  readonly webhooks: readonly WebhookSettings[];
  readonly gateway: GatewaySettings;
  /** Absent: it is the only session server of its fleet. */
  readonly replicas?: ReplicaSettings;
  /** Absolute path. */
  readonly logDir: string;
  /** Absolute path. */
  readonly stateDir: string;
  /** `wss` in the URLs that are handed out. */
  readonly handOutSsl: boolean;
  /** `https` in the URLs that are polled. */
  readonly pollSsl: boolean;
  /** As browsers send them in the header `Origin`. Absent: all are allowed. */
  readonly allowedOrigins?: readonly string[];
}

export interface MailSettings {
  /** Address of the receiver; several with commas between them. */
  readonly administrator: string;
  /** SMTP host. */
  readonly server: string;
  /** SMTP port; 25 when none is named. */
  readonly port: number;
  /** TLS from the first byte. Absent: on port 465 only. */
  readonly tls?: boolean;
  /** Address of the sender. */
  readonly sender: string;
  readonly user: string;
  /** STARTTLS and login are used exactly when it is present. */
  readonly password?: string;
}

export interface WebhookSettings {
  readonly url: string;
  readonly secret?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: WebhookFormat;
}

export interface GatewaySettings extends Readonly<Omit<Configuration['gateway'], 'tls' | 'acmeDir' | 'routes'>> {
  /** Absolute paths. Absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Absolute path. */
  readonly acmeDir?: string;
  readonly routes: GatewayRoutes;
}

type ReplicaConfiguration = NonNullable<Configuration['replicas']>;

/** `password` is the one of `passwordFile` if that is given. */
export interface ReplicaSettings extends Readonly<ReplicaConfiguration> {
  /** The content of `authority`, `certificate` and `key`. */
  readonly files?: StoreFiles;
}

/** SMTP's own port, which the original uses with and without a password. */
const SMTP_PORT = 25;

export function toSettings(configuration: Configuration, secrets: Secrets, environment: Environment): Settings {
  const { ssl, handOutSsl = ssl, pollSsl = ssl, stateDir, allowedOrigins, webhooks, simulationServers } = configuration;
  const logDir = absolutePath(configuration.logDir, environment);
  const mail = mailSettings(configuration, secrets);
  return {
    ...without(RICHER, configuration),
    ...{ handOutSsl, pollSsl, logDir },
    simulationServers: distinct(simulationServers.flatMap(simulationServerSettings)),
    ...(mail !== undefined && { mail }),
    gateway: gatewaySettings(configuration, environment),
    ...(configuration.replicas !== undefined && { replicas: replicaSettings(configuration.replicas, secrets) }),
    webhooks: webhooks.map(({ url, headers, format }, index) => {
      const secret = secrets.webhookSecrets.get(index);
      return { url, headers, format, ...(secret !== undefined && { secret }) };
    }),
    stateDir: stateDir === undefined ? join(dirname(logDir), 'state') : absolutePath(stateDir, environment),
    ...(allowedOrigins !== undefined && { allowedOrigins: allowedOrigins.map(originAsSent) }),
  };
}

function without<T extends object, K extends keyof T & string>(keys: readonly K[], value: T): Omit<T, K> {
  const left: ReadonlySet<string> = new Set(keys);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !left.has(key))) as Omit<T, K>;
}

/** An entry of `simulationServers`; nothing for an address that the schema rejects. */
export function simulationServerSettings(entry: string | SimulationServerEntry): SimulationServer[] {
  const full: SimulationServerEntry =
    typeof entry === 'string' ? { address: entry, weight: 1, shareIdleTime: 0, labels: {} } : entry;
  const { weight, maxSessions, allowedRepositories, blockedRepositories, shareIdleTime, labels } = full;
  const endpoint = endpointOf(entry);
  if (endpoint === undefined) return [];
  return [
    {
      endpoint,
      ...{ weight, shareIdleTime, labels },
      ...(maxSessions !== undefined && { maxSessions }),
      ...(allowedRepositories !== undefined && { allowedRepositories }),
      ...(blockedRepositories !== undefined && { blockedRepositories }),
    },
  ];
}

/** The first of several entries with the same identity counts. */
function distinct(servers: readonly SimulationServer[]): SimulationServer[] {
  const byId = new Map<ServerId, SimulationServer>();
  for (const server of servers) if (!byId.has(server.endpoint.id)) byId.set(server.endpoint.id, server);
  return [...byId.values()];
}

/** Without a receiver, a server and a sender no e-mail is sent (docs/design/protocol.md, "Configuration file"). */
function mailSettings(configuration: Configuration, { mailPassword: password }: Secrets): MailSettings | undefined {
  const { mailServer, mailServerPort = 0, mailServerTls: tls } = configuration;
  if (configuration.administrator === undefined || mailServer === undefined || configuration.mailSender === undefined)
    return undefined;
  const administrator = mailboxesOf(configuration.administrator).join(', ');
  const sender = mailboxOf(configuration.mailSender);
  const { mailSenderUser: user = sender } = configuration;
  const read = parseHostAndPort(mailServer);
  if (read.kind === 'invalid') return undefined;
  // The original takes `host:587` when no port is named elsewhere.
  const port = mailServerPort > 0 ? mailServerPort : (read.port ?? SMTP_PORT);
  const optional = { ...(tls !== undefined && { tls }), ...(password !== undefined && { password }) };
  return { administrator, server: read.host, port, sender, user, ...optional };
}

/**
 * Without the name before it: docs/design/protocol.md, "Notifications by e-mail" says which names are in the
 * messages.
 */
function mailboxOf(address: string): string {
  return /<([^<>]*)>$/.exec(address)?.[1] ?? address;
}

/** The mailboxes of a list. A comma may be part of a quoted name. */
function mailboxesOf(list: string | readonly string[]): string[] {
  const addresses = typeof list === 'string' ? (list.match(/(?:"[^"]*"|[^",])+/g) ?? []) : list;
  return addresses.map((address) => mailboxOf(address.trim()));
}

function gatewaySettings(
  { gateway: { tls, acmeDir, routes, ...rest } }: Configuration,
  environment: Environment,
): GatewaySettings {
  const read = parseRoutes(routes);
  return {
    ...rest,
    ...(tls !== undefined && { tls: { cert: absolutePath(tls.cert, environment), key: absolutePath(tls.key, environment) } }),
    ...(acmeDir !== undefined && { acmeDir: absolutePath(acmeDir, environment) }),
    routes: read.kind === 'routes' ? read.routes : [],
  };
}

function replicaSettings(
  configuration: ReplicaConfiguration,
  { storePassword: password, storeFiles: files }: Secrets,
): ReplicaSettings {
  return { ...configuration, ...(password !== undefined && { password }), ...(files !== undefined && { files }) };
}

/** Host in small letters, no default port, no slash at the end: browsers send it so, and it is compared letter by letter. */
function originAsSent(origin: string): string {
  return origin === 'null' ? origin : new URL(origin).origin;
}
