/** @jsxRuntime automatic @jsxImportSource preact */
/** What the lines of a chart mean, with their values. */
import type { HistoryView, MarkView } from '../core/views/monitor-view.ts';
import { useFormat } from './format-context.ts';
import { countInWords, handOutsIn, marksInWords } from './history-words.ts';

interface LegendProps {
  readonly view: HistoryView | undefined;
  /** The bucket under the pointer, or the newest that is complete. */
  readonly index: number | null;
  readonly fleet: boolean;
  readonly target: number;
  readonly now: number;
}

export function Legend({ view, index, fleet, target, now }: LegendProps) {
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
        {fleet ? 'lowest to highest load' : 'lowest to highest'}{' '}
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
      {hasReserved(view) && (
        <li>
          <Sample class="reserved" path="M0 8H6V2H16V8H22" />
          seats of classes <b>{countInWords(at(view?.reserved), format)}</b>
        </li>
      )}
      <li>
        <Sample class="target" path="M0 5H22" />
        limit <b>{format.limit(target)}</b>
      </li>
      <Marks view={view} index={index} kind="down" name="no answer" />
      <Marks view={view} index={index} kind="drained" name="drained" />
    </ul>
  );
}

interface MarksProps extends Pick<LegendProps, 'view' | 'index'> {
  readonly kind: MarkView['kind'];
  readonly name: string;
}

/** The strips at the upper edge of the chart; absent while there are none. */
function Marks({ view, index, kind, name }: MarksProps) {
  if (view?.marks.some((mark) => mark.kind === kind) !== true) return null;
  const servers = index === null ? '' : marksInWords(view, index, kind);
  return (
    <li>
      <Sample class={kind} path="M0 2H22V8H0Z" />
      {name} <b class="text">{servers === '' ? 'none' : servers}</b>
    </li>
  );
}

function Sample({ class: name, path }: { readonly class: string; readonly path: string }) {
  return (
    <svg class={`sample ${name}`} viewBox="0 0 22 10" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

/** Most charts show no class. */
function hasReserved(view: HistoryView | undefined): boolean {
  return view?.reserved.some((seats) => (seats ?? 0) > 0) === true;
}
