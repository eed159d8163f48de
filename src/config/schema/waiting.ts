/** The waiting line. */
import { z } from 'zod';
import { count, seconds } from './values.ts';

export const waiting = z
  .strictObject({
    hold: seconds(0, 50)
      .default(0)
      .describe('How long `GET /session` waits for a server. 0: it is answered at once, as by the original.'),
    maxLength: count(1, 1_000_000).default(10_000).describe('Maximum number of tickets in the waiting line.'),
    maxPerAddress: count(1, 1_000_000)
      .default(200)
      .describe('Maximum number of tickets of one address. A further one replaces a ticket without a connection, if any.'),
    resume: seconds(1, 600)
      .default(30)
      .describe('How long a client that lost its connection keeps its position, if it has a resume token.'),
    passing: seconds(0, 86_400)
      .default(120)
      .describe('How long the first client in the queue may be overtaken by clients that fit on servers it cannot use.'),
    relay: z
      .boolean()
      .default(false)
      .describe(
        'With the gateway: a client that finds no room waits inside its own progress bar and gets the first server with room, or another one if that fails.',
      ),
  })
  .prefault({})
  .describe('The waiting line for clients, while no simulation server has room.');
