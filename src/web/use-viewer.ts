/**
 * Who looks at the page and what they may do; asked again whenever that may have changed: sessions in the browser end with the session server and after some
 * hours, and whoever read how to get levers comes back with a token.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ViewerView } from '../core/views/monitor-view.ts';
import { askViewer, type Answer } from './api.ts';

export interface Viewing {
  /** `undefined`: not known yet. */
  readonly viewer: ViewerView | undefined;
  /** The viewer had levers and lost them without leaving. */
  readonly signedOut: boolean;
  /** A token was entered or forgotten. */
  readonly became: (viewer: ViewerView) => void;
  /** To be told of the answer to every act: one that is refused because the session is over, or may only read, shows who the viewer is now. */
  readonly acted: (answer: Answer<unknown>) => void;
  /** To be told when levers are looked for. */
  readonly sought: () => void;
}

const LEVERS_LOST: ReadonlySet<string> = new Set(['token-missing', 'token-wrong', 'token-read-only', 'csrf', 'no-tokens']);

/** `stale`: the session server does not answer at present; it may be another one when it does again. */
export function useViewer(stale: boolean): Viewing {
  const [viewer, setViewer] = useState<ViewerView>();
  const [signedOut, setSignedOut] = useState(false);
  const holder = useRef(false);
  const became = useCallback((next: ViewerView) => {
    holder.current = next.name !== null;
    setSignedOut(false);
    setViewer(next);
  }, []);
  const askAgain = useCallback(() => {
    void askViewer().then((answer) => {
      if (answer.kind === 'refused') return;
      const { value } = answer;
      if (value.name !== null) became(value);
      else {
        setSignedOut(holder.current);
        setViewer(value);
      }
    });
  }, [became]);
  const acted = useCallback(
    (answer: Answer<unknown>) => {
      if (answer.kind === 'refused' && LEVERS_LOST.has(answer.refusal.code)) askAgain();
    },
    [askAgain],
  );
  useEffect(() => {
    if (!stale) askAgain();
  }, [stale, askAgain]);
  const hasNoTokens = viewer?.levers === 'none';
  const sought = useCallback(() => {
    if (hasNoTokens) askAgain();
  }, [hasNoTokens, askAgain]);
  useEffect(() => {
    addEventListener('focus', sought);
    return () => removeEventListener('focus', sought);
  }, [sought]);
  return { viewer, signedOut, became, acted, sought };
}
