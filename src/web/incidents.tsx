/** @jsxRuntime automatic @jsxImportSource preact */
/** What happened to servers and is worth knowing: when it began and ended, how long it took, and who was notified. */
import { useState } from 'preact/hooks';
import type { NotificationKind } from '../core/incidents/notification-kinds.ts';
import type { ChannelView, IncidentView, NoticeView } from '../core/views/monitor-view.ts';
import { duration } from './format.ts';
import { useFormat } from './format-context.ts';

interface IncidentsProps {
  readonly incidents: readonly IncidentView[];
  /** Who is notified, as configured now. */
  readonly channels: readonly ChannelView[];
  /** Seconds since the epoch. */
  readonly now: number;
}

const words: Readonly<Record<NotificationKind, string>> = {
  down: 'stopped answering',
  recovered: 'answers again',
  full: 'reached maximum load',
  available: 'is available again',
  suspect: 'was given sessions but still looks idle',
  certificate: 'certificate expires soon',
  'class-short': 'may get too few seats',
  'class-unused': 'no student came, nor to the lesson before it',
  'store-gone': 'does not answer: no other replica can lead',
  'store-back': 'answers again',
  'replica-gone': 'sends no heartbeat',
  'replica-back': 'is back again',
  test: 'test notification',
};

const outcomes: Readonly<Record<NoticeView['outcome'], string>> = {
  sent: 'notified',
  waiting: 'not notified yet',
  failed: 'not notified yet, retrying',
};
const FIRST = 8;

export function Incidents({ incidents, channels, now }: IncidentsProps) {
  const [all, setAll] = useState(false);
  return (
    <>
      <div class="card-head">
        <h2>Incidents</h2>
      </div>
      {incidents.length === 0 && (
        <p class="muted">
          None. Servers that stop answering, are full, or look idle despite their sessions are listed here, and classes without
          enough seats.
        </p>
      )}
      <ol class="entries">
        {incidents.slice(0, all ? undefined : FIRST).map((incident) => (
          <Incident key={incident.id} incident={incident} channels={channels} now={now} />
        ))}
      </ol>
      {incidents.length > FIRST && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${incidents.length}`}
        </button>
      )}
    </>
  );
}

interface IncidentProps extends Pick<IncidentsProps, 'channels' | 'now'> {
  readonly incident: IncidentView;
}

function Incident({ incident, channels, now }: IncidentProps) {
  const format = useFormat();
  const { began, ended, kind, server, reason, notices } = incident;
  return (
    <li class={ended === null ? `entry incident-${kind} lasting` : `entry incident-${kind}`}>
      <p class="entry-head">
        <b class="text" dir="auto">
          {server}
        </b>
        <span>{words[kind]}</span>
      </p>
      {reason !== null && (
        <p class="text" dir="auto">
          {reason}
        </p>
      )}
      <p class="muted">
        <time dateTime={new Date(began * 1000).toISOString()}>{format.moment(began, now)}</time>
        {ended === null && (
          <>
            {' – '}
            <b class="lasts">ongoing for {duration(now - began)}</b>
          </>
        )}
        {ended !== null && ended > began && ` – ${format.moment(ended, now)}, lasted ${duration(ended - began)}`}
        {' · '}
        <span class="text">{noticesInWords(notices, channels)}</span>
      </p>
    </li>
  );
}

/** By recipient rather than by channel: `admin@example.org notified`. */
function noticesInWords(notices: readonly NoticeView[], channels: readonly ChannelView[]): string {
  if (notices.length === 0) return channels.length === 0 ? 'no channel configured' : 'no notification sent';
  return notices
    .map(({ notifier, outcome }) => {
      const channel = channels.find((channel) => channel.notifier === notifier);
      return `${channel?.recipient ?? notifier} ${outcomes[outcome]}`;
    })
    .join(', ');
}
