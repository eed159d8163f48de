/**
 * For every WebSocket that strangers send to: one message or ping of each in a turn of the loop. A packet has room for ten thousand empty ones, which would
 * otherwise be handled before anything else: twenty clients could stop all others, and the probes, for seconds.
 */
export const ONE_AT_A_TIME = { allowSynchronousEvents: false } as const;
