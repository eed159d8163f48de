/** @jsxRuntime automatic @jsxImportSource preact */
/** A button for an action that cannot be undone, and the results of such actions. */
import { useState } from 'preact/hooks';
import type { ViewerView } from '../core/views/monitor-view.ts';
import type { Answer } from './api.ts';
import type { Viewing } from './use-viewer.ts';

interface ConfirmedButtonProps {
  readonly name: string;
  /** On what, for screen readers. */
  readonly of: string;
  readonly question: string;
  readonly onConfirmed: () => void;
}

export function ConfirmedButton({ name, of, question, onConfirmed }: ConfirmedButtonProps) {
  const ask = (): void => {
    if (confirm(question)) onConfirmed();
  };
  return (
    <button type="button" class="quiet" onClick={ask}>
      {name}
      <span class="hidden"> {of}</span>
    </button>
  );
}

export interface Acting {
  /** Absent: the viewer may not act. */
  readonly viewer: ViewerView | undefined;
  /** Announces what came of an action. */
  readonly act: <T>(answering: Promise<Answer<T>>, inWords: (value: T) => string) => void;
}

/** `said`: the result of the last action. `done` is called after each one. */
export function useResults(viewing: Viewing, done: () => void): Acting & { readonly said: string } {
  const [said, setSaid] = useState('');
  const { viewer } = viewing;
  return {
    said,
    viewer: viewer?.actions === 'ready' ? viewer : undefined,
    act(answering, inWords) {
      void answering.then((answer) => {
        viewing.checkAnswer(answer);
        setSaid(answer.kind === 'refused' ? answer.refusal.reason : inWords(answer.value));
        done();
      });
    },
  };
}
