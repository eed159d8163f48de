/** Gives the history the time, the loads of the fleet and the length of the waiting line, once a second. */
import type { FleetLoads } from '../core/fleet/fleet.ts';
import type { History } from '../core/history/history.ts';
import type { Clock, Log } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

const INTERVAL = 1;

export function startHistorySampler({
  clock,
  log,
  history,
  loads,
  waiting,
}: {
  clock: Clock;
  log: Log;
  history: History;
  /** `undefined`: no server responds. */
  loads: () => FleetLoads | undefined;
  waiting: () => number;
}): Loop {
  return startLoop({
    clock,
    cycle: () => {
      const now = clock.wallTime();
      history.advance(now);
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
