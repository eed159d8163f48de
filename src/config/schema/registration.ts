/** Simulation servers that register themselves. */
import { z } from 'zod';
import { count, seconds } from './values.ts';

export const registration = z
  .strictObject({
    token: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{16,200}$/)
      .optional()
      .describe(
        'Secret that lets a simulation server register itself: the last part of the URL in its `notify` list, `https://host/register/TOKEN`.',
      )
      .meta({
        secret: true,
        absent: 'no registration',
        expected: '16 to 200 letters and digits, as `openssl rand -hex 24` prints them',
      }),
    allowPrivate: z
      .boolean()
      .default(true)
      .describe('Accept servers with an address of a private network (10.0.0.0/8, 192.168.0.0/16, fc00::/7 and so on).'),
    allowLoopback: z
      .boolean()
      .default(false)
      .describe('Accept servers on this machine and link-local addresses. For tests, and for a server on the same machine.'),
    heartbeat: seconds(1, 3600)
      .default(30)
      .describe('Time within which servers that register by JSON must register again. Servers of the original need not.'),
    missedHeartbeats: count(2, 1000).default(3).describe('Missed heartbeats in a row after which a server is removed.'),
    forgetAfter: seconds(10, 31_536_000)
      .default(3600)
      .describe('How long a registered server may be down, while others answer, before it is removed. It can register again.'),
    maxServers: count(1, 100_000).default(1000).describe('Maximum number of registered servers.'),
  })
  .prefault({})
  .describe('Simulation servers that register themselves. See `docs/how-to/registration.md`.');
