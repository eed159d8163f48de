/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * Reported and booked load as one bar, with a tick at the target. Drawn as SVG with plain attributes, because the page's policy forbids styles in the
 * HTML. The figures stand beside it as text, so it is hidden from screen readers.
 */
interface LoadBarProps {
  readonly load: number | null;
  readonly booked: number;
  readonly target: number;
}

const WIDEST = 110;

export function LoadBar({ load, booked, target }: LoadBarProps) {
  const reported = Math.max(0, Math.min(WIDEST, load ?? 0));
  const extra = load === null ? 0 : Math.max(0, Math.min(WIDEST - reported, booked));
  return (
    <svg class="load-bar" viewBox={`0 0 ${WIDEST} 6`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width={WIDEST} height="6" />
      <rect class={load !== null && load >= target ? 'reported high' : 'reported'} width={reported} height="6" />
      {extra > 0 && <rect class="booked" x={reported} y="1" width={extra} height="4" />}
      <rect class="target" x={Math.min(WIDEST, target)} width="0.8" height="6" />
    </svg>
  );
}
