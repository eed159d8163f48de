/** The simulation servers that are listed, one by one. */
import { z } from 'zod';
import { type Endpoint, type EndpointProblem, parseEndpoint } from '../../core/fleet/endpoint.ts';
import { readRepositoryPrefix } from '../../core/fleet/routing.ts';
import { characterName } from '../character-name.ts';
import { formatKey, type Problem, showValue } from '../problem.ts';
import { count, percent, text } from './values.ts';

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

/** An entry of `simulationServers` that is more than its address. */
const simulationServer = z.strictObject({
  address: address.describe('`host/2000` (behind a reverse proxy that rewrites ports) or `host:2000`.'),
  weight: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe('Approximate power compared with the other servers: 2 is about twice as powerful. Learning corrects it.'),
  maxSessions: count(1, 10_000)
    .optional()
    .describe('Maximum number of sessions started on this server within one `allocation.sessionLength`.')
    .meta({ absent: 'no limit' }),
  allowedRepositories: repositories
    .optional()
    .describe('Only projects below these prefixes, such as `github.com/cyberbotics`, run here.')
    .meta({ absent: 'all' }),
  blockedRepositories: repositories.optional().describe('Projects below these prefixes never run here.').meta({ absent: 'none' }),
  shareIdleTime: percent(0, 100)
    .default(0)
    .describe('While load is below this percentage, the server also accepts projects outside `allowedRepositories`. 0: never.'),
  labels: z
    .record(text(60), z.string().max(200))
    .default({})
    .describe('Labels for people and for `POST /api/v1/sessions`, such as `{"room": "B12"}`.')
    .meta({ expected: 'names and texts in braces, such as {"room": "B12"}' }),
});

export const simulationServers = z
  .array(z.union([address, simulationServer]).meta({ expected: '"host/2000" or "host:2000", or an object with an "address"' }))
  .max(100_000)
  .describe('List of `"host/2000"` (port rewritten), `"host:2000"`, or objects with more than the address.')
  .meta({ expected: 'a list of addresses in square brackets, such as ["host/2000"]' });

export type SimulationServerEntry = z.output<typeof simulationServer>;

/** `undefined` for an address that the schema rejects. */
export function endpointOf(entry: string | SimulationServerEntry): Endpoint | undefined {
  const result = parseEndpoint(typeof entry === 'string' ? entry : entry.address);
  return result.kind === 'invalid' ? undefined : result.endpoint;
}

interface Fleet {
  readonly simulationServers?: readonly (string | SimulationServerEntry)[] | undefined;
  readonly portRewrite?: boolean | undefined;
  readonly registration?: { readonly token?: string | undefined } | undefined;
}

export function checkServers({ simulationServers, portRewrite, registration }: Fleet): Problem[] {
  if (simulationServers === undefined) return [];
  if (simulationServers.length === 0) return registration?.token === undefined ? [noServers] : [];
  const listed = simulationServers.flatMap((entry, index) => {
    const endpoint = endpointOf(entry);
    const key = formatKey(typeof entry === 'string' ? ['simulationServers', index] : ['simulationServers', index, 'address']);
    return endpoint === undefined ? [] : [{ key, index, endpoint }];
  });
  const firsts = new Map<string, number>();
  const problems: Problem[] = [];
  for (const { key, index, endpoint } of listed) {
    const first = firsts.get(endpoint.id);
    if (first === undefined) firsts.set(endpoint.id, index);
    else problems.push(duplicateServer(key, endpoint.address, first));
  }
  const unlike = listed.filter(
    ({ endpoint }) => endpoint.port !== undefined && endpoint.path === undefined && endpoint.rewritten !== portRewrite,
  );
  const [first] = unlike;
  if (first !== undefined && portRewrite !== undefined)
    problems.push(otherSpelling(first.key, first.endpoint.address, portRewrite, unlike.length));
  const withPath = listed.filter(({ endpoint }) => endpoint.path !== undefined);
  if (withPath[0] !== undefined) problems.push(unusualPath(withPath[0].key, withPath[0].endpoint.address, withPath.length));
  return problems;
}

const noServers: Problem = {
  key: 'simulationServers',
  value: 'an empty list',
  expected: 'at least one address, or no session can ever start',
  fix: 'add one, such as "localhost:2000"',
};

function duplicateServer(key: string, address: string, first: number): Problem {
  const fix = `remove one of the two; the server counts once, with the keys of simulationServers[${first}]`;
  return { key, value: showValue(address), expected: `an address that is not yet in simulationServers[${first}]`, fix };
}

/** A warning: reverse proxies of all kinds exist. */
function unusualPath(key: string, address: string, number: number): Problem {
  return {
    key,
    value: showMany(address, number),
    expected: '"host/2000" or "host:2000"; a path that is not a single port is unusual',
    fix: `check that the reverse proxy passes ${showValue(`${address}/load`)} and ${showValue(`${address}/client`)} to the simulation server`,
  };
}

function showMany(address: string, number: number): string {
  return `${showValue(address)}${number > 1 ? ` (and ${number - 1} more)` : ''}`;
}

/** One warning for all servers: a forgotten `portRewrite` is forgotten for all of them. */
function otherSpelling(key: string, address: string, portRewrite: boolean, number: number): Problem {
  return {
    key,
    value: showMany(address, number),
    expected: portRewrite ? '"host/2000", because "portRewrite" is true' : '"host:2000", because "portRewrite" is false',
    fix: 'clients connect to exactly this address; without a reverse proxy that maps ports write "host:2000" and "portRewrite": false, else "host/2000" and true',
  };
}

function checkAddress({ value, issues }: z.core.ParsePayload<string>): void {
  const result = parseEndpoint(value);
  // White space around an address is forgiven to machines, not to a file that clients get their addresses from letter for letter.
  const problem = result.kind === 'invalid' ? result.problem : value === result.endpoint.address ? undefined : 'white-space';
  if (problem !== undefined)
    issues.push({ code: 'custom', input: value, params: { problem }, message: addressAdvice(problem, value) });
}

/** White space other than the common kind, and characters without width, cannot be seen: the advice names them and their place. */
function addressAdvice(problem: EndpointProblem, address: string): string {
  const hidden = problem === 'white-space' || problem === 'invisible' ? /[^\S \t\r\n]|\p{Cf}/u.exec(address) : null;
  return hidden === null ? ADVICE[problem] : `remove ${characterName(hidden[0])}, character ${hidden.index + 1}`;
}

const ADVICE: Readonly<Record<EndpointProblem, string>> = {
  empty: 'write host and port, or remove the entry',
  'too-long': 'it is longer than any host name; check it',
  scheme: 'remove what precedes the host name ("http://", "wss://"); the key "ssl" decides that',
  'white-space': 'remove the white space',
  invisible: 'remove the invisible character',
  host: 'check the host name; write an IPv6 address in brackets, as in "[::1]:2000"',
  zone: 'an address with a zone such as "%eth0" works on one machine alone; write a name or an address that clients can reach',
  port: 'write a port from 1 to 65535 after the colon',
  path: 'write only letters, digits and "-._~/" after the host, without a trailing slash, a query or a fragment',
};
