/** Lets the history know the time and the length of the waiting line, once a second. */
import type { History } from '../core/history.ts';
import type { Clock, Log } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

const INTERVAL = 1;

export function startRecording({
  clock,
  log,
  history,
  waiting,
}: {
  clock: Clock;
  log: Log;
  history: History;
  waiting: () => number;
}): Loop {
  return startLoop({
    clock,
    cycle: () => {
      const now = clock.wallTime();
      history.advance(now);
      history.waitingIs(now, waiting());
      return INTERVAL;
    },
    failed: (error) => {
      log.error('recording the history failed inside the session server', { error });
      return INTERVAL;
    },
  });
}
