/** Dragging, scrolling and pinching on the picture. */

export interface GestureActions {
  /** Pixels of the page. */
  turn(x: number, y: number): void;
  /** Above 1: away. */
  zoom(factor: number): void;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export class Gestures {
  readonly #actions: GestureActions;
  readonly #pointers = new Map<number, Point>();

  constructor(element: HTMLElement, actions: GestureActions) {
    this.#actions = actions;
    element.addEventListener('pointerdown', (event) => {
      element.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    });
    element.addEventListener('pointermove', (event) => this.#moved(event));
    for (const end of ['pointerup', 'pointercancel'] as const)
      element.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
    element.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        actions.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 400));
      },
      { passive: false },
    );
  }

  #moved({ pointerId, clientX: x, clientY: y }: PointerEvent): void {
    const before = this.#pointers.get(pointerId);
    if (before === undefined) return;
    const spread = this.#spread();
    this.#pointers.set(pointerId, { x, y });
    if (spread === undefined) this.#actions.turn(x - before.x, y - before.y);
    else this.#actions.zoom(spread / Math.max(1, this.#spread() ?? spread));
  }

  /** Pixels between two fingers. */
  #spread(): number | undefined {
    const [one, other] = this.#pointers.values();
    return one && other && Math.hypot(one.x - other.x, one.y - other.y);
  }
}
