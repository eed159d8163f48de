/** A derived value that is published only when it differs from the last one: the same availability is never sent twice. */
export interface Topic<T> {
  readonly value: T;
  publish(value: T): void;
  /** Calls `listener` at each change from now on. Returns the function that ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

export function createTopic<T>(initial: T, same: (a: T, b: T) => boolean = Object.is): Topic<T> {
  const listeners = new Set<(value: T) => void>();
  let current = initial;
  return {
    get value() {
      return current;
    },
    publish(value) {
      if (same(value, current)) return;
      current = value;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
