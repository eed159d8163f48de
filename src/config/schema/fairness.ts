/** The order of the waiting line. */
import { z } from 'zod';
import { TURN_KEYS } from '../../core/queue/turns.ts';

export const fairness = z
  .strictObject({
    order: z
      .enum(['first', 'turns'])
      .default('first')
      .describe(
        '`turns`: the first session of everyone comes before the second one of anyone. `first`: first come, first served.',
      )
      .meta({ restart: true }),
    by: z
      .enum(TURN_KEYS)
      .default('address')
      .describe(
        'How clients are distinguished: by the network address, the owner of the repository, the repository, or the code of a class.',
      )
      .meta({ restart: true }),
  })
  .prefault({})
  .describe('The order of the waiting line. Seats of classes are not concerned.');
