/** Traces of session requests. */
import { z } from 'zod';

export const tracing = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .describe('URL to which traces are sent by OTLP over HTTP, such as `http://localhost:4318/v1/traces`.')
      .meta({ restart: true, absent: 'no traces', expected: 'a URL that begins with https:// or http://' }),
  })
  .prefault({})
  .describe('OpenTelemetry traces of session requests.');
