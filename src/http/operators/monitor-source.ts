/** What the monitor's routes ask of the rest of the program. Types only; the composition root implements them. */
import type { HistoryQuery } from '../../core/history/history.ts';
import type { HistoryView, MonitorSnapshot, SparklinesView } from '../../core/views/monitor-view.ts';

export interface MonitorSource {
  /** The present state of everything. What did not change since the last call should be the same object, which makes telling the difference cheap. */
  snapshot(): MonitorSnapshot;
  /** `undefined`: no history is kept of this server. */
  history(query: HistoryQuery): HistoryView | undefined;
  sparklines(): SparklinesView;
}
