/** A chart's plot, kept up to date with its history, and its cursor. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useFormat } from './format-context.ts';
import { createPlot, type Plot, type PlotOptions } from './plot.ts';
import type { ShownHistory } from './use-history.ts';

interface PlotUse extends Pick<PlotOptions, 'target' | 'onZoom'> {
  /** `null`: the fleet. */
  readonly server: string | null;
  readonly history: ShownHistory;
}

/** `cursor`: the bucket under the pointer or chosen by keyboard; `moveTo(null)` removes it. `element`: to draw in. */
export function usePlot({ server, target, history: { view, from, to }, onZoom }: PlotUse) {
  const format = useFormat();
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const [cursor, setCursor] = useState<number | null>(null);
  useEffect(() => {
    if (element.current === null) return undefined;
    const options = { format, from, to, target, waiting: server === null, onCursor: setCursor, onZoom };
    plot.current = createPlot({ element: element.current, ...options });
    return () => plot.current?.destroy();
  }, [server, format, target]);
  useEffect(() => {
    if (view !== undefined) plot.current?.show(view, from, to);
  }, [view, from, to]);
  const moveTo = (wanted: number | null): void => {
    const index = wanted === null ? null : Math.max(0, Math.min((view?.time.length ?? 0) - 1, wanted));
    plot.current?.point(index);
    // The plot rounds to pixels; the keyboard means exactly this bucket.
    setCursor(index);
  };
  return { element, cursor, moveTo };
}
