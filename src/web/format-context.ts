import { createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { createFormat, type Format } from './format.ts';

/** How all components write numbers and times. */
export const FormatContext = createContext<Format>(createFormat({ locale: 'en-US', timeZone: 'UTC' }));

export function useFormat(): Format {
  return useContext(FormatContext);
}

/**
 * A time of the present day that stays the same until the day ends. Components that only need to distinguish today from other
 * days are then not drawn again every second.
 */
export function useToday(now: number): number {
  const day = useFormat().dayOf(now);
  return useMemo(() => now, [day]);
}
