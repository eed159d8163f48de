/**
 * The life of a process that runs until it receives a signal to stop: SIGTERM and SIGINT end it within 2 s (the simulation server in 8 s), a second one at once; SIGHUP reads the configuration again.
 * A bug ends it loudly: the supervisor restarts it, and what must survive is on disk.
 */
import type { OpenLog } from '../logging/log.ts';
import { systemClock } from '../system/system-clock.ts';
import { takeSignals } from './early-signals.ts';

/** Exit status of a process that could not do what it was started for. */
export const FAILED = 1;
/** Seconds after which a stop that does not come to its end is given up; docs/design/protocol.md, "HTTP" allows 2. */
const MAX_STOP = 1.8;
/** Names of what Node does in threads of its own. */
const HELD_BY_THREADS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
]);

export class ProcessLifecycle {
  /** Set as soon as there is one. */
  log: OpenLog | undefined;
  readonly #parts: { readonly stop: () => Promise<void> }[] = [];
  readonly #maxStop: number;
  #ending = false;
  #reload: (() => void) | undefined;
  #reloadWanted = false;

  /** Handles signals from now on. Without `reloads` SIGHUP ends the process, as it does others. */
  constructor({ reloads, maxStop = MAX_STOP }: { readonly reloads: boolean; readonly maxStop?: number }) {
    this.#maxStop = maxStop;
    const end = (signal: NodeJS.Signals): void => {
      this.#end(signal);
    };
    takeSignals({
      ...{ SIGTERM: end, SIGINT: end },
      ...(reloads && {
        SIGHUP: () => {
          if (this.#reload === undefined) this.#reloadWanted = true;
          else this.#reload();
        },
      }),
    });
  }

  /** A signal has come: nothing more is to be started. */
  get ending(): boolean {
    return this.#ending;
  }

  /** What has to be stopped at the end. */
  add(...parts: readonly { readonly stop: () => Promise<void> }[]): void {
    this.#parts.push(...parts);
  }

  /** `reload` is called at each SIGHUP, and at once for those that came before. */
  onReload(reload: () => void): void {
    this.#reload = reload;
    if (this.#reloadWanted) reload();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  endOnBugs(log: OpenLog): void {
    let isLeaving = false;
    const end = (error: unknown): void => {
      if (isLeaving) return;
      isLeaving = true;
      console.error(error);
      log.error('an internal error ended the session server; please report it with this line', { error });
      log.flushSync();
      void leave(FAILED, 'SIGKILL');
    };
    process.on('uncaughtException', end);
    process.on('unhandledRejection', end);
  }

  #end(signal: NodeJS.Signals): void {
    if (this.#ending) {
      void leave(FAILED, signal);
      return;
    }
    this.#ending = true;
    this.log?.info(`${signal}: stopping`);
    const enough = new AbortController();
    void Promise.race([this.stop(), systemClock.sleep(this.#maxStop, enough.signal)]).then(async () => {
      enough.abort();
      await this.log?.close('stopped');
      await leave(0, signal);
    });
  }
}

/**
 * Ends the process now. But a name service or a disk that does not answer holds a thread, and every exit of Node waits for it: then the signal does what
 * it does to programs that know nothing of signals, and the status is the signal's (docs/reference/operations.md).
 */
async function leave(status: number, signal: NodeJS.Signals): Promise<void> {
  // What is merely about to end may do so.
  for (let looks = 0; looks < 10 && isHeld(); looks += 1) await systemClock.sleep(0.01);
  if (!isHeld()) process.exit(status);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function isHeld(): boolean {
  return process.getActiveResourcesInfo().some((resource) => HELD_BY_THREADS.has(resource));
}
