/** @jsxRuntime automatic @jsxImportSource preact */
/** Who was sent where and why, and why not elsewhere. */
import { useRef, useState } from 'preact/hooks';
import type { AnswerView, DecisionKind, DecisionView } from '../core/views/monitor-view.ts';
import { duration, plural } from './format.ts';
import { useFormat } from './format-context.ts';
import { useHeldList } from './use-held-list.ts';

interface DecisionsProps {
  readonly decisions: readonly DecisionView[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** The kind that is shown alone. */
  readonly only: DecisionKind | undefined;
  readonly onOnly: (only: DecisionKind | undefined) => void;
  /** Puts a project into the field *Why not?*. */
  readonly onAsk?: (project: string) => void;
}

const words: Readonly<Record<DecisionKind, string>> = {
  allocated: 'handed out',
  refused: 'refused',
  abandoned: 'gave up',
};

const signs: Readonly<Record<DecisionKind, string>> = {
  allocated: 'M3 8.5 6.5 12 13 4.5',
  refused: 'M4 4l8 8M12 4l-8 8',
  abandoned: 'M3 8h8M8 4l4 4-4 4',
};

const FIRST = 8;

export function Decisions({ decisions, now, only, onOnly, onAsk }: DecisionsProps) {
  const [all, setAll] = useState(false);
  const [sought, seek] = useState('');
  const list = useRef<HTMLOListElement>(null);
  const fits = (decision: DecisionView) => (only === undefined || decision.kind === only) && speaksOf(decision, sought);
  const { shown, newer, release, holders } = useHeldList(decisions);
  const fitting = shown.filter(fits);
  const waiting = newer.filter(fits).length;
  const refusals = decisions.filter(({ kind }) => kind === 'refused').length;
  const showNewer = (): void => {
    release();
    list.current?.focus();
  };
  return (
    <>
      <div class="card-head">
        <h2>Last decisions</h2>
        {(refusals > 0 || only !== undefined) && (
          <button
            type="button"
            aria-pressed={only === 'refused'}
            onClick={() => onOnly(only === undefined ? 'refused' : undefined)}
          >
            Only refused ({refusals})
          </button>
        )}
        {decisions.length > FIRST && (
          <input
            type="search"
            aria-label="Search decisions by project, server or reason"
            placeholder="Search"
            autocomplete="off"
            spellcheck={false}
            value={sought}
            onInput={(event) => seek(event.currentTarget.value)}
          />
        )}
      </div>
      {waiting > 0 && (
        <button type="button" class="newer" onClick={showNewer}>
          {waiting} newer
        </button>
      )}
      {fitting.length === 0 && <p class="muted">{nothingInWords(decisions.length, sought)}</p>}
      <ol class="entries" ref={list} tabIndex={-1} {...holders}>
        {fitting.slice(0, all ? undefined : FIRST).map((decision) => (
          <Decision key={decision.id} decision={decision} now={now} {...(onAsk !== undefined && { onAsk })} />
        ))}
      </ol>
      {fitting.length > FIRST && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${fitting.length}`}
        </button>
      )}
    </>
  );
}

/** All words stand in what the entry says, in whatever case. */
function speaksOf({ kind, project, server, reason }: DecisionView, sought: string): boolean {
  const said = [words[kind], project ?? '', server ?? '', reason].join('\n').toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

function nothingInWords(decisions: number, sought: string): string {
  if (decisions === 0) return 'Nobody has asked for a session yet.';
  return sought.trim() === '' ? 'None was refused.' : 'None fits the search.';
}

interface DecisionProps {
  readonly decision: DecisionView;
  readonly now: number;
  readonly onAsk?: (project: string) => void;
}

function Decision({ decision, now, onAsk }: DecisionProps) {
  const format = useFormat();
  const { kind, project, server, others, omitted } = decision;
  return (
    <li class={`entry decision-${kind}`}>
      <p class="entry-head">
        <time dateTime={new Date(decision.at * 1000).toISOString()}>{format.moment(decision.at, now)}</time>
        <span class={`verdict verdict-${kind}`}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={signs[kind]} />
          </svg>
          {words[kind]}
        </span>
        {server !== null && (
          <b class="text" dir="auto">
            {server}
          </b>
        )}
        {decision.waited >= 1 && <span class="muted">after {duration(decision.waited)} in line</span>}
      </p>
      {project !== null && (
        <p class="project text" dir="auto" title={project}>
          {project}
        </p>
      )}
      <p class="text" dir="auto">
        {decision.reason}
      </p>
      {others.length > 0 && (
        <details>
          <summary>Why not {plural(others.length + omitted, kind === 'allocated' ? 'other server' : 'server')}</summary>
          <Answers answers={others} />
          {omitted > 0 && <p class="muted">and {plural(omitted, 'more server')}</p>}
        </details>
      )}
      {kind === 'refused' && project !== null && onAsk !== undefined && (
        <button type="button" class="quiet" onClick={() => onAsk(project)}>
          And now?
        </button>
      )}
    </li>
  );
}

/** What each server said. */
export function Answers({ answers }: { readonly answers: readonly AnswerView[] }) {
  return (
    <ul class="answers">
      {answers.map(({ id, address, chosen, eligible, reason }) => (
        <li key={id} class={chosen ? 'chosen' : eligible ? 'eligible' : 'not-eligible'}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d={chosen || eligible ? signs.allocated : signs.refused} />
          </svg>
          <b class="text" dir="auto">
            {address}
          </b>
          <span class="hidden">{chosen ? 'would be handed out' : eligible ? 'could take it' : 'cannot take it'}: </span>
          <span class="text" dir="auto">
            {reason}
          </span>
        </li>
      ))}
    </ul>
  );
}
