/** The history behind a chart, fetched again as it grows. Nothing is fetched while the tab is hidden. */
import { useEffect, useState } from 'preact/hooks';
import type { HistoryView, RefusalView } from '../core/views/monitor-view.ts';
import { askHistory, type HistoryRange } from './api.ts';

/** The last so many seconds, or the time that was zoomed into. */
export type Range = { readonly kind: 'last'; readonly seconds: number } | ({ readonly kind: 'zoomed' } & HistoryRange);

export interface ShownHistory {
  readonly view: HistoryView | undefined;
  readonly refusal: RefusalView | undefined;
  /** What the axis shows: a little more than the data, when time went on. */
  readonly from: number;
  readonly to: number;
}

const QUICK_MS = 5000;
const SLOW_MS = 60_000;

/** `now` is the session server's time in seconds since the epoch. */
export function useHistory(server: string | null, range: Range, now: () => number): ShownHistory {
  const [shown, setShown] = useState<ShownHistory>({ view: undefined, refusal: undefined, from: now() - 3600, to: now() });
  const key = range.kind === 'last' ? range.seconds : `${range.from} ${range.to}`;
  useEffect(() => {
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const fetchAgain = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      const { from, to } = range.kind === 'last' ? { from: now() - range.seconds, to: now() } : range;
      const answer = await askHistory(server, { from, to }, stopping.signal);
      if (stopping.signal.aborted) return;
      if (answer.kind === 'answer') setShown({ view: answer.value, refusal: undefined, from, to });
      else setShown((before) => ({ ...before, refusal: answer.refusal }));
      if (range.kind === 'last') timer = setTimeout(again, range.seconds <= 3600 ? QUICK_MS : SLOW_MS);
    };
    const again = (): void => void fetchAgain();
    again();
    document.addEventListener('visibilitychange', again);
    return () => {
      stopping.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [server, key]);
  return shown;
}
