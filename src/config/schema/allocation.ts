/** How the simulation server for a session is chosen. */
import { z } from 'zod';
import { count, percent, points, seconds } from './values.ts';

/** Two points in time after an allocation between which something fades. */
const fade = () =>
  z
    .tuple([seconds(0, 600), seconds(1, 3600)])
    .refine(([from, to]) => from < to, { message: 'write the smaller number first, as in [10, 60]' })
    .meta({ expected: 'two numbers of seconds in square brackets: from 0 to 600, then a greater one up to 3600' });

export const allocation = z
  .strictObject({
    target: percent(1, 200)
      .default(90)
      .describe('A session starts on a server only if its predicted load then stays below this.'),
    cost: points(0.3, 60).default(8).describe('Load of a session, before anything has been learned.'),
    settle: fade()
      .default([10, 60])
      .describe(
        'When a booking begins to fade, and when it has faded, after the allocation: load reports begin to include the session.',
      ),
    learnSettle: fade().default([5, 120]).describe('The same for learning costs: a longer time, so that slow starts count.'),
    sessionLength: seconds(10, 1_000_000)
      .default(1500)
      .describe('How long a typical session lasts: how fast load decreases by itself.'),
    recent: seconds(0, 600)
      .default(15)
      .describe('The highest load reported within this time decides whether a session fits. One low value does not.'),
    doubt: points(0, 100)
      .default(10)
      .describe(
        'Has no effect today, because a server gets no session after its first failed probe. Load added to a server that missed one probe.',
      ),
    closedAfter: count(1, 100)
      .default(2)
      .describe(
        'Has no effect today, because a server gets no session after its first failed probe. Missed probes after which its bookings are closed.',
      ),
    suspectAfter: points(1, 1000)
      .default(25)
      .describe('Load that should be visible on a server that still looks idle before it is marked as suspect.'),
    trial: seconds(1, 1_000_000)
      .default(600)
      .describe('Time between two sessions for a suspect server, while it is on probation.'),
    learning: z.boolean().default(true).describe('Learn what sessions cost on each server and for each project.'),
    jitter: points(0, 50)
      .default(0)
      .describe('Randomness in the choice of a server; useful only for several session servers that share nothing.'),
  })
  .prefault({})
  .describe('How the simulation server for the next session is chosen. The defaults are good; change them only for a reason.');
