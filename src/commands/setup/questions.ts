/** What `session-server setup` asks, and what it takes for an answer. */
import { randomBytes } from 'node:crypto';
import { parseEndpoint } from '../../core/endpoint.ts';
import { parseRoutes } from '../../core/gateway-routes.ts';
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
/** Of simulation servers. */
const USUAL_PORT = 2000;

export async function askForAnswers(flags: SetupFlags, ask: Ask): Promise<AnswersResult> {
  const server = flags.server ?? (await ask?.('Domain name of this machine, such as webots.example.org', ''))?.trim() ?? '';
  const name = parseEndpoint(server);
  if (name.kind === 'invalid' || name.endpoint.port !== undefined)
    return refused(
      server === '' ? 'the domain name is missing; give it as --server webots.example.org' : `"${server}" is no domain name`,
    );

  const front = flags.front ?? (await ask?.(FRONT_QUESTION, 'gateway'))?.trim() ?? 'gateway';
  if (!isFront(front)) return refused(`"${front}" is no front; write ${FRONTS.join(', ')}`);

  const preset = front === 'none' ? `${server}:2000` : `${server}/2000`;
  const listed =
    flags.simulationServer ?? words((await ask?.('Simulation servers, separated by spaces; - for none', preset)) ?? preset);
  const simulationServers = listed.filter((address) => address !== '-');
  const wrong = simulationServers.find((address) => parseEndpoint(address).kind === 'invalid');
  if (wrong !== undefined) return refused(`"${wrong}" is no simulation server; write host/2000 (behind the front) or host:2000`);

  const routes = await askForRoutes(flags, front, server, simulationServers, ask);
  if (routes.kind === 'refused') return routes;
  const administrator =
    flags.administrator ?? (await ask?.('E-mail address that hears of failures; empty for none', ''))?.trim() ?? '';
  const mailServer =
    administrator === '' ? '' : (flags.mailServer ?? (await ask?.('Mail server (SMTP)', 'localhost'))?.trim() ?? 'localhost');
  const registration = flags.registration ?? yes(await ask?.('May simulation servers register themselves? yes or no', 'no'));
  return {
    kind: 'answers',
    answers: {
      ...{ server, front, simulationServers, routes: routes.routes, port: flags.port ?? DEFAULT_PORT },
      ...(administrator !== '' && { administrator, mailServer, mailSender: flags.mailSender ?? `session-server@${server}` }),
      ...(registration && { registrationToken: randomBytes(24).toString('hex') }),
    },
  };
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
    return read.kind === 'endpoint' && read.endpoint.rewritten && read.endpoint.host === server ? (read.endpoint.port ?? []) : [];
  });
  if (front === 'none' || (behind.length === 0 && front !== 'gateway')) return readRoutes([]);
  // Those that will register themselves need a way through the gateway, too.
  if (behind.length === 0) behind.push(USUAL_PORT);
  const preset = behind
    .map((port) => Math.max(1, Math.floor(port / 1000)))
    .filter((thousand, i, all) => all.indexOf(thousand) === i)
    .map((thousand) => `${thousand}000-${thousand}999`);
  if (ask === undefined && preset.length > 1)
    return refused(
      'several simulation servers are behind the front; say which machine has which ports, as in --route 2000-2999=localhost --route 3000-3999=10.0.0.3',
    );
  const entries: string[] = [];
  for (const range of preset) {
    const host = (await ask?.(`Machine with the ports ${range}`, 'localhost'))?.trim() ?? 'localhost';
    entries.push(`${range}=${host}`);
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

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}
