/** @jsxRuntime automatic @jsxImportSource preact */
/** The facts about one server in its panel. */
import type { DrainView, MonitorSnapshot, ServerUptimeView, ServerView, UptimeView } from '../core/views/monitor-view.ts';
import { duration, plural, safeLink, type Format } from './format.ts';
import { useFormat } from './format-context.ts';
import { LoadBar, seatsInWords } from './load-bar.tsx';
import { concerns, plannedInWords } from './planned-maintenance.tsx';
import { costSource } from './server-order.ts';
import { sessionsInWords, sessionsLeft } from './session-words.ts';

interface FactsProps {
  readonly server: ServerView;
  readonly snapshot: MonitorSnapshot;
  /** Absent: not known yet. */
  readonly uptime: ServerUptimeView | undefined;
}

export function Facts({ server, snapshot, uptime }: FactsProps) {
  const format = useFormat();
  const { target } = snapshot.fleet;
  const facts = [...factsOf(server, snapshot, format), ...uptimeFacts(uptime, format), ...Object.entries(server.labels)];
  return (
    <section class="card" aria-label="Facts">
      <LoadBar load={server.load} booked={server.booked} target={target} classSeats={server.classSeats} />
      <p class="load-legend muted" aria-hidden="true">
        <span class="reported">reported</span> <span class="booked">booked</span>{' '}
        {(server.classSeats?.held ?? 0) > 0 && <span class="held">held for classes </span>}
        <span class="target">limit {format.limit(target)}</span>
      </p>
      <dl class="facts">
        {facts.map(([name, value], index) => (
          <div key={index}>
            <dt class="text">{name}</dt>
            <dd class="text" dir="auto">
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <p>
        <a {...safeLink(server.monitorUrl)} rel="noopener noreferrer">
          The server's own monitor
        </a>
      </p>
    </section>
  );
}

type Fact = readonly [name: string, value: string];

function factsOf(server: ServerView, { at, servers, fleet }: MonitorSnapshot, format: Format): readonly Fact[] {
  const { load, lastLoad, suspectSince, drain } = server;
  const moment = (time: number) => format.moment(time, at);
  return [
    ['reported load', load === null && lastLoad !== null ? `N/A, last ${format.load(lastLoad)}` : format.load(load)],
    ['predicted load', `${format.load(server.predicted)}, ${format.points(server.booked)} points booked`],
    ['places left', format.count(server.places)],
    ['sessions', sessionsLeft(server) ?? sessionsInWords(server.sessions)],
    ...(server.classSeats === null ? [] : [['classes', seatsInWords(server.classSeats)] as const]),
    ['session cost', costInWords(server, costSource(servers), format)],
    ['handed out', `${format.count(server.handOutsLastHour)} in the last hour, ${format.count(server.handOuts)} total`],
    ['last answer', lastAnswerInWords(server, moment, format)],
    ...when(server.failures > 0, ['failed probes', `${plural(server.failures, 'probe')} in a row`]),
    ...when(suspectSince !== null, ['suspect since', moment(suspectSince ?? 0)]),
    ...(drain === null ? [] : drainFacts(drain, moment)),
    ...fleet.maintenance
      .filter((planned) => concerns(planned, server))
      .map((planned): Fact => ['planned', plannedInWords(planned, servers, at, format)]),
    ...when(server.weight !== 1, ['weight', format.points(server.weight)]),
    ...when(server.maxSessions !== null, ['maximum sessions', format.count(server.maxSessions ?? 0)]),
    ...when(server.allowedRepositories !== null, ['only projects from', server.allowedRepositories?.join(', ') ?? '']),
  ];
}

function uptimeFacts(uptime: ServerUptimeView | undefined, format: Format): readonly Fact[] {
  if (uptime === undefined) return [];
  return [
    ['uptime, 24 hours', uptimeInWords(uptime.day, DAY, format)],
    ['uptime, 30 days', uptimeInWords(uptime.month, 30 * DAY, format)],
  ];
}

const DAY = 86_400;

/** What was not observed is said, because it counts neither as up nor as down. */
function uptimeInWords({ share, observed }: UptimeView, span: number, format: Format): string {
  if (share === null) return 'not observed';
  const part = observed < 0.99 * span ? ` of ${duration(observed)} observed` : '';
  return `${format.uptime(share)}${part}`;
}

function when(condition: boolean, fact: Fact): readonly Fact[] {
  return condition ? [fact] : [];
}

function costInWords({ cost, costUncertainty }: ServerView, source: string, format: Format): string {
  return `${format.points(cost)} points${costUncertainty === null ? `, ${source}` : ` ± ${format.points(costUncertainty)}`}`;
}

function lastAnswerInWords({ lastAnswerAt, latency }: ServerView, moment: (time: number) => string, format: Format): string {
  if (lastAnswerAt === null) return 'never';
  return `${moment(lastAnswerAt)}${latency === null ? '' : ` in ${format.milliseconds(latency)}`}`;
}

function drainFacts({ by, since, until, reason }: DrainView, moment: (time: number) => string): readonly Fact[] {
  const end = until === null ? 'until resumed' : `until ${moment(until)}`;
  return [['drained', `by ${by} at ${moment(since)}, ${end}`], ...when(reason !== null, ['reason', reason ?? ''])];
}
