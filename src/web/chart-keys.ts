/** The keyboard of a chart: arrows move along time, plus and minus zoom, Escape goes back. Pure. */

export interface ChartKeys {
  /** The bucket the keyboard is at; `null`: none yet. */
  readonly index: number | null;
  /** Buckets of the chart. */
  readonly count: number;
  /** Escape has something to undo: a zoom or a cursor. */
  readonly canReset: boolean;
  readonly moveTo: (index: number) => void;
  /** `factor`: of the time shown. */
  readonly zoomBy: (factor: number) => void;
  readonly reset: () => void;
}

/** What to do for a key; `undefined`: the key is not the chart's. */
export function actionOf(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  { index, count, canReset, moveTo, zoomBy, reset }: ChartKeys,
): (() => void) | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  const moveBy = (buckets: number) => () => moveTo((index ?? 0) + buckets);
  const actions: Readonly<Record<string, () => void>> = {
    ArrowLeft: moveBy(-1),
    ArrowRight: moveBy(1),
    PageUp: moveBy(-10),
    PageDown: moveBy(10),
    Home: () => moveTo(0),
    End: () => moveTo(count - 1),
    '+': () => zoomBy(0.5),
    '-': () => zoomBy(2),
    ...(canReset && { Escape: reset }),
  };
  return actions[key];
}
