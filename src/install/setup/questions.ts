/** What `session-server setup` asks, and what it takes for an answer. */
import { randomBytes } from 'node:crypto';
import { validate } from '../../config/validate.ts';
import { parseEndpoint } from '../../core/fleet/endpoint.ts';
import { parseRoutes, portBehind, thousandAround } from '../../core/gateway/gateway-routes.ts';
import { addressKind } from '../../core/fleet/ip-address.ts';
import type { Answers, FrontKind } from './configuration-file.ts';

/** What was given on the command line; the rest is asked. */
export interface SetupFlags {
  readonly server?: string;
  readonly front?: string;
  readonly simulationServer?: readonly string[];
  /** `2000-2999=localhost`. */
  readonly route?: readonly string[];
  readonly port?: number;
  readonly administrator?: string;
  readonly mailServer?: string;
  readonly mailSender?: string;
  readonly registration?: boolean;
}

/** Asks a person; `undefined` when nobody is there. */
export type Ask = ((question: string, preset: string) => Promise<string>) | undefined;

export type AnswersResult =
  { readonly kind: 'answers'; readonly answers: Answers } | { readonly kind: 'refused'; readonly reason: string };

export const FRONTS: readonly FrontKind[] = ['gateway', 'apache', 'nginx', 'caddy', 'none'];
const DEFAULT_PORT = 1999;
/** Of every front. */
const FRONT_PORTS: readonly number[] = [80, 443];
/** Of simulation servers. */
const USUAL_PORT = 2000;

/** Throws what `ask` throws. */
export async function askForAnswers(flags: SetupFlags, ask: Ask): Promise<AnswersResult> {
  const server = await answerTo('Domain name of this machine, such as webots.example.org', {
    ...{ given: flags.server, preset: '', ask },
    read: (text) => readServer(text, flags.front),
  });
  if (server.kind === 'refused') return server;
  const front = await answerTo(FRONT_QUESTION, {
    ...{ given: flags.front, preset: 'gateway', ask },
    read: (text) => readFront(text, server.value),
  });
  if (front.kind === 'refused') return front;
  const { port = DEFAULT_PORT } = flags;
  if (front.value !== 'none' && FRONT_PORTS.includes(port))
    return refused(
      `${port} is a port of the front; choose another one for the session server behind it, such as ${DEFAULT_PORT}`,
    );
  const servers = await answerTo('Simulation servers, separated by spaces; - for none', {
    ...{
      given: flags.simulationServer?.join(' '),
      preset: `${server.value}${front.value === 'none' ? ':' : '/'}${USUAL_PORT}`,
      ask,
    },
    read: (text) => readServers(text, server.value, front.value),
  });
  if (servers.kind === 'refused') return servers;
  const routes = await askForRoutes(flags, front.value, server.value, servers.value, ask);
  if (routes.kind === 'refused') return routes;
  const mail = await askForMail(flags, server.value, ask);
  if (mail.kind === 'refused') return mail;
  const registration = flags.registration ?? yes(await ask?.('May simulation servers register themselves? yes or no', 'no'));
  return {
    kind: 'answers',
    answers: {
      ...{ server: server.value, front: front.value, simulationServers: servers.value },
      ...{ routes: routes.routes, port, ...mail.value },
      ...(registration && { registrationToken: randomBytes(24).toString('hex') }),
    },
  };
}

type Read<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'refused'; readonly reason: string };

interface Question<T> {
  /** On the command line. */
  readonly given: string | undefined;
  readonly preset: string;
  readonly ask: Ask;
  readonly read: (text: string) => Read<T>;
}

/** What was given, else what a person says, who is asked again until it can be understood; else the preset. */
async function answerTo<T>(question: string, { given, preset, ask, read }: Question<T>): Promise<Read<T>> {
  if (given !== undefined || ask === undefined) return read((given ?? preset).trim());
  for (let asked = question; ;) {
    const answer = read((await ask(asked, preset)).trim());
    if (answer.kind === 'value') return answer;
    asked = `${answer.reason}\n${question}`;
  }
}

/** In the one spelling, which certbot gives to the folder of its certificate, too. */
function readServer(text: string, front: string | undefined): Read<string> {
  if (text === '') return refused('the domain name is missing; give it as --server webots.example.org');
  const name = parseEndpoint(text);
  if (name.kind === 'invalid' || name.endpoint.port !== undefined) return refused(`"${text}" is no domain name`);
  const { id, host } = name.endpoint;
  return front !== undefined && lacksName(host, front) ? refused(needsName(host)) : value(id);
}

function readFront(text: string, server: string): Read<FrontKind> {
  if (!isFront(text)) return refused(`"${text}" is no front; write ${FRONTS.join(', ')}`);
  return lacksName(server, text) ? refused(needsName(server)) : value(text);
}

function lacksName(host: string, front: string): boolean {
  return front !== 'none' && addressKind(host.replace(/^\[|\]$/g, '')) !== undefined;
}

function needsName(address: string): string {
  return `${address} is an address, and certificates are made for names: begin with the domain name of this machine, or choose "none"`;
}

function readServers(text: string, server: string, front: FrontKind): Read<readonly string[]> {
  const addresses = words(text).filter((address) => address !== '-');
  for (const address of addresses) {
    const read = parseEndpoint(address);
    if (read.kind === 'invalid')
      return refused(`"${address}" is no simulation server; write host/2000 (behind the front) or host:2000`);
    const port = portBehind(read.endpoint, server);
    if (front !== 'none' && port !== undefined && thousandAround(port) === undefined)
      return refused(`${address} has a port below 1024, and the front passes none of those on`);
  }
  return value(addresses);
}

interface Mail {
  readonly administrator?: string;
  readonly mailServer?: string;
  readonly mailSender?: string;
}

async function askForMail(flags: SetupFlags, server: string, ask: Ask): Promise<Read<Mail>> {
  const administrator = await answerTo('E-mail address that hears of failures; empty for none', {
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

/** As the configuration takes it; but a user of the mail server alone is more often a word that was forgotten to be an address. */
function readKey(key: 'administrator' | 'mailServer' | 'mailSender', text: string): Read<string> {
  const problem = validate({ [key]: text }).problems.find((problem) => problem.key === key);
  if (problem !== undefined) return refused(`${problem.value} cannot be used; write ${problem.expected}`);
  if (key !== 'mailServer' && !text.includes('@'))
    return refused(`"${text}" is no e-mail address; write one such as admin@example.org`);
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
    if (range === undefined || host === undefined) return refused(`"${entry}" is no route; write it as 2000-2999=localhost`);
    routes[range] = host;
  }
  const read = parseRoutes(routes);
  return read.kind === 'routes' ? { kind: 'routes', routes } : refused(`route ${read.range}: ${read.reason}`);
}

const FRONT_QUESTION = `What answers at port 443? gateway: this program alone; apache, nginx or caddy: a web server you keep; none: a closed network without TLS`;

async function askForRoutes(flags: SetupFlags, front: FrontKind, server: string, servers: readonly string[], ask: Ask) {
  if (flags.route !== undefined) return readRoutes(flags.route);
  const behind = servers.flatMap((address) => {
    const read = parseEndpoint(address);
    return read.kind === 'endpoint' ? (portBehind(read.endpoint, server) ?? []) : [];
  });
  if (front === 'none' || (behind.length === 0 && front !== 'gateway')) return readRoutes([]);
  // Those that will register themselves need a way through the gateway, too.
  if (behind.length === 0) behind.push(USUAL_PORT);
  const preset = behind
    .flatMap((port) => thousandAround(port) ?? [])
    .map(({ first, last }) => `${first}-${last}`)
    .filter((range, i, all) => all.indexOf(range) === i);
  if (ask === undefined && preset.length > 1)
    return refused(
      'several simulation servers are behind the front; say which machine has which ports, as in --route 2000-2999=localhost --route 3000-3999=10.0.0.3',
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

function isFront(text: string): text is FrontKind {
  return (FRONTS as readonly string[]).includes(text);
}

function value<T>(value: T): { readonly kind: 'value'; readonly value: T } {
  return { kind: 'value', value };
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
