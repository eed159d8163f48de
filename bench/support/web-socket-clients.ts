/** Many idle WebSocket clients on one path, in a process of their own. */
import { startChild } from './child.ts';

export interface WebSocketClients {
  /** Opens further ones, resolves when each has received its first text. */
  open(port: number, count: number): Promise<void>;
  /** How many received the last change, and when the first and the last of them received it: seconds since the epoch. */
  heard(text: string): Promise<Heard>;
  kill(): Promise<void>;
}

export interface Heard {
  readonly open: number;
  readonly clients: number;
  readonly first: number;
  readonly last: number;
}

export type ClientsOrder =
  { readonly kind: 'open'; readonly port: number; readonly count: number } | { readonly kind: 'heard'; readonly text: string };

export async function startWebSocketClients(): Promise<WebSocketClients> {
  const child = await startChild<ClientsOrder, Heard>('web-socket-clients-process');
  return {
    async open(port, count) {
      await child.ask({ kind: 'open', port, count });
    },
    heard: (text) => child.ask({ kind: 'heard', text }),
    kill: () => child.kill(),
  };
}
