/**
 * Unknown keys. They cause a warning and are ignored, never rejected: the original ignores them, and configuration files of ten years are in use.
 * Each warning says which key was probably meant, from three sources: spellings seen in the field, near misses, and keys of the same name in another
 * section. The value is not shown: it may be a password under a misspelt key.
 */
import { nearest } from '../core/text/nearest.ts';
import { allKeys, choose, infoBelow, isObject, type KeyInfo, root } from './keys.ts';
import { formatKey, type KeyPath, type Problem } from './problem.ts';

export interface KnownPart {
  readonly known: Readonly<Record<string, unknown>>;
  readonly warnings: readonly Problem[];
}

/** The part of a configuration file with keys that exist, and a warning for every other key. */
export function removeUnknownKeys(file: Readonly<Record<string, unknown>>): KnownPart {
  const warnings: Problem[] = [];
  const known = knownPart(file, root, [], warnings);
  return { known: isObject(known) ? known : {}, warnings };
}

function knownPart(value: unknown, offered: KeyInfo, path: KeyPath, warnings: Problem[]): unknown {
  const info = choose(offered, value);
  if (Array.isArray(value)) {
    const { entry } = info;
    if (info.type !== 'list' || entry === undefined) return value;
    return value.map((item: unknown, index) => (isObject(item) ? knownPart(item, entry, [...path, index], warnings) : item));
  }
  if (!isObject(value) || info.type !== 'object') return value;
  const known: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    const below = infoBelow(info, key);
    if (below === undefined) warnings.push(unknownKey([...path, key], info, key));
    else known.push([key, knownPart(item, below, [...path, key], warnings)]);
  }
  return Object.fromEntries(known);
}

function unknownKey(path: KeyPath, section: KeyInfo, key: string): Problem {
  return {
    key: formatKey(path),
    value: 'unknown key, ignored',
    expected: 'a documented key',
    fix: adviceFor(section, key, formatKey(path.slice(0, -1))),
  };
}

function adviceFor(section: KeyInfo, key: string, where: string): string {
  const plain = simplify(key);
  const foreign = section === root ? foreignKeys.get(plain) : undefined;
  if (foreign !== undefined) return foreign;
  const seen = (section === root ? seenSpellings : seenInEntries).get(plain);
  const plainKeys = new Map([...section.keys.keys()].map((known) => [simplify(known), known]));
  const meant = seen !== undefined && section.keys.has(seen) ? seen : plainKeys.get(nearest(plain, plainKeys.keys()) ?? '');
  if (meant !== undefined) return `did you mean "${where === '' ? meant : `${where}.${meant}`}"?`;
  const elsewhere = [...allKeys().keys()].find((dotted) => simplify(dotted.slice(dotted.lastIndexOf('.') + 1)) === plain);
  return elsewhere === undefined
    ? 'remove it, or look up its name in docs/reference/configuration.md'
    : `did you mean "${elsewhere}"?`;
}

/** Small letters alone, so that `port_rewrite` and `PortRewrite` are near. */
function simplify(key: string): string {
  return key
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** Other names for a key, taken from documentation and files in use. */
const seenSpellings = spellings({
  server: ['fullyQualifiedDomainName', 'fqdn', 'host', 'hostName', 'domain', 'domainName', 'serverName'],
  ssl: ['https', 'tls', 'useSsl'],
  port: ['localPort', 'listenPort', 'serverPort'],
  portRewrite: ['rewritePort', 'rewritePorts'],
  simulationServers: ['servers', 'simulators', 'simulationServerList'],
  administrator: ['email', 'mail', 'adminEmail', 'adminMail', 'administratorEmail', 'mailReceiver', 'mailTo'],
  mailServer: ['smtp', 'smtpServer', 'smtpHost', 'mailHost'],
  mailServerPort: ['smtpPort', 'mailPort'],
  mailSender: ['from', 'mailFrom', 'mailSenderAddress', 'sender'],
  mailSenderUser: ['smtpUser', 'mailUser', 'mailUserName', 'user'],
  mailSenderPassword: ['smtpPassword', 'mailPassword', 'password'],
  logDir: ['logDirectory', 'logFolder', 'logPath', 'logs'],
  debug: ['verbose'],
  listen: ['bind', 'address', 'interface'],
});

const seenInEntries = spellings({
  address: ['url', 'host', 'hostName', 'server', 'endpoint', 'name'],
  weight: ['power'],
  maxSessions: ['maxConnections', 'capacity'],
  labels: ['tags'],
  headers: ['header'],
});

/** The file of a simulation server: several of its keys, and no list of simulation servers. */
export function isSimulationServerFile(file: Readonly<Record<string, unknown>>): boolean {
  const theirs = Object.keys(file).filter((key) => SIMULATION_SERVER_KEYS.has(simplify(key)));
  return theirs.length >= 2 && !Object.hasOwn(file, 'simulationServers');
}

const SIMULATION_SERVER_KEYS: ReadonlySet<string> = new Set(
  [
    ...['docker', 'notify', 'projectsDir', 'webotsHome', 'maxConnections', 'monitorLogEnabled', 'timeout'],
    ...['persistantDockerImages', 'persistentDockerImages', 'allowedRepositories', 'blockedRepositories', 'shareIdleTime'],
  ].map(simplify),
);

/** Keys of other programs' configuration files, and of session servers before 2022. */
const foreignKeys: ReadonlyMap<string, string> = new Map(
  [
    ...['docker', 'notify', 'projectsDir', 'webotsHome', 'maxConnections', 'monitorLogEnabled', 'timeout'],
    ...['persistantDockerImages', 'persistentDockerImages'],
  ]
    .map((key): [string, string] => [simplify(key), 'it belongs in the configuration of a simulation server; remove it here'])
    .concat(
      ['sslKey', 'sslCertificate', 'keyDir', 'keysDirectory'].map((key) => [
        simplify(key),
        'certificates belong to the reverse proxy, or in "gateway.tls"; "ssl" only decides the addresses; remove it',
      ]),
    ),
);

function spellings(seen: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(seen).flatMap(([key, others]) => others.map((other) => [simplify(other), key])));
}
