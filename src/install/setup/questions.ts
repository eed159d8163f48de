/** The questions of `session-server setup`, and the answers it accepts. */
import { randomBytes } from 'node:crypto';
import { validate } from '../../config/validate.ts';
import { parseEndpoint } from '../../core/fleet/endpoint.ts';
import { parseRoutes, portBehind, thousandAround } from '../../core/gateway/gateway-routes.ts';
import { addressKind } from '../../core/fleet/ip-address.ts';
import type { Answers, ReverseProxyKind } from './configuration-file.ts';
import type { Ask } from './interview.ts';

/** Given on the command line; the rest is asked. */
export interface SetupFlags {
  readonly server?: string;
  /** What serves port 443. */
  readonly reverseProxy?: string;
  readonly simulationServer?: readonly string[];
  /** `2000-2999=localhost`. */
  readonly route?: readonly string[];
  readonly port?: number;
  /** `monitor.origin`; `-` for none. */
  readonly monitorOrigin?: string;
  readonly administrator?: string;
  readonly mailServer?: string;
  readonly mailSender?: string;
  readonly registration?: boolean;
}

export type AnswersResult =
  { readonly kind: 'answers'; readonly answers: Answers } | { readonly kind: 'refused'; readonly reason: string };

export const KINDS: readonly ReverseProxyKind[] = ['gateway', 'apache', 'nginx', 'caddy', 'none'];
const DEFAULT_PORT = 1999;
/** Of every reverse proxy. */
const RESERVED_PORTS: readonly number[] = [80, 443];
/** Of simulation servers. */
const USUAL_PORT = 2000;
/** For operators alone: pages of simulation servers must not share their origin. */
const OPERATORS_PORT = 8443;
const ORIGIN_QUESTION =
  'Address on which operators sign in: another port, or another name in DNS and in the certificate; - for none, and the token again for each action';

/** Throws what `ask` throws. */
export async function askForAnswers(flags: SetupFlags, ask: Ask): Promise<AnswersResult> {
  const server = await answerTo('Domain name of this machine, such as webots.example.org', {
    ...{ given: flags.server, preset: '', ask },
    // Asked before what serves port 443, so the answer to that cannot be `none` yet.
    read: (text) => readServer(text, flags.reverseProxy ?? (ask === undefined ? undefined : 'gateway')),
  });
  if (server.kind === 'refused') return server;
  const kind = await answerTo(KIND_QUESTION, {
    ...{ given: flags.reverseProxy, preset: 'gateway', ask },
    read: (text) => readKind(text, server.value),
  });
  if (kind.kind === 'refused') return kind;
  const { port = DEFAULT_PORT } = flags;
  if (kind.value !== 'none' && RESERVED_PORTS.includes(port))
    return refused(
      `port ${port} belongs to the reverse proxy; choose another one for the session server, such as ${DEFAULT_PORT}`,
    );
  const servers = await answerTo('Simulation servers, separated by spaces; - for none', {
    ...{
      given: flags.simulationServer?.join(' '),
      preset: `${server.value}${kind.value === 'none' ? ':' : '/'}${USUAL_PORT}`,
      ask,
    },
    read: (text) => readServers(text, server.value, kind.value),
  });
  if (servers.kind === 'refused') return servers;
  const routes = await askForRoutes(flags, kind.value, server.value, servers.value, ask);
  if (routes.kind === 'refused') return routes;
  const origin = await answerTo(ORIGIN_QUESTION, {
    ...{ given: flags.monitorOrigin, preset: `https://${server.value}:${OPERATORS_PORT}` },
    ask: kind.value === 'none' ? undefined : ask,
    read: (text) => readOrigin(text, kind.value),
  });
  if (origin.kind === 'refused') return origin;
  const mail = await askForMail(flags, server.value, ask);
  if (mail.kind === 'refused') return mail;
  const registration = flags.registration ?? yes(await ask?.('Let simulation servers register themselves? yes or no', 'no'));
  return {
    kind: 'answers',
    answers: {
      ...{ server: server.value, reverseProxy: kind.value, simulationServers: servers.value },
      ...{ routes: routes.routes, port, ...mail.value },
      ...(origin.value !== undefined && { monitorOrigin: origin.value }),
      ...(registration && { registrationToken: randomBytes(24).toString('hex') }),
    },
  };
}

/** Without TLS, every port is an origin of its own already. */
function readOrigin(text: string, reverseProxy: ReverseProxyKind): Read<string | undefined> {
  if (text === '-' || reverseProxy === 'none') return value(undefined);
  const problem = validate({ monitor: { origin: text } }).problems.find(({ key }) => key === 'monitor.origin');
  return problem === undefined
    ? value(text)
    : refused(`"${text}" is not the address of a site; write it as https://webots.example.org:8443`);
}

type Read<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'refused'; readonly reason: string };

interface Question<T> {
  /** On the command line. */
  readonly given: string | undefined;
  readonly preset: string;
  readonly ask: Ask;
  readonly read: (text: string) => Read<T>;
}

/** The given value; else the answer of the operator, who is asked until it is valid; else the preset. */
async function answerTo<T>(question: string, { given, preset, ask, read }: Question<T>): Promise<Read<T>> {
  if (given !== undefined || ask === undefined) return read((given ?? preset).trim());
  for (let answer = read((await ask(question, preset)).trim()); ;) {
    if (answer.kind === 'value') return answer;
    answer = read((await ask(`${answer.reason}\n${question}`, preset, true)).trim());
  }
}

/** In the spelling that certbot, too, gives to the folder of its certificate. */
function readServer(text: string, reverseProxy: string | undefined): Read<string> {
  if (text === '') return refused('the domain name is missing; add --server webots.example.org');
  const name = parseEndpoint(text);
  if (name.kind === 'invalid' || name.endpoint.port !== undefined || name.endpoint.path !== undefined)
    return refused(`"${text}" is not a domain name`);
  const { id, host } = name.endpoint;
  return reverseProxy !== undefined && lacksName(host, reverseProxy) ? refused(needsName(host)) : value(id);
}

function readKind(text: string, server: string): Read<ReverseProxyKind> {
  if (!isKind(text)) return refused(`unknown choice "${text}"; use one of ${KINDS.join(', ')}`);
  return lacksName(server, text) ? refused(needsName(server)) : value(text);
}

function lacksName(host: string, reverseProxy: string): boolean {
  return reverseProxy !== 'none' && addressKind(host.replace(/^\[|\]$/g, '')) !== undefined;
}

function needsName(address: string): string {
  return `${address} is an IP address, and certificates are issued for names: give the domain name of this machine; for a closed network without TLS, run setup with --reverse-proxy none`;
}

function readServers(text: string, server: string, reverseProxy: ReverseProxyKind): Read<readonly string[]> {
  const addresses = words(text).filter((address) => address !== '-');
  for (const address of addresses) {
    const read = parseEndpoint(address);
    if (read.kind === 'invalid')
      return refused(`"${address}" is not an address; write host/2000 (behind the reverse proxy) or host:2000`);
    const port = portBehind(read.endpoint, server);
    if (reverseProxy !== 'none' && port !== undefined && thousandAround(port) === undefined)
      return refused(`${address} has a port below 1024, and the reverse proxy forwards none of those`);
  }
  return value(addresses);
}

interface Mail {
  readonly administrator?: string;
  readonly mailServer?: string;
  readonly mailSender?: string;
}

async function askForMail(flags: SetupFlags, server: string, ask: Ask): Promise<Read<Mail>> {
  const administrator = await answerTo('E-mail address for notifications; empty for none', {
    ...{ given: flags.administrator, preset: '', ask },
    read: (text) => (text === '' ? value(text) : readKey('administrator', text)),
  });
  if (administrator.kind === 'refused' || administrator.value === '')
    return administrator.kind === 'refused' ? administrator : value({});
  const mailServer = await answerTo('Mail server (SMTP)', {
    ...{ given: flags.mailServer, preset: 'localhost', ask },
    read: (text) => readKey('mailServer', text),
  });
  if (mailServer.kind === 'refused') return mailServer;
  const sender = readKey('mailSender', flags.mailSender ?? `session-server@${server}`);
  if (sender.kind === 'refused') return sender;
  return value({ administrator: administrator.value, mailServer: mailServer.value, mailSender: sender.value });
}

/** As the configuration accepts it; but a name without a host is more often a mistake than a local user. */
function readKey(key: 'administrator' | 'mailServer' | 'mailSender', text: string): Read<string> {
  const problem = validate({ [key]: text }).problems.find((problem) => problem.key === key);
  if (problem !== undefined) return refused(`${problem.value} is not valid; write ${problem.expected}`);
  if (key !== 'mailServer' && !text.includes('@'))
    return refused(`"${text}" is not an e-mail address; write one such as admin@example.org`);
  return value(text);
}

/** `2000-2999=localhost` → `{"2000-2999": "localhost"}`. */
export function readRoutes(
  entries: readonly string[],
):
  | { readonly kind: 'routes'; readonly routes: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly reason: string } {
  const routes: Record<string, string> = {};
  for (const entry of entries) {
    const { range, host } = /^(?<range>[0-9-]+)=(?<host>.+)$/.exec(entry)?.groups ?? {};
    if (range === undefined || host === undefined) return refused(`"${entry}" is not a route; write it as 2000-2999=localhost`);
    routes[range] = host;
  }
  const read = parseRoutes(routes);
  if (read.kind === 'routes') return { kind: 'routes', routes };
  const [{ range, reason }] = read.problems;
  return refused(`route ${range}: ${reason}`);
}

const KIND_QUESTION = `What should serve port 443? gateway: this program; apache, nginx or caddy: your web server; none: no TLS, for a closed network`;

async function askForRoutes(
  flags: SetupFlags,
  reverseProxy: ReverseProxyKind,
  server: string,
  servers: readonly string[],
  ask: Ask,
) {
  if (flags.route !== undefined) return readRoutes(flags.route);
  const behind = servers.flatMap((address) => {
    const read = parseEndpoint(address);
    return read.kind === 'endpoint' ? (portBehind(read.endpoint, server) ?? []) : [];
  });
  if (reverseProxy === 'none' || (behind.length === 0 && reverseProxy !== 'gateway')) return readRoutes([]);
  // Servers that will register themselves need a route through the gateway, too.
  if (behind.length === 0) behind.push(USUAL_PORT);
  const preset = behind
    .flatMap((port) => thousandAround(port) ?? [])
    .map(({ first, last }) => `${first}-${last}`)
    .filter((range, i, all) => all.indexOf(range) === i);
  if (ask === undefined && preset.length > 1)
    return refused(
      'several simulation servers are behind the reverse proxy; give the machine of each range of ports, as in --route 2000-2999=localhost --route 3000-3999=10.0.0.3',
    );
  const entries: string[] = [];
  for (const range of preset) {
    const entry = await answerTo(`Machine with the ports ${range}`, {
      ...{ given: undefined, preset: 'localhost', ask },
      read(host) {
        const read = readRoutes([`${range}=${host}`]);
        return read.kind === 'refused' ? read : value(`${range}=${host}`);
      },
    });
    if (entry.kind === 'refused') return entry;
    entries.push(entry.value);
  }
  return readRoutes(entries);
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function yes(text: string | undefined): boolean {
  return /^y/i.test(text?.trim() ?? '');
}

function isKind(text: string): text is ReverseProxyKind {
  return (KINDS as readonly string[]).includes(text);
}

function value<T>(value: T): { readonly kind: 'value'; readonly value: T } {
  return { kind: 'value', value };
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
