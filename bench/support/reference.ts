/** The simplest programs that do a part of the work, to compare with in the same run. */
import { startChild } from './child.ts';
import { usageOf, type Usage } from './usage.ts';

export interface Reference {
  readonly port: number;
  usage(): Usage;
  /** Polls each of the addresses `GET /load` every `interval` seconds until it is stopped. */
  poll(addresses: readonly string[], interval: number): Promise<void>;
  /** Pipes what comes to a port into connections to another, and back. Returns the port. */
  forward(port: number): Promise<number>;
  kill(): Promise<void>;
}

export type ReferenceOrder =
  | { readonly kind: 'port' }
  | { readonly kind: 'forward'; readonly port: number }
  | { readonly kind: 'poll'; readonly addresses: readonly string[]; readonly interval: number };

/** A bare `node:http` server that answers every request with a constant, and a bare `ws` server on it that accepts every socket. */
export async function startReference(): Promise<Reference> {
  const child = await startChild<ReferenceOrder, number>('reference-process');
  return {
    port: await child.ask({ kind: 'port' }),
    usage: () => usageOf(child.pid),
    async poll(addresses, interval) {
      await child.ask({ kind: 'poll', addresses, interval });
    },
    forward: (port) => child.ask({ kind: 'forward', port }),
    kill: () => child.kill(),
  };
}
