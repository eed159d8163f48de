/** @jsxRuntime automatic @jsxImportSource preact */
/** Which server each session request was given, and why not another one. */
import { useRef, useState } from 'preact/hooks';
import type { AnswerView, DecisionKind, DecisionView } from '../core/views/monitor-view.ts';
import { OfClass } from './class-names.tsx';
import { duration, plural } from './format.ts';
import { useFormat } from './format-context.ts';
import { useHeldList } from './use-held-list.ts';

interface DecisionsProps {
  readonly decisions: readonly DecisionView[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** The only kind shown; `undefined`: all kinds. */
  readonly only: DecisionKind | undefined;
  readonly onOnly: (only: DecisionKind | undefined) => void;
  /** Explains a project again, as things are now. */
  readonly onAsk?: (project: string) => void;
}

const kindWords: Readonly<Record<DecisionKind, string>> = {
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
  const [words, setWords] = useState('');
  const list = useRef<HTMLOListElement>(null);
  const fits = (decision: DecisionView) => (only === undefined || decision.kind === only) && mentions(decision, words);
  const { shown, newer, release, holders } = useHeldList(decisions);
  const fitting = shown.filter(fits);
  const waiting = newer.filter(fits).length;
  const showNewer = (): void => {
    release();
    list.current?.focus();
  };
  return (
    <>
      <div class="card-head">
        <h2>Recent decisions</h2>
        <OnlyRefused decisions={decisions} only={only} onOnly={onOnly} />
        {decisions.length > FIRST && <Search words={words} onWords={setWords} />}
      </div>
      {waiting > 0 && (
        <button type="button" class="newer" onClick={showNewer}>
          {waiting} newer
        </button>
      )}
      {fitting.length === 0 && <p class="muted">{nothingInWords(decisions.length, words)}</p>}
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

function OnlyRefused({ decisions, only, onOnly }: Pick<DecisionsProps, 'decisions' | 'only' | 'onOnly'>) {
  const refusals = decisions.filter(({ kind }) => kind === 'refused').length;
  if (refusals === 0 && only === undefined) return null;
  const toggle = (): void => onOnly(only === undefined ? 'refused' : undefined);
  return (
    <button type="button" aria-pressed={only === 'refused'} onClick={toggle}>
      Only refused ({refusals})
    </button>
  );
}

function Search({ words, onWords }: { readonly words: string; readonly onWords: (words: string) => void }) {
  return (
    <input
      type="search"
      aria-label="Search decisions by project, server or reason"
      placeholder="Search"
      autocomplete="off"
      spellcheck={false}
      value={words}
      onInput={(event) => onWords(event.currentTarget.value)}
    />
  );
}

/** Each of the words occurs in what the entry shows, in upper or lower case. */
function mentions({ kind, project, server, reason }: DecisionView, words: string): boolean {
  const text = [kindWords[kind], project ?? '', server ?? '', reason].join('\n').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function nothingInWords(decisions: number, words: string): string {
  if (decisions === 0) return 'No session requests yet.';
  return words.trim() === '' ? 'No refusals.' : 'No matches.';
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
          {kindWords[kind]}
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
      <OfClass reservation={decision.reservation} />
      {others.length > 0 && (
        <details>
          <summary>Why not {plural(others.length + omitted, kind === 'allocated' ? 'other server' : 'server')}</summary>
          <Answers answers={others} />
          {omitted > 0 && <p class="muted">and {plural(omitted, 'more server')}</p>}
        </details>
      )}
      {kind === 'refused' && project !== null && onAsk !== undefined && (
        <button type="button" class="quiet" onClick={() => onAsk(project)}>
          Check again
        </button>
      )}
    </li>
  );
}

/** The answer of each server. */
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
          <span class="hidden">{chosen ? 'would be chosen' : eligible ? 'could take it' : 'cannot take it'}: </span>
          <span class="text" dir="auto">
            {reason}
          </span>
        </li>
      ))}
    </ul>
  );
}
