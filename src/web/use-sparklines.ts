/** The small charts of the table and the uptime of servers, fetched again every minute and whenever the number of servers changes. */
import { useEffect, useState } from 'preact/hooks';
import type { SparklinesView } from '../core/views/monitor-view.ts';
import { askSparklines } from './api.ts';

const REFRESH_MS = 60_000;
const none: SparklinesView = { from: 0, step: 60, servers: {}, uptime: {} };

export function useSparklines(servers: number): SparklinesView {
  const [sparklines, setSparklines] = useState<SparklinesView>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = (): void => {
      clearTimeout(timer);
      if (document.hidden) return;
      timer = setTimeout(refresh, REFRESH_MS);
      void askSparklines().then((answer) => {
        if (answer.kind === 'answer') setSparklines(answer.value);
      });
    };
    refresh();
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [servers]);
  return sparklines ?? none;
}
