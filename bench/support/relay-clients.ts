/** WebSocket clients that send a message and wait until it comes back, in a process of their own. */
import { startChild } from './child.ts';

export interface RelayClients {
  /** Opens `count` connections, in place of those before. */
  open(to: Destination, count: number): Promise<void>;
  /** Each connection sends messages of `size` bytes for so many seconds, one at a time. */
  exchange(exchange: Exchange): Promise<Exchanged>;
  kill(): Promise<void>;
}

export interface Destination {
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
}

export interface Exchange {
  /** Bytes of a message. */
  readonly size: number;
  readonly seconds: number;
  /** Messages a second of all connections together; absent: each connection sends again at once. */
  readonly pace?: number;
}

export interface Exchanged {
  /** That came back. */
  readonly messages: number;
  /** Milliseconds of each, of a paced one since it was due. */
  readonly latencies: readonly number[];
}

export type RelayClientsOrder =
  | { readonly kind: 'open'; readonly to: Destination; readonly count: number }
  | { readonly kind: 'exchange'; readonly exchange: Exchange };

export async function startRelayClients(): Promise<RelayClients> {
  const child = await startChild<RelayClientsOrder, Exchanged>('relay-clients-process');
  return {
    async open(to, count) {
      await child.ask({ kind: 'open', to, count });
    },
    exchange: (exchange) => child.ask({ kind: 'exchange', exchange }),
    kill: () => child.kill(),
  };
}
