/**
 * The person who is signed in, and what this person may do. Asked again whenever that may have changed: browser sessions end when the
 * session server restarts and after some hours, and a reader of the instructions comes back with a token.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ViewerView } from '../core/views/monitor-view.ts';
import { askViewer, type Answer } from './api.ts';

export interface Viewing {
  /** `undefined`: not known yet. */
  readonly viewer: ViewerView | undefined;
  /** The viewer was signed in, and is not any more without having signed out. */
  readonly signedOut: boolean;
  /** After signing in or out. */
  readonly changeTo: (viewer: ViewerView) => void;
  /** To be called with the answer to every action: a refusal may mean that the session has ended or may only read. */
  readonly checkAnswer: (answer: Answer<unknown>) => void;
  /** Asks again if there were no tokens to sign in with: some may have been configured since. */
  readonly recheck: () => void;
}

const ACCESS_LOST: ReadonlySet<string> = new Set(['token-missing', 'token-wrong', 'token-read-only', 'csrf', 'no-tokens']);

/** `stale`: the session server does not answer at present. It may have been restarted when it answers again. */
export function useViewer(stale: boolean): Viewing {
  const [viewer, setViewer] = useState<ViewerView>();
  const [signedOut, setSignedOut] = useState(false);
  const signedIn = useRef(false);
  const changeTo = useCallback((next: ViewerView) => {
    signedIn.current = next.name !== null;
    setSignedOut(false);
    setViewer(next);
  }, []);
  const askAgain = useCallback(() => {
    void askViewer().then((answer) => {
      if (answer.kind === 'refused') return;
      const { value } = answer;
      if (value.name !== null) changeTo(value);
      else {
        setSignedOut(signedIn.current);
        setViewer(value);
      }
    });
  }, [changeTo]);
  const checkAnswer = useCallback(
    (answer: Answer<unknown>) => {
      if (answer.kind === 'refused' && ACCESS_LOST.has(answer.refusal.code)) askAgain();
    },
    [askAgain],
  );
  useEffect(() => {
    if (!stale) askAgain();
  }, [stale, askAgain]);
  const hasNoTokens = viewer?.actions === 'none';
  const recheck = useCallback(() => {
    if (hasNoTokens) askAgain();
  }, [hasNoTokens, askAgain]);
  useEffect(() => {
    addEventListener('focus', recheck);
    return () => removeEventListener('focus', recheck);
  }, [recheck]);
  return { viewer, signedOut, changeTo, checkAnswer, recheck };
}
