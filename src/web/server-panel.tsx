/** @jsxRuntime automatic @jsxImportSource preact */
/** All about one server: its history, its incidents, its decisions, and the buttons. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DecisionKind, MonitorSnapshot, ServerView, ViewerView } from '../core/views/monitor-view.ts';
import { NoTokens, TOKEN_ACCEPTED, TokenForm } from './access.tsx';
import { drain, removeServer, resume, type Answer, type Drain } from './api.ts';
import { Decisions } from './decisions.tsx';
import { duration, plural, safeLink } from './format.ts';
import { useFormat } from './format-context.ts';
import { HistoryChart } from './history-chart.tsx';
import { Incidents } from './incidents.tsx';
import { LoadBar } from './load-bar.tsx';
import { costSource } from './server-order.ts';
import { StateMark } from './state-mark.tsx';
import { useNextFocus } from './use-next-focus.ts';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

interface ServerPanelProps {
  readonly server: ServerView;
  readonly snapshot: MonitorSnapshot;
  readonly viewing: Viewing;
  readonly now: () => number;
  readonly onClose: () => void;
}

export function ServerPanel({ server, snapshot, viewing, now, onClose }: ServerPanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [only, setOnly] = useState<DecisionKind>();
  const id = useUniqueId();
  useEffect(() => {
    dialog.current?.showModal();
    viewing.sought();
  }, []);
  const its = <T extends { readonly serverId: string | null }>(entries: readonly T[]) =>
    entries.filter(({ serverId }) => serverId === server.id);
  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby={`${id}-heading`}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="panel-body">
        <header class="panel-head">
          <div>
            <h2 id={`${id}-heading`} class="text" dir="auto">
              {server.address}
            </h2>
            <p>
              <StateMark state={server.state} suspect={server.suspectSince !== null} />{' '}
              <span class="muted">for {duration(snapshot.at - server.since)}</span>
            </p>
            <p class="text" dir="auto">
              {server.reason}
            </p>
          </div>
          <button type="button" class="close" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </header>
        <OperatorActions server={server} viewing={viewing} at={snapshot.at} />
        <Facts server={server} snapshot={snapshot} />
        <HistoryChart
          server={server.id}
          heading="Its load"
          target={snapshot.fleet.target}
          startedAt={snapshot.fleet.startedAt}
          now={now}
        />
        <section class="card">
          <Incidents incidents={its(snapshot.incidents)} channels={snapshot.fleet.channels} now={snapshot.at} />
        </section>
        <section class="card">
          <Decisions decisions={its(snapshot.decisions)} now={snapshot.at} only={only} onOnly={setOnly} />
        </section>
      </div>
    </dialog>
  );
}

function Facts({ server, snapshot }: { readonly server: ServerView; readonly snapshot: MonitorSnapshot }) {
  const format = useFormat();
  const { load, lastLoad, drain, suspectSince } = server;
  const moment = (time: number) => format.moment(time, snapshot.at);
  const facts: (readonly [string, string] | undefined)[] = [
    ['reported load', load === null && lastLoad !== null ? `N/A, last ${format.load(lastLoad)}` : format.load(load)],
    ['predicted load', `${format.load(server.predicted)}, ${format.points(server.booked)} points booked`],
    ['places left', format.count(server.places)],
    [
      'session cost',
      `${format.points(server.cost)} points${server.costUncertainty === null ? `, ${costSource(snapshot.servers)}` : ` ± ${format.points(server.costUncertainty)}`}`,
    ],
    ['handed out', `${format.count(server.handOutsLastHour)} in the last hour, ${format.count(server.handOuts)} in all`],
    [
      'last answer',
      server.lastAnswerAt === null
        ? 'never'
        : `${moment(server.lastAnswerAt)}${server.latency === null ? '' : ` in ${format.milliseconds(server.latency)}`}`,
    ],
    server.failures === 0 ? undefined : ['failed probes', `${plural(server.failures, 'probe')} in a row`],
    suspectSince === null ? undefined : ['suspect since', moment(suspectSince)],
    drain === null
      ? undefined
      : [
          'drained',
          `by ${drain.by} at ${moment(drain.since)}, ${drain.until === null ? 'until resumed' : `until ${moment(drain.until)}`}`,
        ],
    typeof drain?.reason !== 'string' ? undefined : ['because', drain.reason],
    server.weight === 1 ? undefined : ['weight', format.points(server.weight)],
    server.maxSessions === null ? undefined : ['most sessions', format.count(server.maxSessions)],
    server.allowedRepositories === null ? undefined : ['only projects of', server.allowedRepositories.join(', ')],
    ...Object.entries(server.labels),
  ];
  return (
    <section class="card" aria-label="Facts">
      <LoadBar load={load} booked={server.booked} target={snapshot.fleet.target} />
      <p class="load-legend muted" aria-hidden="true">
        <span class="reported">reported</span> <span class="booked">booked</span>{' '}
        <span class="target">limit {format.load(snapshot.fleet.target)}</span>
      </p>
      <dl class="facts">
        {facts.map(
          (fact, index) =>
            fact !== undefined && (
              <div key={index}>
                <dt class="text">{fact[0]}</dt>
                <dd class="text" dir="auto">
                  {fact[1]}
                </dd>
              </div>
            ),
        )}
      </dl>
      <p>
        <a {...safeLink(server.monitorUrl)} rel="noopener noreferrer">
          The server's own monitor
        </a>
      </p>
    </section>
  );
}

interface LeversProps {
  readonly server: ServerView;
  readonly viewing: Viewing;
  /** Seconds since the epoch. */
  readonly at: number;
}

function OperatorActions({ server, viewing, at }: LeversProps) {
  const { viewer } = viewing;
  const id = useUniqueId();
  const focusNext = useNextFocus();
  const { said, say, acting } = useSaid(server.drain?.since);
  if (viewer === undefined) return null;
  const reasonId = `${id}-reason`;
  const entered = (): void => {
    focusNext(reasonId);
    say(TOKEN_ACCEPTED);
  };
  const act = async (answering: Promise<Answer<unknown>>, done: string): Promise<boolean> => {
    acting(true);
    const answer = await answering;
    if (answer.kind === 'refused') acting(false);
    viewing.acted(answer);
    say(answer.kind === 'refused' ? answer.refusal.reason : done);
    return answer.kind === 'answer';
  };
  return (
    <section class="card levers" aria-label="Levers">
      {viewer.levers === 'none' && <NoTokens />}
      {viewer.levers === 'locked' && <TokenForm viewing={viewing} fieldId={`${id}-token`} onEntered={entered} />}
      {viewer.levers === 'ready' && (
        <DrainForm server={server} viewer={viewer} at={at} reasonId={reasonId} act={act} onResumed={() => focusNext(reasonId)} />
      )}
      <p role="status" class="text said">
        {said === '' ? null : said}
      </p>
    </section>
  );
}

/** What an act of this viewer said, until the drain changes by what somebody else did, or by its deadline. */
function useSaid(drainedSince: number | undefined) {
  const [said, say] = useState('');
  const before = useRef(drainedSince);
  const expected = useRef(false);
  useEffect(() => {
    if (before.current === drainedSince) return;
    before.current = drainedSince;
    if (!expected.current) say('');
    expected.current = false;
  }, [drainedSince]);
  const acting = (changes: boolean): void => {
    expected.current = changes;
  };
  return { said, say, acting };
}

type Deadline = Pick<Drain, 'lasts' | 'until'>;

const deadlines: readonly { readonly name: string; readonly deadline: Deadline }[] = [
  { name: 'until resumed', deadline: {} },
  { name: 'for 15 minutes', deadline: { lasts: 900 } },
  { name: 'for 1 hour', deadline: { lasts: 3600 } },
  { name: 'for 4 hours', deadline: { lasts: 4 * 3600 } },
  { name: 'for 24 hours', deadline: { lasts: 86_400 } },
  { name: 'for 7 days', deadline: { lasts: 7 * 86_400 } },
];

interface DrainFormProps {
  readonly server: ServerView;
  readonly viewer: ViewerView;
  readonly at: number;
  readonly reasonId: string;
  /** Whether it was done. */
  readonly act: (answering: Promise<Answer<unknown>>, done: string) => Promise<boolean>;
  readonly onResumed: () => void;
}

/** Begins with what the drain is now, so that changing one thing of it keeps the other. Buttons are never disabled, because that takes the keyboard's place away. */
function DrainForm({ server, viewer, at, reasonId, act, onResumed }: DrainFormProps) {
  const format = useFormat();
  const { drain: drained } = server;
  const [reason, setReason] = useState(drained?.reason ?? '');
  const [chosen, choose] = useState<string>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setReason(drained?.reason ?? '');
    choose(undefined);
  }, [drained?.since]);
  const until = drained?.until ?? null;
  const asNow = until === null ? [] : [{ name: `as now, until ${format.moment(until, at)}`, deadline: { until } }];
  const options = [...asNow, ...deadlines];
  const picked = options.find(({ name }) => name === chosen) ?? options[0];
  const pull = async (lever: () => Promise<Answer<unknown>>, done: string): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    const worked = await act(lever(), done);
    setBusy(false);
    return worked;
  };
  const startDraining = (): Promise<boolean> => {
    const request = { reason, ...picked?.deadline };
    return pull(() => drain(server.id, request, viewer), 'It drains: no session is handed out here any more.');
  };
  const endDraining = async (): Promise<void> => {
    const resumed = await pull(() => resume(server.id, viewer), 'It is offered again as soon as it answers.');
    if (resumed) onResumed();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void startDraining();
      }}
    >
      <label for={reasonId}>{drained === null ? 'Drain: sessions go on, none is added' : 'It drains'}</label>
      <div class="field">
        <input
          id={reasonId}
          name="reason"
          type="text"
          maxLength={1000}
          placeholder="reason, shown to everybody"
          autocomplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <select
          name="deadline"
          aria-label="How long"
          value={picked?.name}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {options.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="submit" aria-disabled={busy}>
          {drained === null ? 'Drain' : 'Change'}
        </button>
        {drained !== null && (
          <button type="button" aria-disabled={busy} onClick={() => void endDraining()}>
            Resume
          </button>
        )}
        {server.removable && (
          <button
            type="button"
            class="danger"
            aria-disabled={busy}
            onClick={() => {
              if (confirm(`Remove ${server.address} from the fleet?`))
                void pull(() => removeServer(server.id, viewer), 'It was removed.');
            }}
          >
            Remove
          </button>
        )}
      </div>
    </form>
  );
}
