/** Work that several sessions want at the same time is done once. It goes on as long as one of them waits. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, { readonly result: Promise<T>; readonly stopping: AbortController; waiting: number }>();

  /** Joins the work with this key, or begins it. Rejects with the reason of `signal` when that is aborted first. */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      const stopping = new AbortController();
      const result = work(stopping.signal).finally(() => {
        // Another one may have begun since all clients of this one left.
        if (this.#flights.get(key)?.stopping === stopping) this.#flights.delete(key);
      });
      // Clients that wait get the failure; when all have left, it is not needed.
      result.catch(() => undefined);
      flight = { result, stopping, waiting: 0 };
      this.#flights.set(key, flight);
    }
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.stopping.abort();
      }
    }
  }
}

/** At most so many tasks at a time; the others wait in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  async take<T>(most: number, task: () => Promise<T>): Promise<T> {
    while (this.#running >= most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', abort, { once: true });
    void result.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
