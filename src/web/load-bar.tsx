/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * Reported and booked load as one bar, with a tick at the target. The same in words for the pointer and for screen
 * readers: on a narrow screen, nothing else shows the booked load. SVG attributes are used, because the page's content
 * security policy forbids styles in the HTML.
 */
import type { Format } from './format.ts';
import { useFormat } from './format-context.ts';

interface LoadBarProps {
  readonly load: number | null;
  readonly booked: number;
  readonly target: number;
}

const MAX_LOAD = 110;

export function LoadBar({ load, booked, target }: LoadBarProps) {
  const format = useFormat();
  const words = partsInWords(load, booked, target, format);
  const reported = Math.max(0, Math.min(MAX_LOAD, load ?? 0));
  const extra = load === null ? 0 : Math.max(0, Math.min(MAX_LOAD - reported, booked));
  return (
    <span class="load-parts" title={words}>
      <svg class="load-bar" viewBox={`0 0 ${MAX_LOAD} 6`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="track" width={MAX_LOAD} height="6" />
        <rect class={load !== null && load >= target ? 'reported high' : 'reported'} width={reported} height="6" />
        {extra > 0 && <rect class="booked" x={reported} y="1" width={extra} height="4" />}
        <rect class="target" x={Math.min(MAX_LOAD, target)} width="0.8" height="6" />
      </svg>
    </span>
  );
}

function partsInWords(load: number | null, booked: number, target: number, format: Format): string {
  const limit = `limit ${format.limit(target)}`;
  if (load === null) return `no load reported, ${limit}`;
  const more = booked > 0 ? ` + ${format.points(booked)} booked = ${format.load(load + booked)} predicted` : '';
  return `${format.load(load)} reported${more}, ${limit}`;
}
