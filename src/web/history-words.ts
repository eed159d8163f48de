/** What a history says in one of its buckets, in words. */
import type { HistoryView, MarkView } from '../core/views/monitor-view.ts';
import type { Format } from './format.ts';

/** The index of the last bucket that is over at `to`: the mean of one that has just begun changes with every probe. */
export function newestComplete(view: HistoryView, to: number): number | null {
  const count = view.time.length;
  const lastEnd = (view.time[count - 1] ?? 0) + view.step;
  return count === 0 ? null : Math.max(0, lastEnd > to ? count - 2 : count - 1);
}

/** `null`: nothing was recorded, so that zero hand-outs would be a claim without evidence. */
export function handOutsIn(view: HistoryView, index: number): number | null {
  const handOuts = view.handOuts[index] ?? 0;
  const unrecorded = (view.count[index] ?? 0) === 0 && (view.waiting[index] ?? null) === null;
  return handOuts === 0 && unrecorded ? null : handOuts;
}

export function countInWords(count: number | null, format: Format): string {
  return count === null ? 'N/A' : format.count(count);
}

export function pointInWords(view: HistoryView, index: number, now: number, format: Format): string {
  const mean = view.mean[index] ?? null;
  const time = format.bucket(view.time[index] ?? 0, view.step, now);
  const [down, drained] = [marksInWords(view, index, 'down'), marksInWords(view, index, 'drained')];
  const marks = `${down === '' ? '' : `, down: ${down}`}${drained === '' ? '' : `, drained: ${drained}`}`;
  if (mean === null) return `${time}: no data${marks}`;
  const [waiting, reserved] = [view.waiting[index] ?? 0, view.reserved[index] ?? 0];
  const load = `mean load ${format.load(mean)}, from ${format.load(view.min[index] ?? null)} to ${format.load(view.max[index] ?? null)}`;
  const counts = `${view.handOuts[index] ?? 0} handed out${waiting > 0 ? `, ${waiting} waiting` : ''}${reserved > 0 ? `, ${reserved} seats of classes` : ''}`;
  return `${time}: ${load}, predicted ${format.load(view.predicted[index] ?? null)}, ${counts}${marks}`;
}

/** The servers that did not answer, or were drained, in a bucket; at most three by name. Empty: none. */
export function marksInWords({ marks, time, step }: HistoryView, index: number, kind: MarkView['kind']): string {
  const from = time[index] ?? 0;
  const found = marks.filter((mark) => mark.kind === kind && mark.from < from + step && (mark.to ?? Infinity) > from);
  const names = [...new Set(found.map(({ server }) => server))];
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
