/**
 * Stands for anything that is handed in and not needed to describe a thing: it can be called, read and passed on, and does nothing. The parts that it is
 * given to are only built, never run.
 */
export const unused: never = new Proxy(() => unused, { get: () => unused }) as unknown as never;
