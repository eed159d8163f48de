/**
 * Where the focus moves when the focused control disappears because of its own action. Call it with an element's id
 * before the change; the element is focused as soon as the page has been drawn again.
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
