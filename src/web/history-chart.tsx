/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * A chart with its ranges, its legend and its keyboard: arrows move along time, plus and minus zoom, Escape goes back. To a screen reader it is a slider
 * along time whose value is what the chart says there; the same figures stand in a table and in a CSV file.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { HistoryView } from '../core/views/monitor-view.ts';
import { historyUrl } from './api.ts';
import type { Format } from './format.ts';
import { useFormat } from './format-context.ts';
import { createPlot, type Plot } from './plot.ts';
import { useHistory, type Range } from './use-history.ts';
import { useUniqueId } from './use-unique-id.ts';

interface HistoryChartProps {
  /** `null`: the fleet. */
  readonly server: string | null;
  readonly heading: string;
  readonly target: number;
  /** When the session server started; after a recent start there is little to see of an hour. Seconds since the epoch. */
  readonly startedAt: number;
  /** The session server's time in seconds since the epoch. */
  readonly now: () => number;
}

const ranges: readonly { readonly name: string; readonly long: string; readonly seconds: number }[] = [
  { name: '15 min', long: 'last 15 minutes', seconds: 900 },
  { name: '1 h', long: 'last hour', seconds: 3600 },
  { name: '24 h', long: 'last 24 hours', seconds: 86_400 },
  { name: '7 d', long: 'last 7 days', seconds: 7 * 86_400 },
  { name: '30 d', long: 'last 30 days', seconds: 30 * 86_400 },
];
const QUARTER = 900;
const HOUR = 3600;
const ROWS = 60;
/** Seconds of the shortest time one can zoom into. */
const SHORTEST = 60;
/** Seconds for which a history is kept. */
const LONGEST = 30 * 86_400;

export function HistoryChart({ server, heading, target, startedAt, now }: HistoryChartProps) {
  const format = useFormat();
  const [last, setLast] = useState(() => (now() - startedAt < HOUR / 2 ? QUARTER : HOUR));
  const [range, setRange] = useState<Range>({ kind: 'last', seconds: last });
  const [cursor, setCursor] = useState<number | null>(null);
  const { view, refusal, from, to } = useHistory(server, range, now);
  const id = useUniqueId();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);

  const zoom = (begin: number, end: number): void => {
    if (end - begin >= SHORTEST) setRange({ kind: 'zoomed', from: begin, to: end });
  };
  const showLast = (seconds: number): void => {
    setLast(seconds);
    setRange({ kind: 'last', seconds });
  };
  useEffect(() => {
    if (holder.current === null) return undefined;
    const options = {
      element: holder.current,
      format,
      from,
      to,
      target,
      waiting: server === null,
      onCursor: setCursor,
      onZoom: zoom,
    };
    plot.current = createPlot(options);
    return () => plot.current?.destroy();
  }, [server, format, target]);
  useEffect(() => {
    if (view !== undefined) plot.current?.show(view, from, to);
  }, [view, from, to]);

  const count = view?.time.length ?? 0;
  const index = cursor ?? (view === undefined ? null : newestComplete(view, to));
  const point = (wanted: number | null): void => {
    const place = wanted === null ? null : Math.max(0, Math.min(count - 1, wanted));
    plot.current?.point(place);
    // The plot rounds to pixels; the keyboard means exactly this bucket.
    setCursor(place);
  };
  const zoomAround = (factor: number): void => {
    const center = (cursor === null ? undefined : view?.time[cursor]) ?? (from + to) / 2;
    const half = ((to - from) * factor) / 2;
    zoom(Math.max(now() - LONGEST, center - half), Math.min(now(), center + half));
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => point((index ?? 0) - 1),
    ArrowRight: () => point((index ?? 0) + 1),
    PageUp: () => point((index ?? 0) - 10),
    PageDown: () => point((index ?? 0) + 10),
    Home: () => point(0),
    End: () => point(count - 1),
    '+': () => zoomAround(0.5),
    '-': () => zoomAround(2),
    Escape: () => {
      point(null);
      if (range.kind === 'zoomed') showLast(last);
    },
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && range.kind === 'last' && cursor === null) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  return (
    <section class="card chart" aria-labelledby={`${id}-heading`}>
      <div class="card-head">
        <h2 id={`${id}-heading`}>{heading}</h2>
        <div class="ranges" role="group" aria-label="Time shown">
          {range.kind === 'zoomed' && (
            <button type="button" class="quiet" onClick={() => showLast(last)}>
              Back to the {ranges.find(({ seconds }) => seconds === last)?.long}
            </button>
          )}
          {ranges.map(({ name, long, seconds }) => (
            <button
              key={name}
              type="button"
              aria-pressed={range.kind === 'last' && range.seconds === seconds}
              title={`the ${long}`}
              onClick={() => showLast(seconds)}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      <Legend view={view} index={index} fleet={server === null} target={target} now={now()} />
      <div
        class="plot"
        id={`${id}-plot`}
        ref={holder}
        role="slider"
        tabIndex={0}
        aria-label={`${heading}: point in time`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count - 1)}
        aria-valuenow={index ?? 0}
        aria-valuetext={view === undefined || index === null ? 'nothing yet' : pointInWords(view, index, now(), format)}
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
      {view !== undefined && <FiguresTable view={view} fleet={server === null} now={now()} />}
    </section>
  );
}

interface LegendProps {
  readonly view: HistoryView | undefined;
  readonly index: number | null;
  readonly fleet: boolean;
  readonly target: number;
  readonly now: number;
}

/** What the lines mean, with the values under the pointer, or the newest that are complete. */
function Legend({ view, index, fleet, target, now }: LegendProps) {
  const format = useFormat();
  const at = (column: readonly (number | null)[] | undefined): number | null =>
    index === null ? null : (column?.[index] ?? null);
  const [min, mean, max, predicted] = [at(view?.min), at(view?.mean), at(view?.max), at(view?.predicted)];
  const time = at(view?.time);
  return (
    <ul class="legend">
      <li class="when">{time === null || view === undefined ? '–' : format.bucket(time, view.step, now)}</li>
      <li>
        <Sample class="mean" path="M0 5H22" />
        mean load <b>{format.load(mean)}</b>
      </li>
      <li>
        <Sample class="band" path="M0 0H22V10H0Z" />
        {fleet ? 'least to most loaded' : 'least to most'}{' '}
        <b>{min === null ? 'N/A' : `${format.load(min)} – ${format.load(max)}`}</b>
      </li>
      <li>
        <Sample class="predicted" path="M0 5H22" />
        predicted <b>{format.load(predicted)}</b>
      </li>
      <li>
        <Sample class="hand-outs" path="M3 10V3H9V10ZM13 10V0H19V10Z" />
        handed out <b>{countInWords(view === undefined || index === null ? null : handOutsIn(view, index), format)}</b>
      </li>
      {fleet && (
        <li>
          <Sample class="waiting" path="M0 8H8V2H16V6H22" />
          waiting <b>{countInWords(at(view?.waiting), format)}</b>
        </li>
      )}
      <li>
        <Sample class="target" path="M0 5H22" />
        limit <b>{format.load(target)}</b>
      </li>
    </ul>
  );
}

function Sample({ class: name, path }: { readonly class: string; readonly path: string }) {
  return (
    <svg class={`sample ${name}`} viewBox="0 0 22 10" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** The chart for those who cannot see it, or want to copy from it. */
function FiguresTable({ view, fleet, now }: Pick<LegendProps, 'fleet' | 'now'> & { readonly view: HistoryView }) {
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const every = Math.ceil(view.time.length / ROWS);
  const rows = view.time.map((_, index) => index).filter((index) => (view.time.length - 1 - index) % every === 0);
  return (
    <details class="figures-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>The same as a table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Figures of the chart">
          <table>
            <thead>
              <tr>
                {['time', 'mean load', 'least', 'most', 'predicted', 'handed out', ...(fleet ? ['waiting'] : [])].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.reverse().map((index) => (
                <tr key={view.time[index]}>
                  <th scope="row">{format.bucket(view.time[index] ?? 0, view.step, now)}</th>
                  {[view.mean, view.min, view.max, view.predicted].map((column, place) => (
                    <td key={place}>{format.load(column[index] ?? null)}</td>
                  ))}
                  <td>{countInWords(handOutsIn(view, index), format)}</td>
                  {fleet && <td>{countInWords(view.waiting[index] ?? null, format)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The last bucket that is over at `to`: one that has just begun swings with every probe. */
function newestComplete(view: HistoryView, to: number): number | null {
  const count = view.time.length;
  const lastEnd = (view.time[count - 1] ?? 0) + view.step;
  return count === 0 ? null : Math.max(0, lastEnd > to ? count - 2 : count - 1);
}

/** `null`: nothing was heard then, so that no hand-outs tell nothing either. */
function handOutsIn(view: HistoryView, index: number): number | null {
  const handOuts = view.handOuts[index] ?? 0;
  const silent = (view.count[index] ?? 0) === 0 && (view.waiting[index] ?? null) === null;
  return handOuts === 0 && silent ? null : handOuts;
}

function countInWords(count: number | null, format: Format): string {
  return count === null ? 'N/A' : format.count(count);
}

function pointInWords(view: HistoryView, index: number, now: number, format: Format): string {
  const mean = view.mean[index] ?? null;
  const time = format.bucket(view.time[index] ?? 0, view.step, now);
  if (mean === null) return `${time}: nothing heard`;
  const waiting = view.waiting[index] ?? 0;
  const load = `mean load ${format.load(mean)}, from ${format.load(view.min[index] ?? null)} to ${format.load(view.max[index] ?? null)}`;
  const counts = `${view.handOuts[index] ?? 0} handed out${waiting > 0 ? `, ${waiting} waiting` : ''}`;
  return `${time}: ${load}, predicted ${format.load(view.predicted[index] ?? null)}, ${counts}`;
}
