/**
 * Keys that the session server does not know. They are warned of and left out, never refused: the original ignores them, and configuration files of
 * ten years are in use. Each warning says which key was probably meant, from three sources: spellings seen in the field, near misses, and keys of the
 * same name in another place. The value is not shown: it may be a password under a misspelt key.
 */
import { allKeys, choose, infoBelow, isObject, type KeyInfo, root } from './keys.ts';
import { formatKey, type KeyPath, type Problem } from './problem.ts';

export interface KnownPart {
  readonly known: Readonly<Record<string, unknown>>;
  readonly warnings: readonly Problem[];
}

/** What a configuration file has under keys that exist, and a warning for every other key. */
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

function unknownKey(path: KeyPath, place: KeyInfo, key: string): Problem {
  return {
    key: formatKey(path),
    value: 'unknown key, ignored',
    expected: 'a key of the documentation',
    fix: adviceFor(place, key, formatKey(path.slice(0, -1))),
  };
}

function adviceFor(place: KeyInfo, key: string, where: string): string {
  const plain = simplify(key);
  const belongsElsewhere = place === root ? foreignKeys.get(plain) : undefined;
  if (belongsElsewhere !== undefined) return belongsElsewhere;
  const seen = (place === root ? seenSpellings : seenInEntries).get(plain);
  const meant = (seen !== undefined && place.keys.has(seen) ? seen : undefined) ?? nearest(plain, [...place.keys.keys()]);
  if (meant !== undefined) return `did you mean "${where === '' ? meant : `${where}.${meant}`}"?`;
  const elsewhere = [...allKeys().keys()].find((dotted) => simplify(dotted.slice(dotted.lastIndexOf('.') + 1)) === plain);
  return elsewhere === undefined
    ? 'remove it, or look up its name in docs/reference/configuration.md'
    : `did you mean "${elsewhere}"?`;
}

/** The key that differs by a slip of the fingers, if there is one. */
function nearest(plain: string, keys: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = plain.length < 6 ? 2 : 3;
  for (const key of keys) {
    const distance = editDistance(plain, simplify(key), bestDistance);
    if (distance >= bestDistance) continue;
    best = key;
    bestDistance = distance;
  }
  return best;
}

/** Small letters alone, so that `port_rewrite` and `PortRewrite` are near. */
function simplify(key: string): string {
  return key
    .slice(0, 200)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** Insertions, deletions, replacements and swapped neighbours (optimal string alignment); `limit` when there are that many or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return Math.min(limit, at(last, b.length));
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

/** Other names under which people wrote a key, taken from documentation and files in use. */
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

/** Keys of other programs' configuration files, and of session servers before 2022. */
const foreignKeys: ReadonlyMap<string, string> = new Map(
  [
    ...['docker', 'notify', 'projectsDir', 'webotsHome', 'maxConnections', 'monitorLogEnabled', 'timeout'],
    ...['persistantDockerImages', 'persistentDockerImages'],
  ]
    .map((key): [string, string] => [simplify(key), 'it belongs into the configuration of a simulation server; remove it here'])
    .concat(
      ['sslKey', 'sslCertificate', 'keyDir', 'keysDirectory'].map((key) => [
        simplify(key),
        'certificates belong to the web server in front, "ssl" only decides the addresses; remove it',
      ]),
    ),
);

function spellings(seen: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(seen).flatMap(([key, others]) => others.map((other) => [simplify(other), key])));
}
