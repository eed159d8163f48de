/** `/demo`: the page of the demo, which only `session-server demo` has. Its buttons are forms, and work without a script. */
import { Hono, type Context } from 'hono';
import type { Demo, DemoAction, DemoView } from '../../core/views/demo-view.ts';
import { VISITOR_HEADERS, type VisitorLanguages, type VisitorPage } from '../clients/visitor-routes.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { methodNotAllowed } from '../server/cors.ts';
import type { Env } from '../server/routes.ts';
import { isSameOrigin } from '../server/same-origin.ts';

export interface DemoRoutesOptions {
  readonly demo: Demo;
  readonly page: (c: Context<Env>) => VisitorPage;
  readonly languages: (c: Context<Env>) => VisitorLanguages;
  readonly render: RenderDemoPage;
}

/** The page's own renderer, as in `visitor-routes.ts`. */
export type RenderDemoPage = (
  languages: VisitorLanguages,
  page: VisitorPage & { readonly state: DemoView },
) => string | Promise<string>;

/** Bytes of a form. */
const MAX_BODY = 1000;

export function createDemoRoutes({ demo, page, languages, render }: DemoRoutesOptions): Hono<Env> {
  const routes = new Hono<Env>();
  const tooLarge = (c: Context) => c.text('The form is too large.\n', 413);
  routes.get('/demo', async (c) => {
    const html = await render(languages(c), { ...page(c), state: demo.view() });
    return c.body(html, 200, VISITOR_HEADERS);
  });
  routes.post('/demo', bodyLimit({ maxSize: MAX_BODY, onError: tooLarge }), async (c) => {
    if (!isSameOrigin(c.env.incoming)) return c.text('Only the page of the demo may do this.\n', 403);
    const action = actionOf(await c.req.parseBody());
    if (action === undefined) return c.text('This is not an action of the demo.\n', 400);
    demo.act(action);
    return c.redirect('demo', 303);
  });
  routes.all('/demo', (c) => methodNotAllowed(c, 'GET, HEAD, POST'));
  return routes;
}

function actionOf({ action, machine }: Readonly<Record<string, unknown>>): DemoAction | undefined {
  switch (action) {
    case 'send-class':
    case 'send-home':
    case 'slow-mail':
    case 'fast-mail':
      return { kind: action };
    case 'stop-machine':
    case 'start-machine':
      return typeof machine === 'string' ? { kind: action, machine } : undefined;
    default:
      return undefined;
  }
}
