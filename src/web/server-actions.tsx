/** @jsxRuntime automatic @jsxImportSource preact */
/** The operator actions of one server, or how to get access to them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ServerView } from '../core/views/monitor-view.ts';
import { forgetCosts, type Answer } from './api.ts';
import { DrainForm } from './drain-form.tsx';
import { NoTokens, TOKEN_ACCEPTED, TokenForm } from './token-form.tsx';
import { useNextFocus } from './use-next-focus.ts';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

interface ServerActionsProps {
  readonly server: ServerView;
  readonly viewing: Viewing;
  /** Seconds since the epoch. */
  readonly at: number;
}

export function ServerActions({ server, viewing, at }: ServerActionsProps) {
  const { viewer } = viewing;
  const id = useUniqueId();
  const focusNext = useNextFocus();
  const { result, setResult, expectChange } = useResult(server.drain?.since);
  if (viewer === undefined) return null;
  const reasonId = `${id}-reason`;
  const entered = (): void => {
    focusNext(reasonId);
    setResult(TOKEN_ACCEPTED);
  };
  const act = async (answering: Promise<Answer<unknown>>, done: string): Promise<boolean> => {
    expectChange(true);
    const answer = await answering;
    if (answer.kind === 'refused') expectChange(false);
    viewing.checkAnswer(answer);
    setResult(answer.kind === 'refused' ? answer.refusal.reason : done);
    return answer.kind === 'answer';
  };
  return (
    <section class="card operator-actions" aria-label="Operator actions">
      {viewer.actions === 'none' && <NoTokens />}
      {viewer.actions === 'locked' && <TokenForm viewing={viewing} fieldId={`${id}-token`} onEntered={entered} />}
      {viewer.actions === 'ready' && (
        <>
          <DrainForm
            server={server}
            viewer={viewer}
            at={at}
            reasonId={reasonId}
            act={act}
            onResumed={() => focusNext(reasonId)}
          />
          <div class="buttons">
            <button
              type="button"
              onClick={() => void act(forgetCosts(server.id, viewer), 'The costs learned here were forgotten.')}
            >
              Forget the costs learned here
            </button>
          </div>
        </>
      )}
      <p role="status" class="text said">
        {result === '' ? null : result}
      </p>
    </section>
  );
}

/** The result of this viewer's last action, until another operator or the deadline changes the drain. */
function useResult(drainedSince: number | undefined) {
  const [result, setResult] = useState('');
  const before = useRef(drainedSince);
  const expected = useRef(false);
  useEffect(() => {
    if (before.current === drainedSince) return;
    before.current = drainedSince;
    if (!expected.current) setResult('');
    expected.current = false;
  }, [drainedSince]);
  const expectChange = (expects: boolean): void => {
    expected.current = expects;
  };
  return { result, setResult, expectChange };
}
