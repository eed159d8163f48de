/**
 * Every key of the configuration file: its type, default, check, unit and description. The reference page, the JSON Schema, the error messages and
 * the type `Settings` all come from here; a key is documented nowhere else.
 *
 * The first group are the original session server's keys with the original's meaning
 * (docs/design/protocol.md, "Configuration file"). Beside its description a key may carry:
 *
 * - `unit`: of the number;
 * - `expected`: what may stand there, where type and range do not say it well enough;
 * - `absent`: the default in words, where it is not a fixed value;
 * - `secret`: the value is never shown;
 * - `restart`: a change takes effect after a restart.
 *
 * Patterns have no flags, because a JSON Schema cannot carry them. What concerns two keys at once is in `checks.ts`.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseEndpoint } from '../core/fleet/endpoint.ts';
import { parseRoutes } from '../core/gateway/gateway-routes.ts';
import { readRepositoryPrefix } from '../core/fleet/routing.ts';

/** The keys that the original session server has; all others are ours. */
export const originalKeys: readonly string[] = [
  'server',
  'ssl',
  'port',
  'portRewrite',
  'simulationServers',
  'administrator',
  'mailServer',
  'mailServerPort',
  'mailSender',
  'mailSenderUser',
  'mailSenderPassword',
  'logDir',
  'debug',
];

const seconds = (least: number, most: number) => z.number().min(least).max(most).meta({ unit: 'seconds' });
const bytes = (least: number, most: number) => z.int().min(least).max(most).meta({ unit: 'bytes' });
const percent = (least: number, most: number) => z.number().min(least).max(most).meta({ unit: 'percent' });
const points = (least: number, most: number) => z.number().min(least).max(most).meta({ unit: 'load points' });
const text = (most: number) => z.string().min(1).max(most);

const address = z.string().check(checkAddress).meta({ expected: '"host/2000" or "host:2000"' });

const repositories = z
  .array(
    text(300)
      .regex(/^[^\s\x00-\x1f\x7f]+$/)
      .refine((prefix) => readRepositoryPrefix(prefix) !== undefined, {
        message: 'no project can be below it; write host, owner and name as in "github.com/cyberbotics/webots"',
      }),
  )
  .max(1000)
  .meta({ expected: 'a list of prefixes such as "github.com/cyberbotics"' });

/** A path of this machine. The operating system would end it at a zero character. */
const path = text(1000).regex(/^[^\x00]+$/);

/** What stands between `https://` and the port in links; a front may add a port or a path of its own. */
const hostInLinks = text(253).regex(/^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s\x00-\x1f\x7f<>"]+$/);

/**
 * As the original takes them: `root` or `robot@localhost` is enough for a local mail server, and a name may stand before an address in `< >`. Strict about what
 * could forge a header or name a second receiver.
 */
const MAILBOX = String.raw`[^\s\x00-\x1f\x7f@<>(),;:"\\]+(?:@[^\s\x00-\x1f\x7f@<>(),;"\\]+)?`;
const MAILBOX_NAME = String.raw`(?:"[^\x00-\x1f\x7f"\\]*"|[^\x00-\x1f\x7f@<>(),;:"\\]*)`;
const mailAddress = z
  .string()
  .max(320)
  .regex(new RegExp(`^(?:${MAILBOX}|${MAILBOX_NAME} *<${MAILBOX}>)$`))
  .meta({ expected: 'one e-mail address such as "admin@example.org"' });

/** Two points in time after an allocation between which something fades. */
const fade = () =>
  z
    .tuple([seconds(0, 600), seconds(1, 3600)])
    .refine(([from, to]) => from < to, { message: 'write the smaller number first, as in [10, 60]' })
    .meta({ expected: 'two numbers of seconds in square brackets: from 0 to 600, then a greater one up to 3600' });

/** An entry of `simulationServers` that is more than its address. */
const simulationServer = z.strictObject({
  address: address.describe('`host/2000` (behind a front that rewrites ports) or `host:2000`.'),
  weight: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe('Rough power compared to the other servers: 2 is about twice as strong. What is learned corrects it.'),
  maxSessions: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Most sessions handed out to this server within the time a session is expected to last (`allocation.sessionLength`).',
    )
    .meta({ absent: 'no limit' }),
  allowedRepositories: repositories
    .optional()
    .describe('Only projects below these prefixes, such as `github.com/cyberbotics`, run here.')
    .meta({ absent: 'all' }),
  blockedRepositories: repositories.optional().describe('Projects below these prefixes never run here.').meta({ absent: 'none' }),
  shareIdleTime: percent(0, 100)
    .default(0)
    .describe('While the load is below it, projects outside `allowedRepositories` run here too. 0: never.'),
  labels: z
    .record(text(60), z.string().max(200))
    .default({})
    .describe('Free words for people and for `POST /api/v1/sessions`, such as `{"room": "B12"}`.')
    .meta({ expected: 'texts by name in braces, such as {"room": "B12"}' }),
});

const webhook = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .describe('Receives each notification as JSON by POST.')
    .meta({ secret: true, expected: 'a URL that begins with https:// or http://' }),
  secret: text(1000)
    .min(8)
    .optional()
    .describe(
      'Signs the body: header `X-Session-Server-Signature: sha256=<HMAC-SHA-256, hex>`. Better kept in a file of its own: `secretFile`.',
    )
    .meta({ secret: true, absent: 'not signed' }),
  secretFile: path
    .optional()
    .describe(
      'File that holds the secret; `~` and `$VAR` are expanded; relative to the working directory. A line break at its end is removed.',
    )
    .meta({ absent: 'none', expected: 'the path of a file' }),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,60}$/),
      z
        .string()
        .max(1000)
        .regex(/^[\t\x20-\x7e]*$/),
    )
    .default({})
    .describe('Further request headers, for instance `Authorization`.')
    .meta({ secret: true, expected: 'header texts by name in braces, such as {"Authorization": "Bearer …"}' }),
});

const limits = z
  .strictObject({
    clients: z
      .int()
      .min(10)
      .max(1_000_000)
      .default(20_000)
      .describe('Most client connections at a time. Lowered when the machine allows fewer file descriptors.'),
    bodyBytes: bytes(1024, 10_000_000).default(65_536).describe('Most bytes of a request body.'),
    headerBytes: bytes(2048, 262_144)
      .default(16_384)
      .describe('Most bytes of all request headers together.')
      .meta({ restart: true }),
    headerTimeout: seconds(1, 120).default(10).describe('Time a client has to send its request headers.').meta({ restart: true }),
    bufferBytes: bytes(4096, 16_777_216)
      .default(65_536)
      .describe(
        'Most bytes waiting for a WebSocket client that does not read; above it the client is dropped. One that takes nothing of an HTTP answer for 30 s is dropped, too.',
      ),
    rateBurst: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(100)
      .describe('Session requests one address may make at once: enough for a class behind one address.'),
    ratePerSecond: z
      .number()
      .min(0.01)
      .max(100_000)
      .default(1)
      .describe('Session requests per second one address may make for ever.'),
    metricsServers: z
      .int()
      .min(0)
      .max(100_000)
      .default(1000)
      .describe("Most simulation servers with series of their own in `/metrics`; above it only the fleet's."),
  })
  .prefault({})
  .describe('What one client, or all of them together, may use up.');

const allocation = z
  .strictObject({
    target: percent(1, 200)
      .default(90)
      .describe('No session is handed out that would take the predicted load of its server to this.'),
    cost: points(0.3, 60).default(8).describe('What a session costs before anything was learned.'),
    settle: fade()
      .default([10, 60])
      .describe('Time after the allocation between which a booking fades, because reports show the session.'),
    learnSettle: fade().default([5, 120]).describe('The same for learning costs; longer, so that slow starts are credited.'),
    sessionLength: seconds(10, 1_000_000)
      .default(1500)
      .describe('How long a typical session lasts: how fast load leaves by itself.'),
    recent: seconds(0, 600)
      .default(15)
      .describe('The highest report of this time decides whether a session fits, so that a moment of low noise does not.'),
    doubt: points(0, 100)
      .default(10)
      .describe(
        'Added to a server that missed one probe. (It is not offered from the first one on in any case; only a store of bookings that several session servers share could go by it.)',
      ),
    closedAfter: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('Missed probes after which the ledger closes a server. (It is not offered from the first one on in any case.)'),
    suspectAfter: points(1, 1000)
      .default(25)
      .describe('What should be visible on a server that still looks idle before it is suspected.'),
    trial: seconds(1, 1_000_000).default(600).describe('Time between two sessions that a suspected server gets to prove itself.'),
    learning: z.boolean().default(true).describe('Learn what sessions cost on each server and for each project.'),
    jitter: points(0, 50)
      .default(0)
      .describe('Chance in the choice of a server; useful only for several session servers that share nothing.'),
  })
  .prefault({})
  .describe('How the simulation server for the next session is chosen. The defaults are good; change one only for a reason.');

function listenAddress(description: string) {
  return z
    .string()
    .max(253)
    .refine((value) => isIP(value) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value), {
      message: 'write the address alone, without brackets; the port has a key of its own',
    })
    .default('::')
    .describe(description)
    .meta({ restart: true, expected: 'an IP address such as "::" or "127.0.0.1"' });
}

const waiting = z
  .strictObject({
    hold: seconds(0, 50)
      .default(0)
      .describe('Time `GET /session` is held while no server is available. 0: answered at once, as the original does.'),
    maxLength: z.int().min(1).max(1_000_000).default(10_000).describe('Most tickets in the waiting line.'),
    maxPerAddress: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(200)
      .describe('Most tickets of one address. One more takes the place of a ticket without a connection, if there is one.'),
    resume: seconds(1, 600)
      .default(30)
      .describe('Time a place is kept for a client with a resume token whose connection is lost.'),
    passing: seconds(0, 86_400).default(120).describe('Time the head of the line lets those pass that fit where it does not.'),
    relay: z
      .boolean()
      .default(false)
      .describe(
        'With the gateway: a client that finds no room waits inside its own progress bar, gets the first server that has room, and another one should that fail.',
      ),
  })
  .prefault({})
  .describe('The line of those for whom no simulation server has room yet.');

const gateway = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Be the front: TLS, and `/PORT/…` for simulation servers. Needs no Apache or nginx.')
      .meta({ restart: true }),
    listen: listenAddress('Address that `gateway.port` and `gateway.redirectFrom` are listened on. `::` is IPv4 and IPv6.'),
    port: z.int().min(0).max(65_535).default(443).describe('Port listened on. 0: any free one.').meta({ restart: true }),
    publicPort: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port that clients connect to, where a router or a container leads another one to `gateway.port`.')
      .meta({ absent: '`gateway.port`' }),
    tls: z
      .strictObject({
        cert: path
          .describe('File of the certificate and its chain (PEM); written like `logDir`. A new one is served within 10 s.')
          .meta({ expected: 'the path of a file such as "/etc/letsencrypt/live/webots.example.org/fullchain.pem"' }),
        key: path
          .describe('File of its private key (PEM).')
          .meta({ expected: 'the path of a file such as "/etc/letsencrypt/live/webots.example.org/privkey.pem"' }),
      })
      .optional()
      .describe('What the gateway proves its name with. Absent: plain HTTP, for a closed network or behind another front.')
      .meta({ absent: 'plain HTTP' }),
    redirectFrom: z
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe('Port on which plain HTTP is answered with a redirect to HTTPS; 80 is what browsers try. 0: any free one.')
      .meta({ restart: true, absent: 'none' }),
    acmeDir: path
      .optional()
      .describe(
        'Folder whose `.well-known/acme-challenge/` is served on the port of `redirectFrom`, for `certbot certonly --webroot`; written like `logDir`.',
      )
      .meta({ absent: 'none', expected: 'the path of a folder' }),
    routes: z
      .record(z.string().max(20), z.string().max(253))
      .default({})
      .check(checkRoutes)
      .describe('Ports that are passed on, and to which host. Ports that stand in no range lead nowhere.')
      .meta({ expected: 'hosts by range of ports in braces, such as {"2000-2999": "localhost", "3000-3999": "10.0.0.3"}' }),
    limits: z
      .strictObject({
        relays: z
          .int()
          .min(1)
          .max(100_000)
          .default(2000)
          .describe(
            'Most sessions and requests passed on at a time, for one address at most half as many; each takes a file descriptor more.',
          ),
        headerBytes: bytes(2048, 1_048_576).default(65_536).describe('Most bytes of the headers of a simulation server answer.'),
        connectTimeout: seconds(0.05, 60).default(5).describe('Time a simulation server has to take a connection.'),
        headerTimeout: seconds(0.05, 600).default(30).describe('Time a simulation server has to begin its answer.'),
        idleTimeout: seconds(0.05, 86_400)
          .default(3600)
          .describe(
            'Time nothing may pass in either direction of a session or an answer. Simulations that stand still are silent for long; dead machines are noticed otherwise.',
          ),
        startTimeout: seconds(0.05, 600)
          .default(10)
          .describe('Time a client that waits inside its progress bar has to say what it wants to run.'),
      })
      .prefault({})
      .describe('What is passed on, and how long it may take.'),
  })
  .prefault({})
  .describe('The front in one program: TLS and the ports of the simulation servers. See `gateway.md`.');

const registration = z
  .strictObject({
    token: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{16,200}$/)
      .optional()
      .describe(
        'What a simulation server has to know to join by itself: the last part of the URL in its `notify` list, `https://host/register/TOKEN`.',
      )
      .meta({
        secret: true,
        absent: 'nobody may register',
        expected: '16 to 200 letters and digits, as `openssl rand -hex 24` prints them',
      }),
    allowPrivate: z
      .boolean()
      .default(true)
      .describe('Take servers whose address belongs to a private network (10.0.0.0/8, 192.168.0.0/16, fc00::/7 and the like).'),
    allowLoopback: z
      .boolean()
      .default(false)
      .describe('Take servers on this machine and link-local addresses, too. For trials, and for a server beside this one.'),
    heartbeat: seconds(1, 3600)
      .default(30)
      .describe('Time within which servers that register by JSON have to do so again. Those of the original form need not.'),
    missedHeartbeats: z.int().min(2).max(1000).default(3).describe('Heartbeats in a row whose absence makes a server leave.'),
    forgetAfter: seconds(10, 31_536_000)
      .default(3600)
      .describe(
        'Time a registered server may be down, while others answer, before it leaves the fleet. It joins again by registering.',
      ),
    maxServers: z.int().min(1).max(100_000).default(1000).describe('Most registered servers.'),
  })
  .prefault({})
  .describe('Simulation servers that join the fleet by themselves. See `registration.md`.');

const projects = z
  .strictObject({
    otherHosts: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9.-]{1,253}$/)
          .meta({ expected: 'a host name such as "gitlab.example.org"' }),
      )
      .max(100)
      .default([])
      .describe('Hosts other than `github.com` from which projects may come.')
      .meta({ expected: 'a list of host names such as ["gitlab.example.org"]' }),
  })
  .prefault({})
  .describe('What clients may ask to run.');

const monitor = z
  .strictObject({
    title: text(200).default('Webots session server').describe('Heading of the monitor page.'),
    access: z
      .enum(['open', 'token'])
      .default('open')
      .describe('Who may read the monitor and the API: everybody, or holders of a token (`admin.tokens`).'),
  })
  .prefault({})
  .describe('The page at `/monitor`.');

const token = z.strictObject({
  name: text(60).describe('Who holds it; it stands in the log beside each act.'),
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .describe('What `session-server token NAME` printed for the configuration.')
    .meta({ secret: true, expected: '"sha256:" and 64 hexadecimal digits, as `session-server token NAME` prints them' }),
  readOnly: z
    .boolean()
    .default(false)
    .describe('It opens what `monitor.access` closes, as for Prometheus, and no lever: its holder may read, not act.'),
});

const admin = z
  .strictObject({
    tokens: z
      .array(token)
      .max(1000)
      .default([])
      .describe('Who may drain, resume, add and remove simulation servers. None: nobody.')
      .meta({ expected: 'a list of objects with "name" and "hash"' }),
  })
  .prefault({})
  .describe('Who may act on the fleet.');

export const schema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors.').meta({ absent: 'none' }),
  server: hostInLinks
    .default('localhost')
    .describe('Fully qualified domain name of the session server.')
    .meta({ expected: 'a host name such as "webots.example.org", without https://' }),
  ssl: z.boolean().default(true).describe('`https`/`wss` in the URLs that are handed out and polled.'),
  port: z.int().min(0).max(65_535).default(1999).describe('Local port listened on. 0: any free one.').meta({ restart: true }),
  portRewrite: z
    .boolean()
    .default(true)
    .describe(
      'A front (Apache, nginx, the gateway) maps `/PORT/…` to that local port; decides `host/1999` or `host:1999` in links.',
    ),
  simulationServers: z
    .array(z.union([address, simulationServer]).meta({ expected: '"host/2000" or "host:2000", or an object with an "address"' }))
    .max(100_000)
    .describe('List of `"host/2000"` (rewritten) or `"host:2000"`, or of objects with more than the address.')
    .meta({ expected: 'a list of addresses in square brackets, such as ["host/2000"]' }),
  administrator: mailAddress.optional().describe('E-mail address that receives notifications.').meta({ absent: 'no e-mail' }),
  mailServer: text(253)
    .regex(/^[^\s\x00-\x1f\x7f/@<>]+$/)
    .optional()
    .describe('SMTP host. Without it no e-mail is sent.')
    .meta({ absent: 'no e-mail', expected: 'a host name such as "smtp.example.org"' }),
  mailServerPort: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('SMTP port. Providers often ask for 587. 0 is the same as none.')
    .meta({ absent: "SMTP's own, 25" }),
  mailSender: mailAddress.optional().describe('Sender address of notifications.').meta({ absent: 'no e-mail' }),
  mailSenderUser: text(320).optional().describe('User name for SMTP.').meta({ absent: '`mailSender`' }),
  mailSenderPassword: text(1000)
    .optional()
    .describe(
      'Password for SMTP. When present STARTTLS and login are used, when absent neither. Better given by the environment variable `SESSION_SERVER_MAIL_PASSWORD`, or by a file named in `SESSION_SERVER_MAIL_PASSWORD_FILE`.',
    )
    .meta({ secret: true, absent: 'none' }),
  logDir: path
    .default('log')
    .describe('Folder of the log files; `~` and `$VAR` are expanded; relative to the working directory.')
    .meta({ restart: true, expected: 'the path of a folder' }),
  debug: z.boolean().default(false).describe('Log to stdout instead of the file, with more detail.').meta({ restart: true }),

  listen: listenAddress(
    'Address listened on. `::` is IPv4 and IPv6; `127.0.0.1` lets only this machine in, which is right behind Apache.',
  ),
  pollInterval: seconds(0.05, 6).default(5).describe('Time between two probes of a simulation server.'),
  pollTimeout: seconds(0.02, 60)
    .default(4)
    .describe('Time a probe may take; must be shorter than `pollInterval`.')
    .meta({ absent: '4, or four fifths of `pollInterval` when that is shorter' }),
  loadThreshold: percent(1, 1000).default(95).describe('A simulation server that reports this load is full.'),
  downAfter: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Failed probes in a row after which a simulation server is down and the administrator is told.'),
  handOutSsl: z.boolean().optional().describe('`wss` in the URLs that are handed out.').meta({ absent: '`ssl`' }),
  pollSsl: z.boolean().optional().describe('`https` in the URLs that are polled.').meta({ absent: '`ssl`' }),
  logFormat: z
    .enum(['text', 'json'])
    .default('text')
    .describe('`text`: lines as the original writes them; `json`: one object a line, for log collectors.')
    .meta({ restart: true }),
  webhooks: z
    .array(webhook)
    .max(20)
    .default([])
    .describe('Further receivers of notifications.')
    .meta({ expected: 'a list of objects such as [{"url": "https://…"}]' }),
  trustedProxies: z
    .array(
      z
        .string()
        .max(60)
        .refine(isNetwork, { message: 'write the address in figures; names are not looked up' })
        .meta({ expected: 'an IP address or a network such as "10.0.0.0/8"' }),
    )
    .max(1000)
    .default(['127.0.0.0/8', '::1/128'])
    .describe(
      'Addresses or networks whose `X-Forwarded-For` is believed. Who asks from this machine and is named by no such header, as with a front that sends none, is under no limit of one address.',
    )
    .meta({ expected: 'a list of addresses or networks such as ["10.0.0.0/8"]' }),
  allowedOrigins: z
    .array(
      z
        .string()
        .max(300)
        .refine(isOrigin, { message: 'write scheme and host alone, such as "https://example.org"; to allow all, remove the key' })
        .meta({ expected: 'a web origin such as "https://example.org"' }),
    )
    .max(1000)
    .optional()
    .describe('Web origins, such as `https://example.org`, whose pages may open WebSockets.')
    .meta({ absent: 'all', expected: 'a list of web origins such as ["https://example.org"]' }),
  stateDir: path
    .optional()
    .describe('Folder of what survives a restart; written like `logDir`.')
    .meta({ restart: true, absent: '`state` beside `logDir`', expected: 'the path of a folder' }),
  limits,
  allocation,
  waiting,
  gateway,
  registration,
  projects,
  monitor,
  admin,
});

/** The file as it is written. */
export type ConfigurationFile = z.input<typeof schema>;
/** The file with every default filled in. */
export type Configuration = z.output<typeof schema>;
/** Some keys of the file, namely those without problems, defaults filled in. */
export type PartOfConfiguration = { readonly [K in keyof Configuration]?: Configuration[K] | undefined };
export type SimulationServerEntry = z.output<typeof simulationServer>;

function checkAddress({ value, issues }: z.core.ParsePayload<string>): void {
  const result = parseEndpoint(value);
  // White space around an address is forgiven to machines, not to a file that clients get their addresses from letter for letter.
  const problem = result.kind === 'invalid' ? result.problem : value === result.endpoint.address ? undefined : 'white-space';
  if (problem !== undefined) issues.push({ code: 'custom', input: value, params: { problem }, message: addressAdvice[problem] });
}

/** What to do about an address that is not one; a fix, as all messages of this file. */
const addressAdvice = {
  empty: 'write host and port, or remove the entry',
  'too-long': 'it is longer than any host name; check it',
  scheme: 'remove what stands before the host name ("http://", "wss://"); the key "ssl" decides that',
  'white-space': 'remove the white space',
  host: 'check the host name; an IPv6 address stands in brackets, as in "[::1]:2000"',
  port: 'write nothing but a port from 1 to 65535 after the host, without a path or a slash at the end',
} as const;

function checkRoutes({ value, issues }: z.core.ParsePayload<Record<string, string>>): void {
  const result = parseRoutes(value);
  if (result.kind === 'invalid') issues.push({ code: 'custom', input: value, message: `"${result.range}": ${result.reason}` });
}

function isNetwork(value: string): boolean {
  const { host = '', prefix } = /^(?<host>[^/]+)(?:\/(?<prefix>[0-9]{1,3}))?$/.exec(value)?.groups ?? {};
  const family = isIP(host);
  return family !== 0 && (prefix === undefined || Number(prefix) <= (family === 4 ? 32 : 128));
}

function isOrigin(value: string): boolean {
  if (value === 'null') return true;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/]+\/?$/i.test(value) || !URL.canParse(value)) return false;
  const { host, username, password, search, hash } = new URL(value);
  return host !== '' && `${username}${password}${search}${hash}` === '';
}
