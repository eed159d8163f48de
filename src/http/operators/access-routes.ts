/** How a person signs in and out on the monitor page: `/monitor/viewer`, `/monitor/enter` and `/monitor/leave`. */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import type { RefusalView, ViewerView } from '../../core/views/monitor-view.ts';
import type { Log } from '../../ports.ts';
import { bodyLimit } from '../server/body-limit.ts';
import type { AddressOf } from '../server/client-address.ts';
import { cameByMonitor, type Env } from '../server/routes.ts';
import { NO_TOKENS, refuse, refused, signInElsewhere, teacherRefusal } from './access-refusals.ts';
import type { BrowserSession } from './browser-sessions.ts';
import { noTokenInUrl, type Credentials } from './credentials.ts';
import { roleOf } from './roles.ts';

export interface AccessRoutesOptions {
  readonly credentials: Credentials;
  readonly addressOf: AddressOf;
  readonly log: Log;
  readonly mayLeave: MiddlewareHandler<Env>;
}

const ENTER_BYTES = 4096;
const NO_STORE = { 'Cache-Control': 'no-store' } as const;
const TOO_LARGE: RefusalView = { code: 'too-large', reason: 'The request is too large.' };
const FOREIGN = refused(403, 'csrf', 'A token can only be entered on the monitor page itself.');

export function accessRoutes(options: AccessRoutesOptions): Hono<Env> {
  const { credentials, mayLeave } = options;
  const routes = new Hono<Env>();
  for (const path of ['/monitor/viewer', '/monitor/enter', '/monitor/leave']) routes.use(path, noTokenInUrl);
  routes.get('/monitor/viewer', (c) => c.json(viewerView(c, credentials, credentials.sessions.of(c)), 200, NO_STORE));
  routes.post('/monitor/enter', bodyLimit({ maxSize: ENTER_BYTES, onError: (c) => c.json(TOO_LARGE, 413, NO_STORE) }), (c) =>
    enter(options, c),
  );
  // A browser without a session is signed out already.
  routes.post('/monitor/leave', mayLeave, (c) => {
    credentials.sessions.close(c);
    return c.json(viewerView(c, credentials, undefined), 200, NO_STORE);
  });
  return routes;
}

async function enter({ credentials, addressOf, log }: AccessRoutesOptions, c: Context<Env>): Promise<Response> {
  const wantsPage = !(c.req.header('Content-Type') ?? '').startsWith('application/json');
  const { operators } = credentials.sessions;
  const elsewhere = operators.elsewhere(c.env.incoming);
  if (elsewhere !== undefined) return wantsPage ? c.redirect(`${elsewhere}/monitor`, 303) : refuse(c, signInElsewhere(elsewhere));
  if (!operators.isOfPage(c.env.incoming)) return refuse(c, FOREIGN);
  if (credentials.tokens.length === 0) return refuse(c, NO_TOKENS);
  const page = cameByMonitor(c) ? 'monitor' : '../monitor';
  const checked = credentials.check(c, await enteredToken(c, wantsPage));
  const isTeacher = checked.kind === 'holder' && roleOf(checked.token) === 'teacher';
  const given = isTeacher ? teacherRefusal(checked.token.name) : checked;
  if (given.kind === 'refused') return wantsPage ? c.redirect(`${page}?refused=${given.refusal.code}`, 303) : refuse(c, given);
  const { token } = given;
  const session = credentials.sessions.open(c, token);
  const { address } = addressOf(c.env.incoming);
  log.info(`${token.name} signed in on the monitor page`, { by: token.name, address });
  return wantsPage ? c.redirect(page, 303) : c.json(viewerView(c, credentials, session), 200, NO_STORE);
}

function viewerView(c: Context<Env>, { tokens, sessions }: Credentials, session: BrowserSession | undefined): ViewerView {
  const elsewhere = sessions.operators.elsewhere(c.env.incoming);
  const mayAct = session !== undefined && roleOf(session.token) === 'operator';
  const actions = mayAct ? 'ready' : tokens.every((token) => roleOf(token) !== 'operator') ? 'none' : 'locked';
  return {
    ...{ name: session?.token.name ?? null, actions, csrf: session?.csrf ?? null },
    confirms: sessions.operators.isShared(),
    signInAt: elsewhere === undefined ? null : `${elsewhere}/monitor`,
  };
}

async function enteredToken(c: Context<Env>, form: boolean): Promise<string> {
  try {
    const body: unknown = form ? await c.req.parseBody() : await c.req.json();
    const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
    return typeof token === 'string' ? token.trim() : '';
  } catch {
    return '';
  }
}
