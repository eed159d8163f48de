/**
 * Registration of simulation servers. `POST /register/TOKEN` accepts the form that simulation servers of the original send
 * to each URL of their `notify` list (docs/design/protocol.md, "Simulation servers"), and answers with a line of text for their log. `POST
 * /api/v1/register` accepts the same as JSON, repeatedly.
 *
 * The token is in the path because the original can send it nowhere else; it is never logged here. Wrong tokens are counted
 * by address, right ones never, and comparing takes as long for a wrong token as for a right one. A server that is known is
 * never refused for the number of registrations: it would leave the fleet for what others behind its address do.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { addressOfUrl, entryOfForm } from '../../core/fleet/registration.ts';
import { shown } from '../../core/fleet/project.ts';
import { readRepositoryPrefix } from '../../core/fleet/routing.ts';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { RegisteredServers } from '../../discovery/registered.ts';
import type { Log } from '../../ports.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { WrongTries, type WrongTriesOptions } from '../server/wrong-tries.ts';

export interface RegisterRoutesOptions extends WrongTriesOptions {
  readonly registered: Pick<RegisteredServers, 'announce' | 'knows' | 'leave'>;
  /** As configured now. Without a token registration is switched off. */
  readonly rules: () => { readonly token?: string | undefined; readonly heartbeat: number };
}

export interface RegisterRoutes {
  readonly form: Hono<Env>;
  readonly api: OpenAPIHono<Env>;
}

const BODY_BYTES = 65_536;
/** New servers by address: a room full of machines that start together may share one. */
const REGISTRATIONS = { burst: 200, rate: 20, maxKeys: 100_000 };
const MAX_TOKEN = 200;
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

const announcement = z
  .strictObject({
    url: z
      .string()
      .max(400)
      .describe('The URL at which clients reach it. Its scheme is ignored: `ssl` of the session server decides.')
      .openapi({ example: 'https://sim9.example.org/2000' }),
    weight: z.number().optional().describe('Approximate power relative to the other servers; 1 is average.'),
    maxSessions: z.int().optional().describe('Maximum number of sessions within the expected duration of a session.'),
    allowedRepositories: z.array(z.string()).optional().describe('Only projects with these prefixes run there.'),
    blockedRepositories: z.array(z.string()).optional().describe('Projects with these prefixes never run there.'),
    shareIdleTime: z.number().optional().describe('While the load is below this percentage, other projects run there too.'),
    labels: z.record(z.string(), z.string()).optional().describe('As in `simulationServers`.'),
  })
  .openapi('Announcement');

const accepted = z
  .object({
    id: z.string().describe('Identity of the server in the fleet.').openapi({ example: 'sim9.example.org:2000' }),
    state: z
      .enum(['checking', 'registered', 'configured'])
      .describe(
        '`checking`: its `/load` and `/client` are checked first. `registered`: it is in the fleet. `configured`: it is in the fleet by the configuration.',
      ),
    heartbeatSeconds: z
      .number()
      .describe('Register again within this time. Otherwise the server is deregistered some time later.'),
  })
  .openapi('Registration');

const refusals = {
  400: refusalResponse('The request is not valid, or the server cannot join the fleet.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('Registration is switched off.'),
  429: refusalResponse('Too many registrations, or too many wrong tokens, from this address.'),
};
const security = [{ registration: [] }];

const register = createRoute({
  method: 'post',
  path: '/api/v1/register',
  operationId: 'registerServer',
  tags: ['registration'],
  summary: 'Register a simulation server, or renew its registration',
  security,
  request: { body: jsonBody(announcement, true) },
  responses: {
    202: jsonResponse('The server is in the fleet, or will be after a check.', accepted),
    ...refusals,
    409: refusalResponse('The maximum number of registered servers is reached.'),
    413: refusalResponse('The body is too large.'),
    415: refusalResponse('The body was not sent as JSON.'),
  },
});
const leave = createRoute({
  method: 'delete',
  path: '/api/v1/register/{id}',
  operationId: 'deregisterServer',
  tags: ['registration'],
  summary: 'Deregister a simulation server that registered itself',
  security,
  request: { params: z.object({ id: z.string().min(1).max(300).describe('The `id` from the response to the registration.') }) },
  responses: {
    204: { description: 'The server is deregistered.' },
    ...refusals,
    404: refusalResponse('The server is not registered.'),
  },
});

export function createRegisterRoutes(options: RegisterRoutesOptions): RegisterRoutes {
  const gate = new RegistrationGate(options);
  return { form: createForm(options, gate), api: createRegisterApi(options, gate) };
}

function createForm({ registered, log }: RegisterRoutesOptions, gate: RegistrationGate): Hono<Env> {
  const routes = new Hono<Env>();
  const answer = (c: Context, status: FormStatus, text: string, wait?: number) =>
    c.text(`${text}\n`, status, {
      ...NO_STORE,
      ...(status === 405 && { Allow: 'POST' }),
      ...(wait !== undefined && { 'Retry-After': String(Math.ceil(wait)) }),
    });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => answer(c, 413, 'Error: the request is too large.') });
  routes.post('/register/:token', limit, async (c) => {
    const refused = gate.refusalFor(c, c.req.param('token'));
    if (refused !== undefined) return answer(c, refused.status, `Error: ${refused.reason}`, refused.retryAfter);
    if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(c.req.header('Content-Type') ?? ''))
      return answer(
        c,
        415,
        'Error: send a form (application/x-www-form-urlencoded) with url, shareIdleTime and allowedRepositories.',
      );
    const form = new URLSearchParams(await c.req.text());
    const [url = '', ...more] = form.getAll('url');
    if (more.length > 0) return answer(c, 400, 'Error: url is present twice.');
    const read = entryOfForm({
      url,
      shareIdleTime: form.get('shareIdleTime') ?? '',
      allowedRepositories: form.get('allowedRepositories') ?? '',
    });
    if (read.kind === 'refused') return answer(c, 400, `Error: ${read.reason}.`);
    const entry = withUsablePrefixes(read.entry, log);
    const busy = registered.knows(entry) ? undefined : gate.refusalForNew(c);
    if (busy !== undefined) return answer(c, busy.status, `Error: ${busy.reason}`, busy.retryAfter);
    const outcome = registered.announce(entry, { heartbeats: false });
    if (outcome.kind === 'refused') return answer(c, outcome.code === 'bad-server' ? 400 : 409, `Error: ${outcome.reason}`);
    return answer(c, 200, ANSWERS[outcome.state]);
  });
  routes.all('/register/:token', (c) => answer(c, 405, REDIRECTED));
  return routes;
}

type FormStatus = 200 | 400 | 401 | 403 | 405 | 409 | 413 | 415 | 429;

/** Programs that follow a redirect send GET instead of POST (RFC 9110 § 15.4.2). */
const REDIRECTED =
  'Error: register with POST. A redirect from http to https turns a POST into a GET: write the URL in "notify" with https://.';

const ANSWERS = {
  checking: 'Registered. Sessions start here once /load and /client answer.',
  registered: 'Registered.',
  configured: 'This simulation server is already in the fleet: it is in the configuration of the session server.',
} as const;

function createRegisterApi({ registered, rules, log }: RegisterRoutesOptions, gate: RegistrationGate): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.openAPIRegistry.registerComponent('securitySchemes', 'registration', {
    type: 'http',
    scheme: 'bearer',
    description: '`registration.token`',
  });
  const mayRegister: MiddlewareHandler<Env> = async (c, next) => {
    const token = /^Bearer +(.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]?.trim();
    const refused = gate.refusalFor(c, token);
    return refused === undefined ? next() : refuse(c, refused);
  };
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  routes.on('POST', register.path, mayRegister, limit, refuseOddJson);
  routes.on('DELETE', leave.path.replace('{id}', ':id'), mayRegister);

  routes.openapi(register, (c) => {
    const { url, ...rest } = c.req.valid('json');
    const address = addressOfUrl(url);
    if (address === undefined)
      return refusal(c, 400, 'bad-server', '"url" must be the address of the simulation server, such as https://host/2000.');
    const entry = withUsablePrefixes({ address, ...rest }, log);
    const busy = registered.knows(entry) ? undefined : gate.refusalForNew(c);
    if (busy !== undefined) return refuse(c, busy);
    const outcome = registered.announce(entry, { heartbeats: true });
    if (outcome.kind === 'accepted')
      return c.json({ id: outcome.id, state: outcome.state, heartbeatSeconds: rules().heartbeat }, 202);
    return outcome.code === 'bad-server'
      ? refusal(c, 400, outcome.code, outcome.reason)
      : refusal(c, 409, outcome.code, outcome.reason);
  });
  routes.openapi(leave, (c) => {
    if (registered.leave(c.req.valid('param').id)) return c.body(null, 204);
    return refusal(c, 404, 'unknown-server', 'There is no registered simulation server with this identity.');
  });
  return routes;
}

function refuse(c: Context, { status, code, reason, retryAfter }: GateRefusal) {
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="registration"');
  if (retryAfter !== undefined) c.header('Retry-After', String(Math.ceil(retryAfter)));
  return refusal(c, status, code, reason);
}

interface GateRefusal {
  readonly status: 401 | 403 | 429;
  readonly code: 'token-missing' | 'token-wrong' | 'no-registration' | 'too-many-tries' | 'too-many-registrations';
  readonly reason: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** Checks the token, and how many new servers an address registers. */
class RegistrationGate {
  readonly #wrongTries: WrongTries;
  readonly #registrations = new TokenBuckets(REGISTRATIONS);
  readonly #options: RegisterRoutesOptions;

  constructor(options: RegisterRoutesOptions) {
    this.#options = options;
    this.#wrongTries = new WrongTries(options);
  }

  /** `undefined`: the token is right. */
  refusalFor(c: Context<Env>, given: string | undefined): GateRefusal | undefined {
    const { token } = this.#options.rules();
    if (token === undefined)
      return {
        status: 403,
        code: 'no-registration',
        reason: 'Registration is switched off (registration.token is not set).',
      };
    if (given === undefined)
      return { status: 401, code: 'token-missing', reason: 'Send "Authorization: Bearer TOKEN" with registration.token.' };
    if (sameText(given.slice(0, MAX_TOKEN + 1), token)) return undefined;
    const what = { event: 'wrong-registration-token', words: 'tried to register with a wrong token' };
    const wait = this.#wrongTries.count(c.env.incoming, what);
    if (wait > 0) return later('too-many-tries', 'Too many wrong tokens from this address', wait);
    return { status: 401, code: 'token-wrong', reason: 'This is not the token in registration.token.' };
  }

  /** Counts a server that is not known. `undefined`: it may register. */
  refusalForNew(c: Context<Env>): GateRefusal | undefined {
    const { addressOf, clock } = this.#options;
    const { address, limitKey: key = address } = addressOf(c.env.incoming);
    const wait = this.#registrations.take(key, clock.now());
    return wait > 0 ? later('too-many-registrations', 'Too many registrations from this address', wait) : undefined;
  }
}

/**
 * Without prefixes that no project can have: one of them among good ones must not keep a server out of the fleet. Without a
 * good one the entry stays as it is, and is refused, because a server without prefixes runs every project.
 */
function withUsablePrefixes(entry: Readonly<Record<string, unknown>>, log: Log): Readonly<Record<string, unknown>> {
  const { allowedRepositories: all, address } = entry;
  if (!Array.isArray(all)) return entry;
  const good = all.filter((prefix) => typeof prefix === 'string' && readRepositoryPrefix(prefix) !== undefined);
  if (good.length === all.length || good.length === 0) return entry;
  const odd = all.filter((prefix) => !good.includes(prefix)).map((prefix) => shown(String(prefix)));
  const place = shown(String(address));
  log.limited(
    'warn',
    `prefixes of ${place}`,
    `${place} registers with allowedRepositories that match no project: ${odd.join(', ')}`,
  );
  return { ...entry, allowedRepositories: good };
}

function later(code: GateRefusal['code'], reason: string, wait: number): GateRefusal {
  return { status: 429, code, reason: `${reason}; try again in ${Math.ceil(wait)} seconds.`, retryAfter: wait };
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
