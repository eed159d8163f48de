import { createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { createFormat, type Format } from './format.ts';

/** How everything below says numbers and times. */
export const FormatContext = createContext<Format>(createFormat({ locale: 'en-US', timeZone: 'UTC' }));

export function useFormat(): Format {
  return useContext(FormatContext);
}

/** A time of the day it is `now`, the same until that day ends: what only tells today from other days need not be drawn anew every second. */
export function useToday(now: number): number {
  const day = useFormat().dayOf(now);
  return useMemo(() => now, [day]);
}
