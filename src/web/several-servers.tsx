/** @jsxRuntime automatic @jsxImportSource preact */
/** Actions on several servers: which are selected, draining and resuming them, and planning maintenance. */
import { useState } from 'preact/hooks';
import type { ServerView, ViewerView } from '../core/views/monitor-view.ts';
import { drainSeveral, planMaintenance, resumeSeveral, type OnServers } from './api-people.ts';
import type { Answer } from './api.ts';
import { DeadlineNote, newDeadlines } from './drain-form.tsx';
import { plural } from './format.ts';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

/** Selected servers by id; `undefined`: none can be selected now. */
export type Selection = ReadonlySet<string> | undefined;

interface SeveralServersProps {
  readonly servers: readonly ServerView[];
  /** Those that the table shows. */
  readonly shown: readonly ServerView[];
  readonly selection: ReadonlySet<string>;
  readonly onSelect: (ids: Iterable<string>) => void;
  readonly viewer: ViewerView;
  readonly viewing: Viewing;
}

const MAX_LABELS = 100;

export function SeveralServers(props: SeveralServersProps) {
  const { servers, selection, viewer, viewing } = props;
  const [said, setSaid] = useState('');
  const [reason, setReason] = useState('');
  const id = useUniqueId();
  const chosen = servers.filter((server) => selection.has(server.id)).map((server) => server.id);
  const act = (answering: Promise<Answer<unknown>>, inWords: (value: unknown) => string): void => {
    void answering.then((answer) => {
      viewing.checkAnswer(answer);
      setSaid(answer.kind === 'refused' ? answer.refusal.reason : inWords(answer.value));
    });
  };
  const nothing = (): boolean => {
    if (chosen.length === 0) setSaid('Select servers first.');
    return chosen.length === 0;
  };
  return (
    <div class="several" role="group" aria-label="Act on several servers">
      <SelectionBar {...props} count={chosen.length} />
      <label for={`${id}-reason`}>Reason, visible to everyone</label>
      <div class="field">
        <input
          id={`${id}-reason`}
          type="text"
          maxLength={1000}
          autocomplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </div>
      <DrainSeveral {...{ chosen, reason, viewer, act, nothing }} />
      <PlanForm {...{ chosen, reason, viewer, act, nothing, id }} />
      <p role="status" class="text said">
        {said === '' ? null : said}
      </p>
    </div>
  );
}

function SelectionBar({ servers, shown, onSelect, count }: SeveralServersProps & { readonly count: number }) {
  const labels = [...new Set(servers.flatMap((server) => labelsOf(server)))].sort().slice(0, MAX_LABELS);
  const select = (label: string): void => onSelect(servers.filter((server) => labelsOf(server).includes(label)).map(idOf));
  return (
    <div class="buttons">
      <b>{count} selected</b>
      <button type="button" onClick={() => onSelect(shown.map(idOf))}>
        Select all {shown.length} shown
      </button>
      {labels.length > 0 && (
        <select
          aria-label="Select by label"
          value=""
          onChange={(event) => {
            select(event.currentTarget.value);
            event.currentTarget.value = '';
          }}
        >
          <option value="">by label…</option>
          {labels.map((label) => (
            <option key={label}>{label}</option>
          ))}
        </select>
      )}
      <button type="button" onClick={() => onSelect([])}>
        Select none
      </button>
    </div>
  );
}

interface ActionProps {
  readonly chosen: readonly string[];
  readonly reason: string;
  readonly viewer: ViewerView;
  readonly act: (answering: Promise<Answer<unknown>>, inWords: (value: unknown) => string) => void;
  /** Says so when no server is selected. */
  readonly nothing: () => boolean;
}

function DrainSeveral({ chosen, reason, viewer, act, nothing }: ActionProps) {
  const [name, setName] = useState(newDeadlines[0]?.name);
  const deadline = newDeadlines.find((option) => option.name === name)?.deadline ?? {};
  const done = (value: unknown): string => plural((value as OnServers).done.length, 'server');
  const drain = (): void => {
    if (nothing() || !confirm(`Drain ${plural(chosen.length, 'server')}? Running sessions continue.`)) return;
    act(drainSeveral(chosen, { reason, ...deadline }, viewer), (value) => `Draining ${done(value)}.`);
  };
  const resume = (): void => {
    if (!nothing()) act(resumeSeveral(chosen, viewer), (value) => `Resumed ${done(value)}.`);
  };
  return (
    <>
      <div class="buttons">
        <select aria-label="How long to drain" value={name} onChange={(event) => setName(event.currentTarget.value)}>
          {newDeadlines.map((option) => (
            <option key={option.name}>{option.name}</option>
          ))}
        </select>
        <button type="button" onClick={drain}>
          Drain selected
        </button>
        <button type="button" onClick={resume}>
          Resume selected
        </button>
      </div>
      <DeadlineNote deadline={deadline} />
    </>
  );
}

/** The fields are in the zone of the viewer. */
function PlanForm({ chosen, reason, viewer, act, nothing, id }: ActionProps & { readonly id: string }) {
  const plan = (form: HTMLFormElement): void => {
    const fields = new FormData(form);
    const [from, until] = [secondsOf(fields.get('from')), secondsOf(fields.get('until'))];
    if (nothing() || from === undefined || until === undefined) return;
    act(planMaintenance(chosen, { from, until, reason }, viewer), () => `Planned for ${plural(chosen.length, 'server')}.`);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        plan(event.currentTarget);
      }}
    >
      <div class="field planned-time">
        <label for={`${id}-from`}>Maintenance from</label>
        <input id={`${id}-from`} name="from" type="datetime-local" required />
        <label for={`${id}-until`}>until</label>
        <input id={`${id}-until`} name="until" type="datetime-local" required />
        <button type="submit">Plan</button>
      </div>
    </form>
  );
}

function secondsOf(value: FormDataEntryValue | null): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(time) ? time / 1000 : undefined;
}

function labelsOf({ labels }: ServerView): readonly string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`);
}

function idOf({ id }: ServerView): string {
  return id;
}
