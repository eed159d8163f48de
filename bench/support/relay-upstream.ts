/** A simulation server behind a relay, in a process of its own: it sends back each WebSocket message that it gets, and answers every other request with a page. */
import { startChild } from './child.ts';

export interface RelayUpstream {
  readonly port: number;
  kill(): Promise<void>;
}

/** Bytes of the page. */
export const PAGE_BYTES = 1024;

export async function startRelayUpstream(): Promise<RelayUpstream> {
  const child = await startChild<undefined, number>('relay-upstream-process');
  return { port: await child.ask(undefined), kill: () => child.kill() };
}
