/** Times in requests: seconds since the epoch, or ISO 8601. */
import { z } from '@hono/zod-openapi';

export const EXPECTED_TIME = 'write seconds since the epoch, or a time such as 2026-11-22T15:00:00Z';

/** As text, for queries. */
export const timeText = z
  .string()
  .max(40, EXPECTED_TIME)
  .transform((text, context) => {
    const seconds = /^[0-9]{1,12}(\.[0-9]+)?$/.test(text) ? Number(text) : isDate(text) ? Date.parse(text) / 1000 : NaN;
    if (Number.isFinite(seconds)) return seconds;
    context.addIssue({ code: 'custom', message: EXPECTED_TIME });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: '2026-11-22T15:00:00Z' });

/** The text begins with a date that exists: `Date.parse` takes 29 February of any year, and counts on. */
function isDate(text: string): boolean {
  const [date] = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.exec(text) ?? [];
  const midnight = date === undefined ? NaN : Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(`${date}T`);
}
