import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { createFormat, type Format } from './format.ts';

/** How everything below says numbers and times. */
export const FormatContext = createContext<Format>(createFormat({ locale: 'en-US', timeZone: 'UTC' }));

export function useFormat(): Format {
  return useContext(FormatContext);
}
