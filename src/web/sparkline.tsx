/** @jsxRuntime automatic @jsxImportSource preact */
/** The last hour of a server's load as a line without axes. Time without data is a gap. */
import { useMemo } from 'preact/hooks';
import { decodeSparkline } from '../core/history/sparkline.ts';

const WIDTH = 120;
const HEIGHT = 26;
const MAX_LOAD = 105;

export function Sparkline({ text }: { readonly text: string | undefined }) {
  const { line, area } = useMemo(() => pathsOf(text ?? ''), [text]);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="area" d={area} />
      <path class="line" d={line} />
    </svg>
  );
}

function pathsOf(text: string): { readonly line: string; readonly area: string } {
  const loads = decodeSparkline(text);
  let line = '';
  let area = '';
  let segmentStart: string | undefined;
  for (const [index, load] of loads.entries()) {
    const x = ((index + 0.5) * WIDTH) / loads.length;
    if (load === null) {
      if (segmentStart !== undefined) area += `V${HEIGHT}Z`;
      segmentStart = undefined;
      continue;
    }
    const point = `${x.toFixed(1)} ${(HEIGHT - 1 - (Math.min(MAX_LOAD, load) / MAX_LOAD) * (HEIGHT - 2)).toFixed(1)}`;
    line += segmentStart === undefined ? `M${point}h0.1` : `L${point}`;
    area += segmentStart === undefined ? `M${x.toFixed(1)} ${HEIGHT}L${point}` : `L${point}`;
    segmentStart = point;
  }
  if (segmentStart !== undefined) area += `V${HEIGHT}Z`;
  return { line, area };
}
