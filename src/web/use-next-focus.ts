/**
 * Where the keyboard goes on when the control it was on goes away with what it did. To be named before the change; the element is there when the page
 * has been drawn anew.
 */
import { useCallback, useEffect, useRef } from 'preact/hooks';

export function useNextFocus(): (id: string) => void {
  const wanted = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (wanted.current === undefined) return;
    const element = document.getElementById(wanted.current);
    if (element === null) return;
    wanted.current = undefined;
    element.focus();
  });
  return useCallback((id: string) => {
    wanted.current = id;
  }, []);
}
