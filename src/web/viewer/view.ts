/** What draws a simulation. */
import type { Graph } from './graph.ts';

export interface View {
  readonly kind: '3d' | 'plan';
  /** Replaces what was drawn before. */
  show(graph: Graph): void;
  /** Keeps the robot in the picture. */
  follow(follows: boolean): void;
  draw(): void;
}

export type CreateView = (canvas: HTMLCanvasElement, changed: () => void) => View;

/** Pixels of the screen for one of the page, at most: more cost time and are not seen. */
const MAX_RATIO = 2;

/** The size of the picture in pixels, as the page shows it. */
export function sizeOf(canvas: HTMLCanvasElement): { readonly width: number; readonly height: number; readonly ratio: number } {
  return {
    width: Math.max(1, canvas.clientWidth),
    height: Math.max(1, canvas.clientHeight),
    ratio: Math.min(MAX_RATIO, devicePixelRatio),
  };
}
