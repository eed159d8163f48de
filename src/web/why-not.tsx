/** @jsxRuntime automatic @jsxImportSource preact */
/** The field *Why not?*: a project, and each server's answer to it. */
import { useEffect, useState } from 'preact/hooks';
import type { ExplainView } from '../core/views/monitor-view.ts';
import { explain, type Answer } from './api.ts';
import { Answers } from './decisions.tsx';
import { useUniqueId } from './use-unique-id.ts';

interface WhyNotProps {
  /** A project somebody asked about elsewhere on the page. The number changes each time. */
  readonly asked: { readonly project: string; readonly count: number } | undefined;
}

export function WhyNot({ asked }: WhyNotProps) {
  const id = useUniqueId();
  const [project, setProject] = useState('');
  const [answer, setAnswer] = useState<Answer<ExplainView>>();
  const [busy, setBusy] = useState(false);
  const ask = async (project: string): Promise<void> => {
    setBusy(true);
    setAnswer(await explain(project.trim()));
    setBusy(false);
  };
  useEffect(() => {
    if (asked === undefined) return;
    setProject(asked.project);
    void ask(asked.project);
    document.getElementById(`${id}-project`)?.focus();
  }, [asked?.count]);
  return (
    <section class="card why-not" aria-labelledby={`${id}-heading`}>
      <div class="card-head">
        <h2 id={`${id}-heading`}>Why not?</h2>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask(project);
        }}
      >
        <label for={`${id}-project`}>Address of a project; empty: any project</label>
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
      {/* The sentence alone is read out; hundreds of answers would be. */}
      <p role="status" class="text explained" dir="auto">
        {answer === undefined ? null : answer.kind === 'refused' ? answer.refusal.reason : answer.value.reason}
      </p>
      {answer?.kind === 'answer' && answer.value.servers.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="What each server says">
          <Answers answers={answer.value.servers} />
        </div>
      )}
    </section>
  );
}
