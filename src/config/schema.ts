/**
 * Every key of the configuration file: its type, default, check, unit and description. The reference page, the JSON Schema, the error messages and
 * the type `Settings` all come from here; a key is documented nowhere else.
 *
 * The first group are the original session server's keys with the original's meaning (PROTOCOL § 2). Durations are seconds, loads percent.
 */
import { z } from 'zod';
import { parseEndpoint } from '../core/endpoint.ts';

const seconds = (least: number, most: number) => z.number().min(least).max(most);
const percent = z.number().min(1).max(1000);
const port = z.int().min(1).max(65_535);
const text = z.string().min(1).max(1000);
const repositories = z.array(z.string().min(1).max(300)).max(1000);

/** An entry of `simulationServers` that is more than its address. */
const simulationServer = z.strictObject({
  address: z.string().describe('`host/2000` (behind a front that rewrites ports) or `host:2000`.'),
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
    ),
  allowedRepositories: repositories
    .optional()
    .describe('Only projects below these prefixes, such as `github.com/cyberbotics`, run here. Absent: all.'),
  blockedRepositories: repositories.optional().describe('Projects below these prefixes never run here.'),
  shareIdleTime: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe('Percent. While the load is below it, projects outside `allowedRepositories` run here too. 0: never.'),
  labels: z
    .record(z.string().min(1).max(60), z.string().max(200))
    .default({})
    .describe('Free words for people and for `POST /api/v1/sessions`, such as `{"room": "B12"}`.'),
});

const webhook = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).describe('Receives each notification as JSON by POST.'),
  secret: z
    .string()
    .min(8)
    .max(1000)
    .optional()
    .describe('Signs the body: header `X-Session-Server-Signature: sha256=<HMAC-SHA-256, hex>`.'),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,60}$/),
      z
        .string()
        .max(1000)
        .regex(/^[\t\x20-\x7e]*$/),
    )
    .default({})
    .describe('Further request headers, for instance `Authorization`.'),
});

const limits = z
  .strictObject({
    clients: z
      .int()
      .min(10)
      .max(1_000_000)
      .default(20_000)
      .describe('Most client connections at a time. Lowered at start when the machine allows fewer file descriptors.'),
    bodyBytes: z.int().min(1024).max(10_000_000).default(65_536).describe('Bytes of a request body.'),
    headerBytes: z.int().min(2048).max(262_144).default(16_384).describe('Bytes of all request headers together.'),
    headerTimeout: seconds(1, 120).default(10).describe('Seconds a client has to send its request headers.'),
    bufferBytes: z
      .int()
      .min(4096)
      .max(16_777_216)
      .default(65_536)
      .describe('Bytes waiting for a client that does not read; above it the client is dropped.'),
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
  .prefault({});

const allocation = z
  .strictObject({
    target: percent
      .max(200)
      .default(90)
      .describe('Percent. No session is handed out that would take the predicted load of its server to this.'),
    cost: z.number().min(0.3).max(60).default(8).describe('Load points of a session before anything was learned.'),
    settle: z
      .tuple([seconds(0, 600), seconds(1, 3600)])
      .default([10, 60])
      .describe('Seconds after the allocation between which a booking fades, because reports show the session.'),
    learnSettle: z
      .tuple([seconds(0, 600), seconds(1, 3600)])
      .default([5, 120])
      .describe('The same for learning costs; longer, so that slow starts are credited.'),
    sessionLength: seconds(10, 1_000_000).default(1500).describe('Seconds of a typical session: how fast load leaves by itself.'),
    recent: seconds(0, 600)
      .default(15)
      .describe(
        'Seconds. The highest report of this time decides whether a session fits, so that a moment of low noise does not.',
      ),
    doubt: z.number().min(0).max(100).default(10).describe('Load points added to a server that missed one probe.'),
    closedAfter: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('Missed probes after which the ledger closes a server. (It is not offered from the first one on in any case.)'),
    suspectAfter: z
      .number()
      .min(1)
      .max(1000)
      .default(25)
      .describe('Load points that should be visible on a server that still looks idle before it is suspected.'),
    trial: seconds(1, 1_000_000)
      .default(600)
      .describe('Seconds between two sessions that a suspected server gets to prove itself.'),
    learning: z.boolean().default(true).describe('Learn what sessions cost on each server and for each project.'),
    jitter: z
      .number()
      .min(0)
      .max(50)
      .default(0)
      .describe('Load points of chance in the choice; useful only for several session servers that share nothing.'),
  })
  .prefault({});

const waiting = z
  .strictObject({
    hold: seconds(0, 50)
      .default(0)
      .describe('Seconds `GET /session` is held while no server is available. 0: answered at once, as the original does.'),
    maxLength: z.int().min(1).max(1_000_000).default(10_000).describe('Most tickets in the waiting line.'),
    maxPerAddress: z.int().min(1).max(1_000_000).default(200).describe('Most tickets of one address.'),
    resume: seconds(1, 600)
      .default(30)
      .describe('Seconds a place is kept for a client with a resume token whose connection is lost.'),
    passing: seconds(0, 86_400).default(120).describe('Seconds the head of the line lets those pass that fit where it does not.'),
  })
  .prefault({});

const projects = z
  .strictObject({
    otherHosts: z
      .array(z.string().regex(/^[a-z0-9.-]{1,253}$/i))
      .max(100)
      .default([])
      .describe('Hosts other than `github.com` from which projects may come.'),
  })
  .prefault({});

const monitor = z
  .strictObject({
    title: text.max(200).default('Webots session server').describe('Heading of the monitor page.'),
    access: z
      .enum(['open', 'token'])
      .default('open')
      .describe('Who may read the monitor and the API: everybody, or holders of a token.'),
  })
  .prefault({});

const admin = z
  .strictObject({
    tokens: z
      .array(
        z.strictObject({
          name: text.max(60).describe('Who holds it; it stands in the log beside each act.'),
          hash: z
            .string()
            .regex(/^sha256:[0-9a-f]{64}$/)
            .describe('What `session-server token NAME` printed for the configuration.'),
        }),
      )
      .max(1000)
      .default([])
      .describe('Who may drain, resume, add and remove simulation servers. None: nobody.'),
  })
  .prefault({});

export const schema = z.object({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors.'),
  server: z.string().min(1).max(253).default('localhost').describe('Fully qualified domain name of the session server.'),
  ssl: z.boolean().default(true).describe('`https`/`wss` in the URLs that are handed out and polled.'),
  port: z.int().min(0).max(65_535).default(1999).describe('Local port listened on.'),
  portRewrite: z
    .boolean()
    .default(true)
    .describe(
      'A front (Apache, nginx, the gateway) maps `/PORT/…` to that local port; decides `host/1999` or `host:1999` in links.',
    ),
  simulationServers: z
    .array(z.union([z.string(), simulationServer]).check(checkAddress))
    .max(100_000)
    .describe('List of `"host/2000"` (rewritten) or `"host:2000"`, or of objects with more than the address.'),
  administrator: z.email().max(320).optional().describe('E-mail address that receives notifications.'),
  mailServer: text.max(253).optional().describe('SMTP host. Without it no e-mail is sent.'),
  mailServerPort: port.optional().describe("SMTP port; default: SMTP's own (587 with a password, else 25)."),
  mailSender: z.email().max(320).optional().describe('Sender address of notifications.'),
  mailSenderUser: text.max(320).optional().describe('User name for SMTP; default: `mailSender`.'),
  mailSenderPassword: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Password for SMTP. When present STARTTLS and login are used, when absent neither. Better given by the environment variable `SESSION_SERVER_MAIL_PASSWORD`, or by a file named in `SESSION_SERVER_MAIL_PASSWORD_FILE`.',
    ),
  logDir: text
    .default('log')
    .describe('Folder of the log files; `~` and `$VAR` are expanded; relative to the working directory.'),
  debug: z.boolean().default(false).describe('Log to stdout instead of the file, with more detail.'),

  listen: text
    .max(100)
    .default('::')
    .describe('Address listened on. `::` is IPv4 and IPv6; `127.0.0.1` lets only this machine in, which is right behind Apache.'),
  pollInterval: seconds(0.05, 6).default(5).describe('Seconds between two probes of a simulation server.'),
  pollTimeout: seconds(0.02, 60).default(4).describe('Seconds a probe may take; must be shorter than `pollInterval`.'),
  loadThreshold: percent.default(95).describe('Percent. A simulation server that reports it is full.'),
  downAfter: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Failed probes in a row after which a simulation server is down and the administrator is told.'),
  handOutSsl: z.boolean().optional().describe('`wss` in the URLs that are handed out; default: `ssl`.'),
  pollSsl: z.boolean().optional().describe('`https` in the URLs that are polled; default: `ssl`.'),
  logFormat: z
    .enum(['text', 'json'])
    .default('text')
    .describe('`text`: lines as the original writes them; `json`: one object a line, for log collectors.'),
  webhooks: z.array(webhook).max(20).default([]).describe('Further receivers of notifications.'),
  trustedProxies: z
    .array(text.max(60))
    .max(1000)
    .default(['127.0.0.0/8', '::1/128'])
    .describe('Addresses or networks whose `X-Forwarded-For` is believed.'),
  allowedOrigins: z
    .array(text.max(300))
    .max(1000)
    .optional()
    .describe('Web origins, such as `https://example.org`, whose pages may open WebSockets. Absent: all.'),
  stateDir: text.optional().describe('Folder of what survives a restart; default: `state` beside `logDir`.'),
  limits,
  allocation,
  waiting,
  projects,
  monitor,
  admin,
});

/** The file as it is written. */
export type ConfigurationFile = z.input<typeof schema>;
/** The file with every default filled in. */
export type Configuration = z.output<typeof schema>;
export type SimulationServerEntry = z.output<typeof simulationServer>;

function checkAddress({ value, issues }: z.core.ParsePayload<string | SimulationServerEntry>): void {
  const address = typeof value === 'string' ? value : value.address;
  const result = parseEndpoint(address);
  if (result.kind === 'endpoint') return;
  issues.push({ code: 'custom', input: address, params: { problem: result.problem }, message: addressAdvice[result.problem] });
}

const addressAdvice = {
  empty: 'is empty; write "host/2000" or "host:2000"',
  'too-long': 'is longer than any host name; write "host/2000" or "host:2000"',
  scheme: 'must not begin with a scheme; remove "http://", "wss://" and the like, "ssl" decides that',
  'white-space': 'must not contain white space',
  host: 'has no valid host name or IP address; write "host/2000", "host:2000" or "[::1]:2000"',
  port: 'has no valid port; after the host only a port from 1 to 65535 may follow, as in "host/2000"',
} as const;
