/**
 * Signals that come before the program knows what it is to do with them: they wait until a command takes them, or are handed back to the system.
 *
 * Loading the program takes a quarter of a second. Without this a supervisor that changes its mind in that time would see a service that was killed, and
 * a SIGHUP would kill it. Imports nothing, so that it is active from the first moment on.
 */

/** What a command does at a signal; for one that is not named the system does what it always does. */
export type SignalHandlers = Partial<Record<EarlySignal, (signal: EarlySignal) => void>>;

export type EarlySignal = (typeof HELD)[number];

const HELD = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** In the order in which they came. */
const came: EarlySignal[] = [];
const keep = (signal: NodeJS.Signals): void => {
  came.push(signal as EarlySignal);
};

export function holdSignals(): void {
  for (const signal of HELD) process.on(signal, keep);
}

/** From now on signals go to `handlers`; first those that came already. */
export function takeSignals(handlers: SignalHandlers): void {
  for (const signal of HELD) {
    const handler = handlers[signal];
    if (handler !== undefined) {
      process.on(signal, () => {
        handler(signal);
      });
    }
    process.off(signal, keep);
  }
  for (const signal of came.splice(0)) {
    const handler = handlers[signal];
    if (handler !== undefined) handler(signal);
    else process.kill(process.pid, signal);
  }
}
