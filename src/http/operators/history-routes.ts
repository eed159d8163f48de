/** `GET /api/v1/history`: the data of the charts, for the page and for spreadsheets. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { HistoryView, SparklinesView } from '../../core/views/monitor-view.ts';
import type { Clock } from '../../ports.ts';
import { mark, serverUptime } from '../server/api-schemas.ts';
import type { MonitorSource } from './monitor-source.ts';
import { jsonResponse, readingRefusals, readingSecurity, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { createThrottledValue } from '../server/throttled-value.ts';
import { timeText } from '../server/time-text.ts';

export interface HistoryRoutesOptions {
  readonly source: Pick<MonitorSource, 'history' | 'sparklines' | 'marks' | 'uptime' | 'reserved'>;
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly mayRead: MiddlewareHandler<Env>;
}

const HOUR = 3600;
/** Computing a byte of the sparklines takes as long as so many bytes of a list. */
const SPARKLINE_COST = 6;

const historyQuery = z.object({
  server: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe('Identity of a simulation server, such as `host:2000`. Absent: the whole fleet.'),
  from: timeText.optional().describe('Absent: one hour before `to`.'),
  to: timeText.optional().describe('Absent: now.'),
  step: z.coerce
    .number({ message: 'write seconds' })
    .min(1, 'write at least 1 second')
    .max(30 * 86_400, 'write at most 30 days in seconds')
    .optional()
    .describe('Seconds per bucket; larger where the history is coarser. Absent: about 400 buckets.'),
  format: z.enum(['json', 'csv'], { message: 'write json or csv' }).default('json'),
});

const numbers = z.array(z.number()).readonly();
const measured = z.array(z.number().nullable()).readonly();
const answer = z
  .object({
    server: z.string().nullable(),
    from: z.number(),
    to: z.number(),
    step: z.number(),
    time: numbers.describe('Start of each bucket, seconds since the epoch.'),
    min: measured,
    mean: measured.describe('Reported load, percent; null: no reports.'),
    max: measured,
    count: numbers.describe(
      'Samples in the bucket. Of a server: its successful probes. Of the fleet: the seconds in which a server answered.',
    ),
    predicted: measured.describe('Mean predicted load.'),
    handOuts: numbers,
    waiting: measured.describe('Maximum length of the waiting line; only of the fleet.'),
    reserved: measured.describe('Seats of classes that could be taken at the same time; only of the fleet.'),
    marks: z.array(mark).readonly().describe('When servers did not answer or were drained, the oldest first.'),
  })
  .openapi('History');

const route = createRoute({
  method: 'get',
  path: '/api/v1/history',
  operationId: 'getHistory',
  tags: ['servers'],
  summary: 'Load, allocations and the waiting line over time, of the fleet or of one server',
  security: readingSecurity,
  request: { query: historyQuery },
  responses: {
    ...readingRefusals,
    200: {
      description: 'Columns of equal length. As CSV: one line per bucket.',
      content: { 'application/json': { schema: answer }, 'text/csv': { schema: z.string() } },
    },
    400: refusalResponse('The query is not valid.'),
    404: refusalResponse('There is no history of this server.'),
  },
});

const uptimeRoute = createRoute({
  method: 'get',
  path: '/api/v1/uptime',
  operationId: 'getUptime',
  tags: ['servers'],
  summary: 'Share of the last 24 hours and of the last 30 days in which each server answered',
  security: readingSecurity,
  responses: {
    200: jsonResponse('By identity of the server.', z.object({ servers: z.record(z.string(), serverUptime).readonly() })),
    ...readingRefusals,
  },
});

export function createHistoryRoutes({ source, clock, mayRead }: HistoryRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  for (const { path } of [route, uptimeRoute]) routes.use(path, mayRead);
  routes.openapi(route, (c) => {
    const { server, step, format, to = clock.wallTime(), from = to - HOUR } = c.req.valid('query');
    if (from >= to) return refusal(c, 400, 'bad-request', '"from" must be before "to".');
    const recorded = source.history({ from, to, ...(server !== undefined && { server }), ...(step !== undefined && { step }) });
    if (recorded === undefined) return refusal(c, 404, 'no-history', 'There is no history of a server with this identity.');
    const { time, step: seconds } = recorded;
    const reserved = server === undefined ? source.reserved(time, seconds) : time.map(() => null);
    const view = { ...recorded, reserved, marks: source.marks(server, recorded.from, recorded.to) };
    if (format === 'json') return c.json(view, 200, NO_CACHE);
    return c.body(csvOf(view), 200, {
      ...NO_CACHE,
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="${fileName(view)}"`,
    });
  });
  const sparklines = createThrottledValue(clock, () => {
    const view: SparklinesView = { ...source.sparklines(), uptime: source.uptime() };
    const value = new TextEncoder().encode(JSON.stringify(view));
    return { value, bytes: value.byteLength * SPARKLINE_COST };
  });
  routes.openapi(uptimeRoute, (c) => c.json({ servers: source.uptime() }, 200, NO_CACHE));
  routes.get('/monitor/sparklines', mayRead, (c) =>
    c.body(sparklines(), 200, { ...NO_CACHE, 'Content-Type': 'application/json' }),
  );
  return routes;
}

/** Contains the server, so that downloads are distinguishable. An identity has characters that file systems do not allow. */
function fileName({ server }: HistoryView): string {
  return `${['history', ...(server?.match(/[A-Za-z0-9.-]+/g) ?? [])].join('-')}.csv`;
}

/** Lines as in RFC 4180; the first names the columns. A gap is an empty field. */
export function csvOf(view: HistoryView): string {
  const lines = ['time,min,mean,max,count,predicted,hand_outs,waiting,reserved'];
  for (const [index, at] of view.time.entries()) {
    const measured = [view.min, view.mean, view.max, view.count, view.predicted, view.handOuts, view.waiting, view.reserved];
    lines.push([new Date(at * 1000).toISOString(), ...measured.map((column) => column[index] ?? '')].join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

const NO_CACHE = { 'Cache-Control': 'no-store' } as const;
