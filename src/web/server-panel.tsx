/** @jsxRuntime automatic @jsxImportSource preact */
/** All about one server: its history, its incidents, its decisions, and the buttons. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DecisionKind, MonitorSnapshot, ServerView } from '../core/monitor-view.ts';
import { NoTokens, TokenForm } from './access.tsx';
import { drain, removeServer, resume, type Answer } from './api.ts';
import { Decisions } from './decisions.tsx';
import { duration, plural, safeLink } from './format.ts';
import { useFormat } from './format-context.ts';
import { HistoryChart } from './history-chart.tsx';
import { Incidents } from './incidents.tsx';
import { LoadBar } from './load-bar.tsx';
import { StateMark } from './state-mark.tsx';
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
        <Levers server={server} viewing={viewing} />
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
      `${format.points(server.cost)} points${server.costUncertainty === null ? ', not learned yet' : ` ± ${format.points(server.costUncertainty)}`}`,
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
}

/** Seconds; `undefined`: until resumed. */
const deadlines: readonly { readonly name: string; readonly lasts: number | undefined }[] = [
  { name: 'until resumed', lasts: undefined },
  { name: 'for 15 minutes', lasts: 900 },
  { name: 'for 1 hour', lasts: 3600 },
  { name: 'for 4 hours', lasts: 4 * 3600 },
  { name: 'for 24 hours', lasts: 86_400 },
  { name: 'for 7 days', lasts: 7 * 86_400 },
];

function Levers({ server, viewing }: LeversProps) {
  const { viewer } = viewing;
  const id = useUniqueId();
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  if (viewer === undefined) return null;
  if (viewer.levers !== 'ready') {
    return <section class="card levers">{viewer.levers === 'none' ? <NoTokens /> : <TokenForm viewing={viewing} />}</section>;
  }
  const act = async (answering: Promise<Answer<unknown>>, done: string): Promise<void> => {
    setBusy(true);
    const answer = await answering;
    setBusy(false);
    viewing.acted(answer);
    setSaid(answer.kind === 'refused' ? answer.refusal.reason : done);
  };
  const startDraining = (form: HTMLFormElement): void => {
    const fields = new FormData(form);
    const { lasts } = deadlines[Number(fields.get('deadline'))] ?? {};
    const reason = fields.get('reason');
    const request = { reason: typeof reason === 'string' ? reason : '', ...(lasts !== undefined && { lasts }) };
    void act(drain(server.id, request, viewer), 'It drains: no session is handed out here any more.');
  };
  const resumeButton = (
    <button
      type="button"
      disabled={busy}
      onClick={() => void act(resume(server.id, viewer), 'It is offered again as soon as it answers.')}
    >
      Resume
    </button>
  );
  return (
    <section class="card levers" aria-label="Levers">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          startDraining(event.currentTarget);
        }}
      >
        <label for={`${id}-reason`}>{server.drain === null ? 'Drain: sessions go on, none is added' : 'It drains'}</label>
        <div class="field">
          <input
            id={`${id}-reason`}
            name="reason"
            type="text"
            maxLength={1000}
            placeholder="reason, shown to everybody"
            autocomplete="off"
          />
          <select name="deadline" aria-label="How long">
            {deadlines.map(({ name }, index) => (
              <option key={name} value={index}>
                {name}
              </option>
            ))}
          </select>
          <button type="submit" disabled={busy}>
            {server.drain === null ? 'Drain' : 'Change'}
          </button>
          {server.drain !== null && resumeButton}
          {server.removable && (
            <button
              type="button"
              class="danger"
              disabled={busy}
              onClick={() => {
                if (confirm(`Remove ${server.address} from the fleet?`))
                  void act(removeServer(server.id, viewer), 'It was removed.');
              }}
            >
              Remove
            </button>
          )}
        </div>
      </form>
      <p role="status" class="text">
        {said}
      </p>
    </section>
  );
}
