/**
 * Draws a history as two plots over one time axis. Above: loads (a band from the lowest to the highest, the mean, the
 * prediction). Below: hand-outs, the waiting line and seats of classes. Colours come from the style sheet, which decides about light and
 * dark.
 */
import uPlot from 'uplot';
import type { HistoryView, MarkView } from '../core/views/monitor-view.ts';
import type { Format } from './format.ts';
import { zoomByTouch } from './touch-zoom.ts';

export interface PlotOptions {
  readonly element: HTMLElement;
  readonly format: Format;
  /** The time shown before there is a history. Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Percent; drawn as a line. */
  readonly target: number;
  /** The fleet has a waiting line and seats of classes; a server does not. */
  readonly waiting: boolean;
  /** The bucket under the pointer, or `null`. */
  readonly onCursor: (index: number | null) => void;
  /** A time was selected by dragging. Seconds since the epoch. */
  readonly onZoom: (from: number, to: number) => void;
}

export interface Plot {
  show(view: HistoryView, from: number, to: number): void;
  /** Puts the cursor on a bucket; `null` removes it. */
  point(index: number | null): void;
  destroy(): void;
}

const LOADS_HEIGHT = 206;
const COUNTS_HEIGHT = 126;
const AXIS_WIDTH = 52;
/** The time is written once, below both plots, with the day in a second line. */
const TIME_HEIGHT = 40;
const NO_TIME_HEIGHT = 16;
/** Leaves room at the end for half of the last tick's text. */
const PADDING: uPlot.Padding = [10, 30, 0, 0];
/** Pixels; a shorter drag is taken for a click. */
const DRAG = 8;

export function createPlot(options: PlotOptions): Plot {
  const { element, from, to } = options;
  let shown: { readonly view: HistoryView | undefined; readonly from: number; readonly to: number } = {
    view: undefined,
    from,
    to,
  };
  let plots: readonly uPlot[] = [];
  const range = (): [number, number] => [shown.from, shown.to];

  const build = (): void => {
    for (const plot of plots) plot.destroy();
    const shared = sharedOptions(options, range);
    plots = [
      new uPlot(
        loadsOptions(options, shared, () => shown.view?.marks ?? []),
        loadsOf(shown.view),
        element,
      ),
      new uPlot(countsOptions(options, shared), countsOf(shown.view, options.waiting), element),
    ];
    for (const plot of plots) zoomByTouch(plot, DRAG, options.onZoom);
  };
  const resize = new ResizeObserver(() => {
    for (const [index, plot] of plots.entries())
      plot.setSize({ width: element.clientWidth, height: index === 0 ? LOADS_HEIGHT : COUNTS_HEIGHT });
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');

  build();
  resize.observe(element);
  dark.addEventListener('change', build);
  return {
    show(view, from, to) {
      shown = { view, from, to };
      plots[0]?.setData(loadsOf(view));
      plots[1]?.setData(countsOf(view, options.waiting));
    },
    point(index) {
      const [plot] = plots;
      const time = index === null ? undefined : plot?.data[0][index];
      if (plot === undefined) return;
      const left = time === undefined ? -10 : Math.max(0, Math.min(plot.over.clientWidth - 1, plot.valToPos(time, 'x')));
      plot.setCursor({ left, top: time === undefined ? -10 : plot.over.clientHeight / 2 });
    },
    destroy() {
      resize.disconnect();
      dark.removeEventListener('change', build);
      for (const plot of plots) plot.destroy();
    },
  };
}

interface Shared {
  readonly colour: (name: string) => string;
  readonly width: number;
  readonly scales: uPlot.Scales;
  readonly cursor: uPlot.Cursor;
  readonly timeAxis: uPlot.Axis;
  readonly valueAxis: (values: (value: number) => string) => uPlot.Axis;
  readonly hooks: uPlot.Hooks.Arrays;
}

function sharedOptions({ element, format, onCursor, onZoom }: PlotOptions, range: () => [number, number]): Shared {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const key = uPlot.sync(element.id);
  const axis = {
    stroke: colour('muted'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  };
  const zoom = (plot: uPlot): void => {
    const { left, width } = plot.select;
    if (width >= DRAG) onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  return {
    colour,
    width: element.clientWidth,
    scales: { x: { time: true, range } },
    cursor: {
      sync: { key: key.key, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: DRAG },
      y: false,
      points: { size: 7, width: 2, fill: colour('card') },
    },
    timeAxis: {
      ...axis,
      size: TIME_HEIGHT,
      gap: 6,
      space: 96,
      values: (_, times, __, ___, increment) => [...format.ticks(times, increment)],
    },
    valueAxis: (values) => ({ ...axis, size: AXIS_WIDTH, values: (_, ticks) => ticks.map((tick) => values(tick)) }),
    hooks: {
      setSelect: [zoom],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  };
}

function loadsOptions(
  { format, target }: PlotOptions,
  { colour, width, scales, cursor, timeAxis, valueAxis, hooks }: Shared,
  marks: () => readonly MarkView[],
): uPlot.Options {
  const drawn = (plot: uPlot): void => {
    drawTarget(plot, target, colour('target'));
    drawMarks(plot, marks(), colour);
  };
  const line = { points: { show: false }, spanGaps: false };
  return {
    width,
    height: LOADS_HEIGHT,
    padding: PADDING,
    legend: { show: false },
    scales: { ...scales, y: { range: (_, __, max) => [0, Math.max(100, Math.ceil((max || 0) / 10) * 10)] } },
    cursor,
    axes: [
      { ...timeAxis, size: NO_TIME_HEIGHT, values: (_, times) => times.map(() => '') },
      valueAxis((percent) => format.limit(percent)),
    ],
    series: [
      {},
      { ...line, stroke: 'transparent' },
      { ...line, stroke: 'transparent' },
      { ...line, stroke: colour('mean'), width: 2, points: { show: true, size: 5, filter: isolated } },
      { ...line, stroke: colour('predicted'), width: 1.5, dash: [6, 4] },
    ],
    bands: [{ series: [1, 2], fill: colour('band') }],
    hooks: { ...hooks, drawClear: [drawn] },
  };
}

function countsOptions(
  { format, waiting }: PlotOptions,
  { colour, width, scales, cursor, timeAxis, valueAxis, hooks }: Shared,
): uPlot.Options {
  const bars = uPlot.paths.bars?.({ size: [0.7, 24], align: 1 });
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const steps = (name: string): uPlot.Series => ({
    stroke: colour(name),
    width: 2,
    points: { show: false },
    ...(stepped !== undefined && { paths: stepped }),
  });
  return {
    width,
    height: COUNTS_HEIGHT,
    padding: PADDING,
    legend: { show: false },
    scales: { ...scales, y: { range: (_, __, max) => [0, Math.max(4, Math.ceil((max || 0) * 1.1))] } },
    cursor,
    axes: [timeAxis, { ...valueAxis((count) => (Number.isInteger(count) ? format.count(count) : '')), space: 26 }],
    series: [
      {},
      {
        fill: colour('hand-outs'),
        stroke: colour('hand-outs'),
        width: 0,
        points: { show: false },
        ...(bars !== undefined && { paths: bars }),
      },
      ...(waiting ? [steps('reserved'), steps('waiting')] : []),
    ],
    hooks,
  };
}

/** Values without a neighbour get a dot, because a line would not show them. */
function isolated(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex] ?? [];
  const known = (index: number) => typeof values[index] === 'number';
  return Array.from(values.keys()).filter((index) => known(index) && !known(index - 1) && !known(index + 1));
}

function drawTarget(plot: uPlot, target: number, colour: string): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(target, 'y', true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}

/** Pixels: the height of a strip, and the least width, so that a short outage of a month can be seen. */
const STRIP = 5;
const MIN_MARK = 3;

/** Outages in a strip at the upper edge, drains in one below it: of a fleet, several servers may have them at once. */
function drawMarks(plot: uPlot, marks: readonly MarkView[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { kind, from, to } of marks) {
    const left = plot.valToPos(from, 'x', true);
    const right = to === null ? bbox.left + bbox.width : plot.valToPos(to, 'x', true);
    const height = STRIP * devicePixelRatio;
    ctx.fillStyle = colour(kind === 'down' ? 'down' : 'draining');
    ctx.fillRect(
      left,
      bbox.top + (kind === 'down' ? 0 : height + 1),
      Math.max(MIN_MARK * devicePixelRatio, right - left),
      height,
    );
  }
  ctx.restore();
}

function loadsOf(view: HistoryView | undefined): uPlot.AlignedData {
  if (view === undefined) return [[], [], [], [], []];
  return [[...view.time], [...view.max], [...view.min], [...view.mean], [...view.predicted]];
}

function countsOf(view: HistoryView | undefined, waiting: boolean): uPlot.AlignedData {
  const columns: (number | null)[][] = [view === undefined ? [] : [...view.handOuts]];
  // A line at zero all the time would say nothing.
  if (waiting) columns.push(view?.reserved.map((seats) => seats || null) ?? [], [...(view?.waiting ?? [])]);
  return [view === undefined ? [] : [...view.time], ...columns];
}
