/**
 * The chart library only supports the mouse. Here, a finger that moves sideways over a plot selects a time, as dragging
 * does. A finger that moves up or down scrolls the page.
 */
import type uPlot from 'uplot';

/** `minDrag`: pixels; a shorter movement is ignored. `onZoom` gets seconds since the epoch. */
export function zoomByTouch(plot: uPlot, minDrag: number, onZoom: (from: number, to: number) => void): void {
  const { over } = plot;
  let start: number | undefined;
  const placeOf = (event: PointerEvent): number =>
    Math.max(0, Math.min(over.clientWidth, event.clientX - over.getBoundingClientRect().left));
  const end = (): void => {
    start = undefined;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  over.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch' && event.isPrimary) start = placeOf(event);
  });
  over.addEventListener('pointermove', (event) => {
    if (start === undefined || !event.isPrimary) return;
    const place = placeOf(event);
    plot.setCursor({ left: place, top: over.clientHeight / 2 });
    plot.setSelect({ left: Math.min(start, place), top: 0, width: Math.abs(place - start), height: over.clientHeight }, false);
  });
  over.addEventListener('pointerup', (event) => {
    if (start === undefined || !event.isPrimary) return;
    const [left, right] = [start, placeOf(event)].sort((a, b) => a - b) as [number, number];
    end();
    if (right - left >= minDrag) onZoom(plot.posToVal(left, 'x'), plot.posToVal(right, 'x'));
  });
  // The page is scrolled instead.
  over.addEventListener('pointercancel', end);
}
