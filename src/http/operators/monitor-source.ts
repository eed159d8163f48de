/** What the monitor's routes need from the rest of the program. Types only; the edge implements them. */
import type { HistoryQuery } from '../../core/history/history.ts';
import type { HistoryView, MonitorSnapshot, SparklinesView } from '../../core/views/monitor-view.ts';

export interface MonitorSource {
  /** The present state of everything. Parts that did not change since the last call should be the same objects, which makes the comparison cheap. */
  snapshot(): MonitorSnapshot;
  /** `undefined`: there is no history of this server. */
  history(query: HistoryQuery): HistoryView | undefined;
  sparklines(): SparklinesView;
}
