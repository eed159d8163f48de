/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * A chart with its ranges, its legend and its keyboard. To a screen reader it is a slider along time whose value is
 * what the chart shows at that time. The same figures are offered as a table and as a CSV file.
 */
import { historyUrl } from './api.ts';
import { actionOf } from './chart-keys.ts';
import { Legend } from './chart-legend.tsx';
import { RangeButtons, useZoom } from './chart-range.tsx';
import { FiguresTable } from './figures-table.tsx';
import { useFormat } from './format-context.ts';
import { newestComplete, pointInWords } from './history-words.ts';
import { useHistory } from './use-history.ts';
import { usePlot } from './use-plot.ts';
import { useUniqueId } from './use-unique-id.ts';

interface HistoryChartProps {
  /** `null`: the fleet. */
  readonly server: string | null;
  readonly heading: string;
  readonly target: number;
  /** When the session server started, in seconds since the epoch. */
  readonly startedAt: number;
  /** The session server's time in seconds since the epoch. */
  readonly now: () => number;
}

/** Seconds for which a history is kept. */
const MAX_RANGE = 30 * 86_400;

export function HistoryChart({ server, heading, target, startedAt, now }: HistoryChartProps) {
  const id = useUniqueId();
  const format = useFormat();
  const { chart, zoom, index, count, onKeyDown, history } = useChart({ server, target, startedAt, now });
  const { view, refusal, from, to } = history;
  const fleet = server === null;
  return (
    <section class="card chart" aria-labelledby={`${id}-heading`}>
      <div class="card-head">
        <h2 id={`${id}-heading`}>{heading}</h2>
        <RangeButtons {...zoom} />
      </div>
      <Legend view={view} index={index} fleet={fleet} target={target} now={now()} />
      <div
        class="plot"
        id={`${id}-plot`}
        ref={chart}
        role="slider"
        tabIndex={0}
        aria-label={`${heading}: point in time`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count - 1)}
        aria-valuenow={index ?? 0}
        aria-valuetext={view === undefined || index === null ? 'no data yet' : pointInWords(view, index, now(), format)}
        aria-describedby={`${id}-keys`}
        onKeyDown={onKeyDown}
      />
      <p class="chart-foot">
        <span class="muted" id={`${id}-keys`}>
          Drag to zoom. Keys: arrows move, + and − zoom, Escape goes back.
        </span>
        {refusal !== undefined && <span role="alert">{refusal.reason}</span>}
        <a href={historyUrl(server, { from, to }, 'csv')} download="history.csv">
          CSV
        </a>
      </p>
      {view !== undefined && <FiguresTable view={view} fleet={fleet} now={now()} />}
    </section>
  );
}

/** The state of a chart: its zoom, its history, its cursor and its keyboard. */
function useChart({ server, target, startedAt, now }: Omit<HistoryChartProps, 'heading'>) {
  const zoom = useZoom(() => now() - startedAt);
  const history = useHistory(server, zoom.range, now);
  const { element, cursor, moveTo } = usePlot({ server, target, history, onZoom: zoom.zoom });
  const { view, from, to } = history;
  const count = view?.time.length ?? 0;
  const index = cursor ?? (view === undefined ? null : newestComplete(view, to));
  const zoomBy = (factor: number): void => {
    const center = (cursor === null ? undefined : view?.time[cursor]) ?? (from + to) / 2;
    const half = ((to - from) * factor) / 2;
    zoom.zoom(Math.max(now() - MAX_RANGE, center - half), Math.min(now(), center + half));
  };
  const reset = (): void => {
    moveTo(null);
    if (zoom.range.kind === 'zoomed') zoom.reset();
  };
  const canReset = zoom.range.kind === 'zoomed' || cursor !== null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const action = actionOf(event, { index, count, canReset, moveTo, zoomBy, reset });
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return { chart: element, zoom, history, index, count, onKeyDown };
}
