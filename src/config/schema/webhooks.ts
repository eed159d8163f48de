/** Webhooks: notifications by HTTP. */
import { z } from 'zod';
import { WEBHOOK_FORMATS } from '../../core/incidents/webhook-format.ts';
import { path, text } from './values.ts';

const webhook = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .describe('Receives each notification by POST.')
    .meta({ secret: true, expected: 'a URL that begins with https:// or http://' }),
  format: z
    .enum(WEBHOOK_FORMATS)
    .default('json')
    .describe('Form of the body: `json` with all fields, or the message form of `slack`, `discord` or `teams`.')
    .meta({ expected: '"json", "slack", "discord" or "teams"' }),
  secret: text(1000)
    .min(8)
    .optional()
    .describe(
      'Signs the body: header `X-Session-Server-Signature: sha256=<HMAC-SHA-256, hex>`. Better kept in a separate file: `secretFile`.',
    )
    .meta({ secret: true, absent: 'not signed' }),
  secretFile: path
    .optional()
    .describe('File that holds the secret; the path is written as in `logDir`. A line break at its end is removed.')
    .meta({ absent: 'none', expected: 'the path of a file' }),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,60}$/),
      z
        .string()
        .max(1000)
        .regex(/^[\t\x20-\x7e]*$/),
    )
    .default({})
    .describe('Additional request headers, for example `Authorization`.')
    .meta({ secret: true, expected: 'names and values of headers in braces, such as {"Authorization": "Bearer …"}' }),
});

export const webhooks = z
  .array(webhook)
  .max(20)
  .default([])
  .describe('Additional receivers of notifications.')
  .meta({ expected: 'a list of objects such as [{"url": "https://…"}]' });
