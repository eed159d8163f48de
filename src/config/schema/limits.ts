/** What clients may use up. */
import { z } from 'zod';
import { bytes, count, seconds } from './values.ts';

export const limits = z
  .strictObject({
    clients: count(10, 1_000_000)
      .default(20_000)
      .describe('Maximum number of client connections. Lowered if the machine allows fewer file descriptors.'),
    bodyBytes: bytes(1024, 10_000_000).default(65_536).describe('Maximum size of a request body.'),
    headerBytes: bytes(2048, 262_144)
      .default(65_536)
      .describe('Maximum size of all request headers together. The original accepts as much.')
      .meta({ restart: true }),
    headerTimeout: seconds(1, 120).default(10).describe('Time a client has to send its request headers.').meta({ restart: true }),
    bufferBytes: bytes(4096, 16_777_216)
      .default(65_536)
      .describe(
        'Maximum data waiting for a WebSocket client that does not read; a client above it is disconnected. An HTTP client that reads nothing for 30 s is disconnected, too.',
      ),
    rateBurst: count(1, 1_000_000)
      .default(100)
      .describe(
        'Session requests that one address may make at once: enough for a class behind one address. More are accepted while there is room and no client waits.',
      ),
    ratePerSecond: z
      .number()
      .min(0.01)
      .max(100_000)
      .default(1)
      .describe('Session requests per second that one address may make over a longer time.'),
    metricsServers: count(0, 100_000)
      .default(1000)
      .describe("Maximum number of simulation servers with separate series in `/metrics`; with more, only the fleet's."),
  })
  .prefault({})
  .describe('Limits for a single client, and for all clients together.');
