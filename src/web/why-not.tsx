/** @jsxRuntime automatic @jsxImportSource preact */
/** Why can't a project start? A field for its URL, and the answer of each server. */
import { useEffect, useState } from 'preact/hooks';
import type { ExplainView } from '../core/views/monitor-view.ts';
import { explain, type Answer } from './api.ts';
import { OfClass } from './class-names.tsx';
import { Answers } from './decisions.tsx';
import { useUniqueId } from './use-unique-id.ts';

interface WhyNotProps {
  /** A project to explain, asked for elsewhere on the page. The number changes each time. */
  readonly asked: { readonly project: string; readonly count: number } | undefined;
}

export function WhyNot({ asked }: WhyNotProps) {
  const id = useUniqueId();
  const { project, setProject, answer, busy, ask } = useExplanation();
  useEffect(() => {
    if (asked === undefined) return;
    setProject(asked.project);
    void ask(asked.project);
    document.getElementById(`${id}-project`)?.focus();
  }, [asked?.count]);
  return (
    <section class="card why-not" aria-labelledby={`${id}-heading`}>
      <div class="card-head">
        <h2 id={`${id}-heading`}>Why can't a project start?</h2>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask(project);
        }}
      >
        <label for={`${id}-project`}>Project URL (leave empty for any project)</label>
        <div class="field">
          <input
            id={`${id}-project`}
            type="text"
            inputMode="url"
            autocomplete="off"
            spellcheck={false}
            placeholder="https://github.com/…/worlds/….wbt"
            value={project}
            onInput={(event) => setProject(event.currentTarget.value)}
          />
          <button type="submit" disabled={busy}>
            Ask
          </button>
        </div>
      </form>
      {/* Only this sentence is announced to screen readers, not hundreds of answers. */}
      <p role="status" class="text explained" dir="auto">
        {answer === undefined ? null : answer.kind === 'refused' ? answer.refusal.reason : answer.value.reason}
      </p>
      {answer?.kind === 'answer' && <OfClass reservation={answer.value.reservation} />}
      {answer?.kind === 'answer' && answer.value.servers.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Answer of each server">
          <Answers answers={answer.value.servers} />
        </div>
      )}
    </section>
  );
}

function useExplanation() {
  const [project, setProject] = useState('');
  const [answer, setAnswer] = useState<Answer<ExplainView>>();
  const [busy, setBusy] = useState(false);
  const ask = async (about: string): Promise<void> => {
    setBusy(true);
    setAnswer(await explain(about.trim()));
    setBusy(false);
  };
  return { project, setProject, answer, busy, ask };
}
