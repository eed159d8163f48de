/** What the monitor's routes ask of the rest of the program. Types only; the composition root implements them. */
import type { HistoryQuery } from '../../core/history/history.ts';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { ChannelTestView, HistoryView, MonitorSnapshot, SparklinesView } from '../../core/views/monitor-view.ts';

export interface MonitorSource {
  /** The present state of everything. What did not change since the last call should be the same object, which makes telling the difference cheap. */
  snapshot(): MonitorSnapshot;
  /** `undefined`: no history is kept of this server. */
  history(query: HistoryQuery): HistoryView | undefined;
  sparklines(): SparklinesView;
}

/** What became of an act. */
export type OperatorActionOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'unknown-server' }
  /** The act makes no sense now; `code` and `reason` are for the caller. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

export interface DrainRequest {
  /** Name of the token's holder. */
  readonly by: string;
  readonly reason?: string;
  /** Seconds since the epoch. */
  readonly until?: number;
}

/** What holders of a token can do. Each resolves when it is in force. */
export interface OperatorActions {
  /** After it resolved no session is handed out there. Draining again replaces reason and deadline. */
  drain(id: ServerId, request: DrainRequest): Promise<OperatorActionOutcome>;
  /** Resuming what does not drain is done already. */
  resume(id: ServerId, by: string): Promise<OperatorActionOutcome>;
  /** `entry` is what may stand in `simulationServers`; whoever implements this checks it. */
  addServer(
    entry: unknown,
    by: string,
  ): Promise<{ readonly kind: 'done'; readonly id: ServerId } | Exclude<OperatorActionOutcome, { kind: 'done' }>>;
  /** Only servers that were added while running. */
  removeServer(id: ServerId, by: string): Promise<OperatorActionOutcome>;
  /** Sends a test on every channel, and resolves within seconds with what became of it on each. */
  testNotification(
    by: string,
  ): Promise<
    { readonly kind: 'done'; readonly channels: readonly ChannelTestView[] } | Extract<OperatorActionOutcome, { kind: 'refused' }>
  >;
}
