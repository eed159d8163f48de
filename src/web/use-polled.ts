/** A list that is fetched again every few seconds, and at once when asked. Nothing is fetched while the tab is hidden. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { RefusalView } from '../core/views/monitor-view.ts';
import type { Answer } from './api.ts';

export interface Polled<T> {
  readonly value: T | undefined;
  readonly refusal: RefusalView | undefined;
  readonly refresh: () => void;
}

const INTERVAL_MS = 5000;

/** `key`: what `ask` depends on; `undefined`: nothing is fetched. */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<Answer<T>>, key: string | undefined): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'refresh'>>({ value: undefined, refusal: undefined });
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (key === undefined) {
      setState({ value: undefined, refusal: undefined });
      return undefined;
    }
    const stopping = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const fetchAgain = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden) return;
      const answer = await ask(stopping.signal);
      if (stopping.signal.aborted) return;
      if (answer.kind === 'answer') setState({ value: answer.value, refusal: undefined });
      else setState(({ value }) => ({ value, refusal: answer.refusal }));
      timer = setTimeout(again.current, INTERVAL_MS);
    };
    again.current = () => void fetchAgain();
    const onVisible = (): void => again.current();
    onVisible();
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      stopping.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [key]);
  return { ...state, refresh: useCallback(() => again.current(), []) };
}
