/** @jsxRuntime automatic @jsxImportSource preact */
/** The time a chart shows: the buttons for the last minutes to days, and zooming. */
import { useState } from 'preact/hooks';
import type { Range } from './use-history.ts';

const ranges: readonly { readonly name: string; readonly long: string; readonly seconds: number }[] = [
  { name: '15 min', long: 'last 15 minutes', seconds: 900 },
  { name: '1 h', long: 'last hour', seconds: 3600 },
  { name: '24 h', long: 'last 24 hours', seconds: 86_400 },
  { name: '7 d', long: 'last 7 days', seconds: 7 * 86_400 },
  { name: '30 d', long: 'last 30 days', seconds: 30 * 86_400 },
];
const QUARTER = 900;
const HOUR = 3600;
/** Seconds of the shortest time one can zoom into. */
const MIN_ZOOM = 60;

export interface Zoom {
  readonly range: Range;
  /** Seconds since the epoch. Ignored when too short. */
  readonly zoom: (from: number, to: number) => void;
  readonly showLast: (seconds: number) => void;
  /** Returns to the range that was shown before zooming. */
  readonly reset: () => void;
  /** Seconds of that range. */
  readonly last: number;
}

/** `age`: seconds the session server has been running. Soon after its start an hour would be nearly empty. */
export function useZoom(age: () => number): Zoom {
  const [last, setLast] = useState(() => (age() < HOUR / 2 ? QUARTER : HOUR));
  const [range, setRange] = useState<Range>({ kind: 'last', seconds: last });
  const showLast = (seconds: number): void => {
    setLast(seconds);
    setRange({ kind: 'last', seconds });
  };
  return {
    range,
    last,
    showLast,
    zoom: (from, to) => {
      if (to - from >= MIN_ZOOM) setRange({ kind: 'zoomed', from, to });
    },
    reset: () => showLast(last),
  };
}

export function RangeButtons({ range, last, showLast, reset }: Zoom) {
  return (
    <div class="ranges" role="group" aria-label="Time range">
      {range.kind === 'zoomed' && (
        <button type="button" class="quiet" onClick={reset}>
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
  );
}
