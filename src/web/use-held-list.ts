/**
 * A list that does not run away under its reader: while something in it is unfolded, is reached by keyboard or was just pointed at, newer entries wait until
 * they are asked for, or until the reader has gone.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface HeldList<T> {
  readonly shown: readonly T[];
  /** Entries that wait. */
  readonly newer: readonly T[];
  /** Shows them. */
  readonly release: () => void;
  /** To be put on the list's element. */
  readonly holders: {
    readonly onFocusIn: (event: FocusEvent) => void;
    readonly onFocusOut: (event: FocusEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerLeave: () => void;
    readonly onToggleCapture: (event: Event) => void;
  };
}

/** Milliseconds without a movement after which a pointer over the list was left there, as on a screen on a wall. */
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
      // The list itself has the keyboard after newer entries were asked for, and what was clicked keeps it when the reader has long gone.
      onFocusIn: ({ target, currentTarget }) =>
        note({ focused: target !== currentTarget && target instanceof Element && target.matches(':focus-visible') }),
      onFocusOut: () => note({ focused: false }),
      onPointerMove(event) {
        // A page that scrolls below a pointer at rest moves it by nothing.
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
