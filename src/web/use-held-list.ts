/**
 * A list that does not move while it is read. While an entry is unfolded, focused by keyboard or pointed at, newer
 * entries wait until the reader asks for them or leaves the list.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface HeldList<T> {
  readonly shown: readonly T[];
  /** Entries that are waiting. */
  readonly newer: readonly T[];
  /** Shows the newer entries. */
  readonly release: () => void;
  /** Event handlers for the list's element. */
  readonly holders: {
    readonly onFocusIn: (event: FocusEvent) => void;
    readonly onFocusOut: (event: FocusEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerLeave: () => void;
    readonly onToggleCapture: (event: Event) => void;
  };
}

/** Milliseconds without movement after which a pointer over the list is ignored, as on a screen on a wall. */
const POINTED_MS = 10_000;

export function useHeldList<T extends { readonly id: string }>(newest: readonly T[]): HeldList<T> {
  const [held, hold] = useState<readonly T[]>();
  const latest = useRef(newest);
  latest.current = newest;
  const reading = useRef({ focused: false, pointed: false, unfolded: false });
  const idle = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(idle.current), []);
  const note = useCallback((now: Partial<typeof reading.current>) => {
    Object.assign(reading.current, now);
    const { focused, pointed, unfolded } = reading.current;
    hold((before) => (focused || pointed || unfolded ? (before ?? latest.current) : undefined));
  }, []);
  const known = new Set(held?.map(({ id }) => id));
  return {
    shown: held ?? newest,
    newer: held === undefined ? [] : newest.filter(({ id }) => !known.has(id)),
    release: () => hold(latest.current),
    holders: {
      // Not the list itself, which gets the focus with newer entries, and not a clicked element, which keeps it for
      // ever.
      onFocusIn: ({ target, currentTarget }) =>
        note({ focused: target !== currentTarget && target instanceof Element && target.matches(':focus-visible') }),
      onFocusOut: () => note({ focused: false }),
      onPointerMove(event) {
        // Scrolling the page under a resting pointer also fires this event, with no movement.
        if (event.pointerType !== 'mouse' || (event.movementX === 0 && event.movementY === 0)) return;
        clearTimeout(idle.current);
        idle.current = setTimeout(() => note({ pointed: false }), POINTED_MS);
        note({ pointed: true });
      },
      onPointerLeave() {
        clearTimeout(idle.current);
        note({ pointed: false });
      },
      onToggleCapture: ({ currentTarget }) =>
        note({ unfolded: currentTarget instanceof Element && currentTarget.querySelector('details[open]') !== null }),
    },
  };
}
