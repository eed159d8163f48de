/** Gives the history the time, the loads of the fleet and the length of the waiting line, once a second, and the timeline the time. */
import type { FleetLoads } from '../core/fleet/fleet.ts';
import type { History } from '../core/history/history.ts';
import type { Timeline } from '../core/history/timeline.ts';
import type { Clock, Log } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

const INTERVAL = 1;

export function startHistorySampler({
  clock,
  log,
  history,
  timeline,
  loads,
  waiting,
}: {
  clock: Clock;
  log: Log;
  history: History;
  timeline: Pick<Timeline, 'tick'>;
  /** `undefined`: no server responds. */
  loads: () => FleetLoads | undefined;
  waiting: () => number;
}): Loop {
  return startLoop({
    clock,
    cycle: () => {
      const now = clock.wallTime();
      history.advance(now);
      // A clock that leapt is believed only after a while.
      if (history.present !== undefined) timeline.tick(history.present);
      const present = loads();
      if (present !== undefined) history.loadsAre(now, present);
      history.waitingIs(now, waiting());
      return INTERVAL;
    },
    failed: (error) => {
      log.error('sampling the history failed inside the session server', { error });
      return INTERVAL;
    },
  });
}
