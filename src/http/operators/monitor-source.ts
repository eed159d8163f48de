/** What the monitor's routes need from the rest of the program. Types only; the edge implements them. */
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { HistoryQuery, RecordedHistory, RecordedSparklines } from '../../core/history/history.ts';
import type { MarkView, MonitorSnapshot, ServerUptimeView } from '../../core/views/monitor-view.ts';

export interface MonitorSource {
  /** The present state of everything. Parts that did not change since the last call should be the same objects, which makes the comparison cheap. */
  snapshot(): MonitorSnapshot;
  /** `undefined`: there is no history of this server. */
  history(query: HistoryQuery): RecordedHistory | undefined;
  sparklines(): RecordedSparklines;
  /** Outages and drains of a server, or of the fleet, in a time in seconds since the epoch. */
  marks(server: ServerId | undefined, from: number, to: number): readonly MarkView[];
  /** The seats of classes that could be taken in each bucket of the fleet's history. `step` is seconds. */
  reserved(time: readonly number[], step: number): readonly number[];
  uptime(): Readonly<Record<ServerId, ServerUptimeView>>;
}
