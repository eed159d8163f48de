/**
 * Every key of the configuration file of the simulation server. The first group are the original's keys with the original's meaning; all others are ours
 * and optional. The style, and the annotations beside a description, are those of the session server's schema.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { readRepositoryPrefix } from '../../core/fleet/routing.ts';
import { IMAGE_BUILDERS } from '../../core/simulation/build-recipe.ts';
import { NETWORKS, STRENGTHS } from '../../core/simulation/launch-plan.ts';

/** The keys that the original simulation server has. */
export const originalKeys: readonly string[] = [
  ...['server', 'ssl', 'port', 'portRewrite', 'docker', 'allowedRepositories', 'blockedRepositories', 'shareIdleTime', 'notify'],
  ...['projectsDir', 'webotsHome', 'maxConnections', 'logDir', 'monitorLogEnabled', 'debug', 'timeout', 'title', 'description'],
  'persistantDockerImages',
];

const seconds = (min: number, max: number) => z.number().min(min).max(max).meta({ unit: 'seconds' });
const bytes = (min: number, max: number) => z.int().min(min).max(max).meta({ unit: 'bytes' });
const text = (max: number) => z.string().min(1).max(max);
/** The operating system would end it at a zero character. */
const path = text(1000).regex(/^[^\x00]+$/);

const repositories = z
  .array(
    text(300)
      .regex(/^[^\s\x00-\x1f\x7f]+$/)
      .refine((prefix) => readRepositoryPrefix(prefix.replace(/\*$/, '')) !== undefined, {
        message: 'no project can be below it; write host, owner and name as in "https://github.com/cyberbotics/webots"',
      }),
  )
  .max(1000)
  .meta({ expected: 'a list of prefixes such as "https://github.com/cyberbotics"' });

const httpUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .meta({ expected: 'a URL that begins with https:// or http://' });

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

const limits = z
  .strictObject({
    cpus: z.number().min(0.05).max(1024).default(2).describe('Processors that one session may use.').meta({ unit: 'processors' }),
    memory: bytes(16 * MIB, 1024 * GIB)
      .default(4 * GIB)
      .describe('Memory that one session may use.'),
    pids: z.int().min(8).max(100_000).default(512).describe('Processes and threads that one session may have.'),
    disk: bytes(MIB, 1024 * GIB)
      .default(512 * MIB)
      .describe('Bytes that one session may write into its project folder.'),
    files: z.int().min(100).max(10_000_000).default(20_000).describe('Files that one session may create there.'),
    perAddress: z
      .int()
      .min(0)
      .max(100_000)
      .default(0)
      .describe('Sessions that one address may run at a time. 0: no limit, because a class may be behind one router.'),
    accepted: z
      .int()
      .min(1)
      .max(100_000)
      .default(200)
      .describe(
        'Connections that have not yet sent a start message, in total; one address may have a tenth of them, at least 10.',
      ),
    startMessage: seconds(0.05, 600).default(10).describe('Time a client has to send its start message.'),
    prepareTimeout: seconds(0.05, 86_400).default(600).describe('Time to prepare the files and the image of a project.'),
    loadTimeout: seconds(0.05, 86_400).default(120).describe('Time a simulator has to load the world.'),
    idle: seconds(1, 1_000_000)
      .optional()
      .describe('Time after which a paused simulation without viewers is ended.')
      .meta({ absent: 'never' }),
    time: seconds(0.1, 1_000_000)
      .optional()
      .describe(
        'Maximum duration of a session, from the start of its simulator, if it is shorter than `timeout`. May be below 360.',
      )
      .meta({ absent: '`timeout` alone' }),
  })
  .prefault({})
  .describe('What one session, or one client, may use.');

const cache = z
  .strictObject({
    dir: path
      .optional()
      .describe('Folder of fetched projects; `~` and `$VAR` are expanded.')
      .meta({ restart: true, absent: '`cache` below `stateDir`', expected: 'the path of a folder' }),
    bytes: bytes(MIB, 1_000_000 * GIB)
      .default(10 * GIB)
      .describe('Size above which the projects used least recently are removed.'),
    leaveFree: bytes(0, 1_000_000 * GIB)
      .default(2 * GIB)
      .describe('Free disk space below which projects are removed and new sessions are refused.'),
    projectBytes: bytes(100_000, 1_000_000 * GIB)
      .default(500 * MIB)
      .describe('Maximum size of one project, packed or unpacked.'),
    refreshAfter: seconds(0, 86_400).default(10).describe('Time after which the commit of a branch or tag is looked up again.'),
    staleFor: seconds(0, 31_536_000)
      .default(86_400)
      .describe('When the host of a project does not answer, a version fetched within this time is used. 0: never.'),
    fetches: z.int().min(1).max(100).default(4).describe('Projects fetched at a time.'),
    fetchTimeout: seconds(0.05, 86_400).default(120).describe('Time to fetch a project.'),
  })
  .prefault({})
  .describe('Projects are fetched once for each commit and kept.');

const isolation = z
  .strictObject({
    use: z
      .enum(['auto', 'docker', 'podman', 'bubblewrap', 'cgroup', 'none'])
      .default('auto')
      .describe(
        'How sessions are isolated. `auto`: the first that works here, of bubblewrap, cgroup and none; with `docker`, of docker and podman.',
      )
      .meta({ restart: true }),
    foreign: z
      .enum(STRENGTHS)
      .default('container')
      .describe(
        'Minimum isolation for projects outside `allowedRepositories`: `container` (docker, podman), `namespace` (bubblewrap) or `process` (any).',
      ),
    network: z
      .enum(NETWORKS)
      .optional()
      .describe('What sessions can reach: nothing, the Internet, or everything that the machine can reach.')
      .meta({ absent: 'what the simulator needs: `egress` for Webots, `none` for the others' }),
  })
  .prefault({})
  .describe('How sessions are kept apart from the machine and from each other.');

const container = z
  .strictObject({
    images: z
      .record(text(60), text(300).regex(/^[a-z0-9][A-Za-z0-9._/:@-]*$/))
      .default({})
      .describe('Image for a version of Webots. Versions that are not named use `cyberbotics/webots.cloud:VERSION-ubuntu22.04`.')
      .meta({ expected: 'images by version in braces, such as {"R2025a": "my/webots:R2025a"}' }),
    pull: z
      .enum(['missing', 'never'])
      .default('missing')
      .describe('Whether an image that is not on this machine is pulled from its registry.'),
    versions: z
      .array(text(60).regex(/^R20\d\d[a-z](?:-rev\d)?$/))
      .max(50)
      .default([])
      .describe('Versions of Webots whose images are pulled when the server starts, before a client asks for them.')
      .meta({ restart: true, expected: 'a list of versions such as ["R2025a"]' }),
    build: z
      .enum(IMAGE_BUILDERS)
      .default('allowed')
      .describe('Which projects may bring a `Dockerfile`: none, those below `allowedRepositories`, or all.'),
    buildBytes: bytes(MIB, 1_000_000 * GIB)
      .default(8 * GIB)
      .describe('Maximum size of an image that is built, with the image that it begins with.'),
    runtime: text(60)
      .regex(/^[A-Za-z0-9._-]+$/)
      .optional()
      .describe('Runtime of the engine, such as `runsc` or `kata`.')
      .meta({ absent: 'the first that works' }),
  })
  .prefault({})
  .describe('Containers of `docker` and `podman`.');

const command = z.strictObject({
  argv: z
    .array(
      z
        .string()
        .max(4000)
        .regex(/^[^\x00]*$/),
    )
    .min(1)
    .max(200)
    .describe(
      'Program and arguments. `{world}`, `{project}`, `{port}`, `{socket}` and `{mode}` are replaced, whole or as part of an argument. No shell is involved.',
    )
    .meta({ expected: 'a list of arguments such as ["/opt/sim/run", "{world}", "--port={port}"]' }),
  environment: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/),
      z
        .string()
        .max(4000)
        .regex(/^[^\x00]*$/),
    )
    .default({})
    .describe('Environment variables of the program.')
    .meta({ expected: 'names and texts in braces, such as {"LANG": "C.UTF-8"}' }),
  extension: z
    .string()
    .regex(/^\.[A-Za-z0-9]{1,20}$/)
    .default('.wbt')
    .describe('File extension of worlds.'),
  loaded: text(200)
    .optional()
    .describe('Beginning of the line by which the program says that the world is loaded.')
    .meta({ absent: 'when its address answers' }),
  image: text(300)
    .regex(/^[a-z0-9][A-Za-z0-9._/:@-]*$/)
    .optional()
    .describe('Image that contains the program, for `docker` and `podman`.')
    .meta({ absent: 'none' }),
});

const simulators = z
  .strictObject({
    webots: z
      .strictObject({
        arguments: z
          .array(text(1000).regex(/^-[^\x00]*$/))
          .max(50)
          .default([])
          .describe('Further options of Webots.')
          .meta({ expected: 'a list of options such as ["--no-sandbox"]' }),
      })
      .prefault({})
      .describe('Options of Webots.'),
    command: command.optional().describe('Any program that streams over one port or Unix socket.').meta({ absent: 'none' }),
  })
  .prefault({})
  .describe('Options of the simulators.');

const projects = z
  .strictObject({
    mirrors: z
      .record(
        z
          .string()
          .max(300)
          .regex(/^https:\/\/[A-Za-z0-9.-]+\/[A-Za-z0-9._/-]*$/),
        z
          .string()
          .max(1000)
          .regex(/^(?:https?|file):\/\/[^\s\x00-\x1f\x7f]*\/$/),
      )
      .default({})
      .describe('Repositories whose URL begins with the first are fetched from the second.')
      .meta({ expected: 'URLs that end with a slash, such as {"https://github.com/": "file:///srv/mirror/"}' }),
    hosts: z
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
    credentials: path
      .optional()
      .describe('File with logins for private repositories, as `git credential-store` writes it. No session can read it.')
      .meta({ absent: 'none', expected: 'the path of a file' }),
    proxy: httpUrl.optional().describe('Proxy for fetching projects.').meta({ absent: 'the environment variable `HTTPS_PROXY`' }),
    caFile: path
      .optional()
      .describe('File with certificates of additional authorities (PEM).')
      .meta({ absent: 'the environment variable `SSL_CERT_FILE`', expected: 'the path of a file' }),
  })
  .prefault({})
  .describe('Where projects come from.');

export const schema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors.').meta({ absent: 'none' }),
  server: text(253)
    .regex(/^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s\x00-\x1f\x7f<>"]+$/)
    .default('localhost')
    .describe('Fully qualified domain name in the addresses that clients get.')
    .meta({ expected: 'a host name such as "sim1.example.org", without https://' }),
  ssl: z.boolean().default(true).describe('`wss` in the addresses that clients get, `https` in the one that is announced.'),
  port: z
    .int()
    .min(1)
    .max(65_534)
    .default(2000)
    .describe('TCP port to listen on. Sessions get the ports above it.')
    .meta({ restart: true }),
  portRewrite: z
    .boolean()
    .default(true)
    .describe('A reverse proxy maps `/PORT/…` to that port of this machine; decides `host/2001` or `host:2001`.'),
  docker: z.boolean().default(false).describe('Run each simulation in a container, by docker or podman.').meta({ restart: true }),
  allowedRepositories: repositories
    .optional()
    .describe('Projects below these prefixes run here at any time; all others are foreign.')
    .meta({ absent: 'all projects are foreign' }),
  blockedRepositories: repositories.optional().describe('Projects below these prefixes never run here.').meta({ absent: 'none' }),
  shareIdleTime: z
    .number()
    .min(0)
    .max(1000)
    .default(50)
    .describe('Maximum load at which foreign projects run. 0: never. Loads can exceed 100.')
    .meta({ unit: 'percent' }),
  notify: z
    .union([httpUrl, z.array(httpUrl).max(50)])
    .default([])
    .describe('Where this server announces itself at its start, such as the `/register/TOKEN` of a session server.')
    .meta({ expected: 'a URL or a list of URLs' }),
  projectsDir: path
    .optional()
    .describe('Folder of projects inside the container. Outside of containers it is not used.')
    .meta({ absent: '`/usr/local/webots-project`', expected: 'the path of a folder' }),
  webotsHome: path
    .optional()
    .describe('Folder in which Webots is installed.')
    .meta({ absent: '`$WEBOTS_HOME`, else `/usr/local/webots`', expected: 'the path of a folder' }),
  maxConnections: z.int().min(1).max(10_000).default(100).describe('Maximum number of sessions at a time.'),
  logDir: path
    .default('log')
    .describe('Folder of the log files; `~` and `$VAR` are expanded; relative to the working directory.')
    .meta({ restart: true, expected: 'the path of a folder' }),
  monitorLogEnabled: z
    .boolean()
    .default(true)
    .describe('Write the use of this machine to `monitor.csv` beside the log, once a second.')
    .meta({ restart: true }),
  debug: z.boolean().default(false).describe('Log to stdout instead of the file, with more detail.').meta({ restart: true }),
  timeout: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(7200)
    .describe(
      'Maximum duration of a session, from the start of its simulator. Below 360 it is 7200, as in the original; see `limits.time`.',
    )
    .meta({ unit: 'seconds' }),
  title: text(200).default('Webots simulation server').describe('Heading of the monitor page.'),
  description: text(2000).optional().describe('Text below the heading.').meta({ absent: 'none' }),
  persistantDockerImages: z
    .array(text(300))
    .max(1000)
    .optional()
    .describe('Accepted so that old files still work. It has no effect: images of Webots are never removed here.')
    .meta({ absent: 'none' }),

  listen: z
    .string()
    .max(253)
    .refine((value) => isIP(value) !== 0, { message: 'write an IP address, without brackets or port' })
    .default('::')
    .describe('Address to listen on. `::` is IPv4 and IPv6.')
    .meta({ restart: true, expected: 'an IP address such as "::" or "127.0.0.1"' }),
  trustedProxies: z
    .array(z.string().max(60).meta({ expected: 'an IP address or a network such as "10.0.0.0/8"' }))
    .max(1000)
    .default(['127.0.0.0/8', '::1/128'])
    .describe('Addresses or networks whose `X-Forwarded-For` is trusted.')
    .meta({ restart: true, expected: 'a list of addresses or networks such as ["10.0.0.0/8"]' }),
  stateDir: path
    .optional()
    .describe('Folder for data that survives a restart, and for the files of running sessions.')
    .meta({ restart: true, absent: '`state` beside `logDir`', expected: 'the path of a folder' }),
  logFormat: z
    .enum(['text', 'json'])
    .default('text')
    .describe('`text`: lines as the original writes them; `json`: one object a line.')
    .meta({ restart: true }),
  display: text(100)
    .regex(/^[A-Za-z0-9.:_-]+$/)
    .optional()
    .describe('X display of the simulators.')
    .meta({ absent: 'the environment variable `DISPLAY`, else `:0`' }),
  simulator: z.enum(['webots', 'command', 'demo']).default('webots').describe('What runs the worlds.').meta({ restart: true }),
  api: z
    .strictObject({
      token: z
        .string()
        .regex(/^[A-Za-z0-9._~-]{16,200}$/)
        .optional()
        .describe('Token that callers of `/api/v1` send.')
        .meta({ secret: true, absent: 'no access', expected: '16 to 200 letters and digits' }),
    })
    .prefault({})
    .describe('Access for programs.'),
  simulators,
  isolation,
  limits,
  cache,
  container,
  projects,
});

/** The file as it is written. */
export type ConfigurationFile = z.input<typeof schema>;
/** The file with every default filled in. */
export type Configuration = z.output<typeof schema>;
