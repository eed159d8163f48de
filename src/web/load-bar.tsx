/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * Reported and booked load as one bar, with a tick at the target, and before it the room that is held for classes. Before the
 * doors open, load may still be there that will have left by then. The same in words for the pointer and for screen
 * readers: on a narrow screen, nothing else shows the booked load. SVG attributes are used, because the page's content
 * security policy forbids styles in the HTML.
 */
import type { ServerView } from '../core/views/monitor-view.ts';
import { plural, type Format } from './format.ts';
import { useFormat } from './format-context.ts';

interface LoadBarProps {
  readonly load: number | null;
  readonly booked: number;
  readonly target: number;
  readonly classSeats: ServerView['classSeats'];
}

const MAX_LOAD = 110;

export function LoadBar({ load, booked, target, classSeats }: LoadBarProps) {
  const format = useFormat();
  const words = partsInWords(load, booked, target, classSeats, format);
  const reported = Math.max(0, Math.min(MAX_LOAD, load ?? 0));
  const extra = load === null ? 0 : Math.max(0, Math.min(MAX_LOAD - reported, booked));
  const held = Math.min(target, MAX_LOAD, classSeats?.points ?? 0);
  return (
    <span class="load-parts" title={words}>
      <svg class="load-bar" viewBox={`0 0 ${MAX_LOAD} 6`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="track" width={MAX_LOAD} height="6" />
        <rect class={load !== null && load >= target ? 'reported high' : 'reported'} width={reported} height="6" />
        {extra > 0 && <rect class="booked" x={reported} y="1" width={extra} height="4" />}
        {held > 0 && <rect class="held" x={Math.min(MAX_LOAD, target) - held} y="3.5" width={held} height="2.5" />}
        <rect class="target" x={Math.min(MAX_LOAD, target)} width="0.8" height="6" />
      </svg>
    </span>
  );
}

function partsInWords(
  load: number | null,
  booked: number,
  target: number,
  classSeats: ServerView['classSeats'],
  format: Format,
): string {
  const seats = classSeats === null ? '' : `, ${seatsInWords(classSeats)}`;
  const limit = `limit ${format.limit(target)}${seats}`;
  if (load === null) return `no load reported, ${limit}`;
  const more = booked > 0 ? ` + ${format.points(booked)} booked = ${format.load(load + booked)} predicted` : '';
  return `${format.load(load)} reported${more}, ${limit}`;
}

/** `about 6 seats held for classes, 4 taken`: held seats are not bound to a server. */
export function seatsInWords({ held, taken }: NonNullable<ServerView['classSeats']>): string {
  if (held === 0) return `${plural(taken, 'seat')} of classes taken`;
  return `about ${plural(held, 'seat')} held for classes${taken === 0 ? '' : `, ${taken} taken`}`;
}
