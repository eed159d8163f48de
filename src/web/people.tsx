/** @jsxRuntime automatic @jsxImportSource preact */
/** The waiting line, and the sessions that run. Long lists show their first entries and say how many there are. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ServerView } from '../core/views/monitor-view.ts';
import type { SessionView, WaitingClientView } from '../core/views/session-views.ts';
import { askSessions, askWaiting, endSession, moveSession, removeWaiting } from './api-people.ts';
import { duration } from './format.ts';
import { useFormat } from './format-context.ts';
import { ConfirmedButton, useResults, type Acting } from './confirmed-button.tsx';
import { allSessionsInWords } from './session-words.ts';
import { usePolled } from './use-polled.ts';
import { panelHref } from './use-opened-server.ts';
import type { Viewing } from './use-viewer.ts';

const FIRST = 8;
const ALL = 100;

interface WaitingPeopleProps {
  /** How many wait. */
  readonly length: number;
  readonly viewing: Viewing;
}

export function WaitingPeople({ length, viewing }: WaitingPeopleProps) {
  const [max, setMax] = useState(FIRST);
  const { value, refusal, refresh } = usePolled((signal) => askWaiting(max, signal), length === 0 ? undefined : String(max));
  const results = useResults(viewing, refresh);
  const clients = length === 0 ? [] : (value?.clients ?? []);
  return (
    <section class="card people" aria-label="Queue">
      <ListHead name="Queue" count={length} />
      {length === 0 && (
        <p class="muted">No client waits. When no server has room, clients that ask for a session are listed here.</p>
      )}
      <ol class="entries">
        {clients.map((client) => (
          <WaitingPerson key={client.id} client={client} now={value?.at ?? 0} acting={results} />
        ))}
      </ol>
      <ListFoot {...{ max, setMax, results }} total={length} shown={clients.length} refusal={refusal?.reason} />
    </section>
  );
}

interface WaitingPersonProps {
  readonly client: WaitingClientView;
  readonly now: number;
  readonly acting: Acting;
}

function WaitingPerson({ client, now, acting }: WaitingPersonProps) {
  const { id, position, ofClass, since, project, reason } = client;
  const { viewer, act } = acting;
  return (
    <li class="entry">
      <p class="entry-head">
        <b>
          {ofClass ? 'class, ' : ''}number {position}
        </b>
        <span>waits for {duration(now - since)}</span>
        {viewer !== undefined && (
          <ConfirmedButton
            name="Remove"
            of={`number ${position}`}
            question="Remove this request from the queue? Its client is notified and can ask again."
            onConfirmed={() => act(removeWaiting(id, viewer), () => 'Removed from the queue.')}
          />
        )}
      </p>
      <Project project={project} />
      <p class="text" dir="auto">
        {reason}
      </p>
    </li>
  );
}

interface SessionsProps {
  readonly servers: readonly ServerView[];
  /** Only the sessions of this one, which is in the list of servers. */
  readonly server?: string;
  readonly viewing: Viewing;
}

export function Sessions({ servers, server, viewing }: SessionsProps) {
  const [max, setMax] = useState(FIRST);
  const { value, refusal, refresh } = usePolled((signal) => askSessions(max, server, signal), `${server ?? ''} ${max}`);
  const results = useResults(viewing, refresh);
  const { sessions = [], total = 0, at = 0 } = value ?? {};
  const words = allSessionsInWords(servers);
  return (
    <section class="card people" aria-label="Sessions">
      <ListHead name="Sessions" count={servers.reduce((sum, { sessions: { count } }) => sum + count, 0)} />
      <p class="muted">
        {words === ''
          ? server === undefined
            ? 'No session runs. A browser that opens the address of the session server can start one.'
            : 'No session runs.'
          : words}
      </p>
      <ol class="entries">
        {sessions.map((session) => (
          <Session key={session.id} {...{ session, now: at, acting: results, named: server === undefined }} />
        ))}
      </ol>
      <ListFoot {...{ max, setMax, total, results }} shown={sessions.length} refusal={refusal?.reason} />
    </section>
  );
}

interface SessionProps {
  readonly session: SessionView;
  readonly now: number;
  readonly acting: Acting;
  /** The server is named. */
  readonly named: boolean;
}

function Session({ session, now, acting, named }: SessionProps) {
  const { serverId, server, state, since, project, basis } = session;
  const age = duration(now - since);
  return (
    <li class="entry">
      <p class="entry-head">
        {named && (
          <a class="text" href={panelHref(serverId)}>
            {server}
          </a>
        )}
        <span>{state === 'running' && basis === 'counted' ? `runs for ${age}` : `handed out ${age} ago`}</span>
        <SessionButtons session={session} {...acting} />
      </p>
      <Project project={project} />
    </li>
  );
}

const RELEASED = 'Its place is free. A client that came directly stays connected to its server.';
const MOVED = 'Its client was disconnected. When it asks again, it gets a server with room.';

function SessionButtons({ session: { id, server, closable }, viewer, act }: Acting & { readonly session: SessionView }) {
  if (viewer === undefined) return null;
  if (!closable)
    return (
      <ConfirmedButton
        name="Release"
        of={`a place on ${server}`}
        question={`Release this place on ${server}? The session server then expects no session there. It cannot end one that runs.`}
        onConfirmed={() => act(endSession(id, viewer), () => RELEASED)}
      />
    );
  return (
    <>
      <ConfirmedButton
        name="Move"
        of={`a session on ${server}`}
        question={`Move this session away from ${server}? Its simulation starts from the beginning on another server. If it runs already, its user has to start it again.`}
        onConfirmed={() =>
          act(moveSession(id, viewer), ({ done }) => (done === 'closed' ? MOVED : 'Its client gets another server now.'))
        }
      />
      <ConfirmedButton
        name="End"
        of={`a session on ${server}`}
        question={`End this session on ${server}? Its user is disconnected, and unsaved work is lost.`}
        onConfirmed={() => act(endSession(id, viewer), ({ done }) => (done === 'closed' ? 'The session was ended.' : RELEASED))}
      />
    </>
  );
}

function Project({ project }: { readonly project: string | null }) {
  return (
    <p class="project text" dir="auto">
      {project ?? 'no project named'}
    </p>
  );
}

function ListHead({ name, count }: { readonly name: string; readonly count: number }): ComponentChildren {
  const format = useFormat();
  return (
    <div class="card-head">
      <h2>
        {name} <span class="muted">{format.count(count)}</span>
      </h2>
    </div>
  );
}

interface ListFootProps {
  readonly max: number;
  readonly setMax: (max: number) => void;
  readonly total: number;
  readonly shown: number;
  readonly refusal: string | undefined;
  readonly results: { readonly said: string };
}

function ListFoot({ max, setMax, total, shown, refusal, results: { said } }: ListFootProps) {
  const more = total - shown;
  return (
    <>
      {total > FIRST && (
        <button type="button" class="more" onClick={() => setMax(max === FIRST ? ALL : FIRST)}>
          {max === FIRST ? `Show ${Math.min(total, ALL)}` : 'Show fewer'}
        </button>
      )}
      {more > 0 && shown > 0 && <p class="muted">and {more} more</p>}
      {refusal !== undefined && <p role="alert">{refusal}</p>}
      <p role="status" class="text said">
        {said === '' ? null : said}
      </p>
    </>
  );
}
