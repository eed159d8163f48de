/** @jsxRuntime automatic @jsxImportSource preact */
/** A chart's figures as a table, for those who cannot see it or want to copy from it. */
import { useState } from 'preact/hooks';
import type { HistoryView } from '../core/views/monitor-view.ts';
import { useFormat } from './format-context.ts';
import { countInWords, handOutsIn } from './history-words.ts';

const MAX_ROWS = 60;
const headings = ['time', 'mean load', 'lowest', 'highest', 'predicted', 'handed out'];

interface FiguresTableProps {
  readonly view: HistoryView;
  readonly fleet: boolean;
  /** Seconds since the epoch. */
  readonly now: number;
}

export function FiguresTable({ view, fleet, now }: FiguresTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="figures-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Show as table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Figures of the chart">
          <Figures view={view} fleet={fleet} now={now} />
        </div>
      )}
    </details>
  );
}

function Figures({ view, fleet, now }: FiguresTableProps) {
  const format = useFormat();
  return (
    <table>
      <thead>
        <tr>
          {[...headings, ...(fleet ? ['waiting', 'seats of classes'] : [])].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rowsOf(view).map((index) => (
          <tr key={view.time[index]}>
            <th scope="row">{format.bucket(view.time[index] ?? 0, view.step, now)}</th>
            {[view.mean, view.min, view.max, view.predicted].map((column, place) => (
              <td key={place}>{format.load(column[index] ?? null)}</td>
            ))}
            <td>{countInWords(handOutsIn(view, index), format)}</td>
            {fleet && <td>{countInWords(view.waiting[index] ?? null, format)}</td>}
            {fleet && <td>{countInWords(view.reserved[index] ?? null, format)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Indices of the buckets shown, newest first: at most `MAX_ROWS`, at equal distances. */
function rowsOf({ time }: HistoryView): readonly number[] {
  const every = Math.ceil(time.length / MAX_ROWS);
  const indices = time.map((_, index) => index).filter((index) => (time.length - 1 - index) % every === 0);
  return indices.reverse();
}
