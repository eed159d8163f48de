/**
 * Replaces arguments that are not needed to describe a thing: it can be called, read and forwarded, and does nothing. The parts that it is
 * given to are only built, never run.
 */
export const unused: never = new Proxy(() => unused, { get: () => unused }) as unknown as never;
