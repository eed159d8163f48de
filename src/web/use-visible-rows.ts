/** Which rows of a long table are visible: only those are in the document. */
import { useEffect, useRef, useState } from 'preact/hooks';

/** Tables with more rows than this draw only the visible ones. */
export const VIRTUAL_ABOVE = 200;
/** Pixels; the style sheet uses the same height. */
export const ROW_HEIGHT = 60;
const SPARE_ROWS = 8;

/**
 * `first` and `last`: the range of rows to draw, `last` not included. `live`: scripts run, so that scrolling is
 * noticed.
 */
export function useVisibleRows(count: number, live: boolean) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = live && count > VIRTUAL_ABOVE;
  const { top, height } = useViewport(scroller, virtual);
  if (!virtual) return { scroller, first: 0, last: count, virtual };
  const first = Math.max(0, Math.min(count, Math.floor(top / ROW_HEIGHT)) - SPARE_ROWS);
  const last = Math.min(count, first + Math.ceil(height / ROW_HEIGHT) + 2 * SPARE_ROWS);
  return { scroller, first, last, virtual };
}

/** How far the element is scrolled and how high it is, in pixels; followed only when `enabled`. */
function useViewport(scroller: { readonly current: HTMLElement | null }, enabled: boolean) {
  const [viewport, setViewport] = useState({ top: 0, height: 800 });
  useEffect(() => {
    const element = scroller.current;
    if (element === null || !enabled) return undefined;
    let frame: number | undefined;
    const look = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setViewport({ top: element.scrollTop, height: element.clientHeight });
      });
    };
    const resize = new ResizeObserver(look);
    resize.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      if (frame !== undefined) cancelAnimationFrame(frame);
      resize.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [enabled]);
  return viewport;
}
