/**
 * Where simulation servers register themselves: `POST /register/TOKEN` takes the form that simulation servers of the original send to each URL of their
 * `notify` list (PROTOCOL § 5), and answers a line of text that they write into their log; `POST /api/v1/register` takes the same as JSON, again and again.
 *
 * The token stands in the path of the first because the original can send it nowhere else; it is never logged here. Guessing is limited by address before
 * anything is compared, and comparing takes as long for a wrong token as for a right one.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { addressOfUrl, entryOfForm } from '../../core/fleet/registration.ts';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { RegisteredServers } from '../../discovery/registered.ts';
import type { Clock, Log } from '../../ports.ts';
import type { AddressOf } from '../server/client-address.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';

export interface RegisterRoutesOptions {
  readonly registered: Pick<RegisteredServers, 'announce' | 'leave'>;
  /** As configured now. No token: nobody may register. */
  readonly rules: () => { readonly token?: string | undefined; readonly heartbeat: number };
  readonly addressOf: AddressOf;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

export interface RegisterRoutes {
  readonly form: Hono<Env>;
  readonly api: OpenAPIHono<Env>;
}

const BODY_BYTES = 65_536;
const WRONG_TRIES = { burst: 10, rate: 10 / 60, mostKeys: 100_000 };
/** By address: a room full of machines that are switched on together stands behind one. */
const REGISTRATIONS = { burst: 200, rate: 20, mostKeys: 100_000 };
const MAX_TOKEN = 200;
const NO_STORE = { 'Cache-Control': 'no-store' } as const;

const announcement = z
  .strictObject({
    url: z
      .string()
      .max(400)
      .describe('Where clients reach it. The scheme is left out: `ssl` of the session server decides it.')
      .openapi({ example: 'https://sim9.example.org/2000' }),
    weight: z.number().optional().describe('Rough power compared to the others; 1 is usual.'),
    maxSessions: z.int().optional().describe('Most sessions within the time a session is expected to last.'),
    allowedRepositories: z.array(z.string()).optional().describe('Only projects below these prefixes run there.'),
    blockedRepositories: z.array(z.string()).optional().describe('Projects below these prefixes never run there.'),
    shareIdleTime: z.number().optional().describe('Percent. While the load is below it, other projects run there, too.'),
    labels: z.record(z.string(), z.string()).optional().describe('As in `simulationServers`.'),
  })
  .openapi('Announcement');

const accepted = z
  .object({
    id: z.string().describe('Identity of the server in the fleet.').openapi({ example: 'sim9.example.org:2000' }),
    state: z
      .enum(['checking', 'registered', 'configured'])
      .describe(
        '`checking`: it is asked for `/load` and `/client` first; `registered`: it is part of the fleet; `configured`: it is, without registering.',
      ),
    heartbeatSeconds: z.number().describe('Register again within this time, else it leaves after some more.'),
  })
  .openapi('Registration');

const refusals = {
  400: refusalResponse('The request cannot be understood, or the server cannot be one of the fleet.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('Registration is switched off.'),
  429: refusalResponse('Too many registrations, or too many wrong tokens, from this address.'),
};
const security = [{ registration: [] }];

const register = createRoute({
  method: 'post',
  path: '/api/v1/register',
  summary: 'Join the fleet as a simulation server, or say that it is still there',
  security,
  request: { body: { required: true, content: { 'application/json': { schema: announcement } } } },
  responses: {
    202: { description: 'It is, or will be, part of the fleet.', content: { 'application/json': { schema: accepted } } },
    ...refusals,
    409: refusalResponse('As many servers are registered as may.'),
    413: refusalResponse('The body is too large.'),
    415: refusalResponse('The body was not sent as JSON.'),
  },
});
const leave = createRoute({
  method: 'delete',
  path: '/api/v1/register/{id}',
  summary: 'Leave the fleet as a simulation server that registered itself',
  security,
  request: { params: z.object({ id: z.string().min(1).max(300).describe('What registering answered.') }) },
  responses: { 204: { description: 'It left.' }, ...refusals, 404: refusalResponse('It is not registered.') },
});

export function createRegisterRoutes(options: RegisterRoutesOptions): RegisterRoutes {
  const gate = new Gate(options);
  return { form: createForm(options, gate), api: createRegisterApi(options, gate) };
}

function createForm({ registered }: RegisterRoutesOptions, gate: Gate): Hono<Env> {
  const routes = new Hono<Env>();
  const say = (c: Context, status: 200 | 400 | 401 | 403 | 409 | 413 | 415 | 429, text: string, wait?: number) =>
    c.text(`${text}\n`, status, { ...NO_STORE, ...(wait !== undefined && { 'Retry-After': String(Math.ceil(wait)) }) });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => say(c, 413, 'Error: the request is too large.') });
  routes.post('/register/:token', limit, async (c) => {
    const verdict = gate.judge(c, c.req.param('token'));
    if (verdict !== undefined) return say(c, verdict.status, `Error: ${verdict.reason}`, verdict.retryAfter);
    if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(c.req.header('Content-Type') ?? ''))
      return say(
        c,
        415,
        'Error: send a form (application/x-www-form-urlencoded) with url, shareIdleTime and allowedRepositories.',
      );
    const form = new URLSearchParams(await c.req.text());
    const [url = '', ...more] = form.getAll('url');
    if (more.length > 0) return say(c, 400, 'Error: url is given twice.');
    const read = entryOfForm({
      url,
      shareIdleTime: form.get('shareIdleTime') ?? '',
      allowedRepositories: form.get('allowedRepositories') ?? '',
    });
    if (read.kind === 'refused') return say(c, 400, `Error: ${read.reason}.`);
    const outcome = registered.announce(read.entry, { heartbeats: false });
    if (outcome.kind === 'refused') return say(c, outcome.code === 'bad-server' ? 400 : 409, `Error: ${outcome.reason}`);
    return say(c, 200, SAID[outcome.state]);
  });
  routes.all('/register/:token', (c) => c.text('Method not allowed.\n', 405, { Allow: 'POST' }));
  return routes;
}

const SAID = {
  checking: 'Registered. Sessions are handed out once /load and /client were seen to answer.',
  registered: 'Registered.',
  configured: 'This simulation server is part of the fleet already, by the configuration of the session server.',
} as const;

function createRegisterApi({ registered, rules }: RegisterRoutesOptions, gate: Gate): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.openAPIRegistry.registerComponent('securitySchemes', 'registration', {
    type: 'http',
    scheme: 'bearer',
    description: '`registration.token`',
  });
  const mayRegister: MiddlewareHandler<Env> = async (c, next) => {
    const token = /^Bearer +(.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]?.trim();
    const verdict = gate.judge(c, token);
    if (verdict === undefined) return next();
    if (verdict.status === 401) c.header('WWW-Authenticate', 'Bearer realm="registration"');
    if (verdict.retryAfter !== undefined) c.header('Retry-After', String(Math.ceil(verdict.retryAfter)));
    return refusal(c, verdict.status, verdict.code, verdict.reason);
  };
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  routes.on('POST', register.path, mayRegister, limit, refuseOddJson);
  routes.on('DELETE', leave.path.replace('{id}', ':id'), mayRegister);

  routes.openapi(register, (c) => {
    const { url, ...rest } = c.req.valid('json');
    const address = addressOfUrl(url);
    if (address === undefined)
      return refusal(c, 400, 'bad-server', '"url" must be the address of the simulation server, such as https://host/2000.');
    const outcome = registered.announce({ address, ...rest }, { heartbeats: true });
    if (outcome.kind === 'accepted')
      return c.json({ id: outcome.id, state: outcome.state, heartbeatSeconds: rules().heartbeat }, 202);
    return outcome.code === 'bad-server'
      ? refusal(c, 400, outcome.code, outcome.reason)
      : refusal(c, 409, outcome.code, outcome.reason);
  });
  routes.openapi(leave, (c) => {
    if (registered.leave(c.req.valid('param').id)) return c.body(null, 204);
    return refusal(c, 404, 'unknown-server', 'There is no registered simulation server of this identity.');
  });
  return routes;
}

interface Verdict {
  readonly status: 401 | 403 | 429;
  readonly code: 'token-missing' | 'token-wrong' | 'no-registration' | 'too-many-tries' | 'too-many-registrations';
  readonly reason: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** Who may register, and how often. */
class Gate {
  readonly #wrongTries = new TokenBuckets(WRONG_TRIES);
  readonly #registrations = new TokenBuckets(REGISTRATIONS);
  readonly #options: RegisterRoutesOptions;

  constructor(options: RegisterRoutesOptions) {
    this.#options = options;
  }

  /** `undefined`: the request may go on. */
  judge(c: Context<Env>, given: string | undefined): Verdict | undefined {
    const { rules, addressOf, clock, log } = this.#options;
    const { token } = rules();
    if (token === undefined)
      return {
        status: 403,
        code: 'no-registration',
        reason: 'This session server takes no registrations (registration.token is not set).',
      };
    if (given === undefined)
      return { status: 401, code: 'token-missing', reason: 'Send "Authorization: Bearer TOKEN" with registration.token.' };
    const { address, limitKey: key = address } = addressOf(c.env.incoming);
    const now = clock.now();
    const locked = this.#wrongTries.wait(key, now);
    if (locked > 0) return later('too-many-tries', 'Too many wrong tokens came from this address', locked);
    if (!sameText(given.slice(0, MAX_TOKEN + 1), token)) {
      this.#wrongTries.take(key, now);
      log.limited('warn', 'wrong-registration-token', `${address} tried to register with a wrong token`, { address });
      return { status: 401, code: 'token-wrong', reason: 'This is not the token in registration.token.' };
    }
    const wait = this.#registrations.take(key, now);
    return wait > 0 ? later('too-many-registrations', 'Too many registrations come from this address', wait) : undefined;
  }
}

function later(code: Verdict['code'], reason: string, wait: number): Verdict {
  return { status: 429, code, reason: `${reason}; try again in ${Math.ceil(wait)} seconds.`, retryAfter: wait };
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
