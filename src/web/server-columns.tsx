/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * The columns of the table of servers: to add one, add an entry here and a width in the style sheet. The first three
 * are those of the original's page: number, address with a link to the server's own monitor, load.
 */
import { Fragment, type ComponentChildren } from 'preact';
import type { ServerUptimeView, ServerView } from '../core/views/monitor-view.ts';
import { safeLink, type Format } from './format.ts';
import { useFormat } from './format-context.ts';
import { LoadBar } from './load-bar.tsx';
import { configuredOrder, type SortValue } from './server-order.ts';
import { sessionsLeft } from './session-words.ts';
import { Sparkline } from './sparkline.tsx';
import { isWithoutRoom } from './health.ts';
import { panelHref } from './use-opened-server.ts';
import { StateMark, stateOrder } from './state-mark.tsx';

export interface CellContext {
  readonly format: Format;
  /** Percent. */
  readonly target: number;
  readonly sparkline: string | undefined;
  /** Of the last 24 hours; `undefined`: not known yet. */
  readonly uptime: ServerUptimeView | undefined;
  /** `undefined`: servers cannot be selected now. */
  readonly selected: boolean | undefined;
  readonly onSelect: (id: string, selected: boolean) => void;
  /** Shown below the cost of a session on a server that has not taught anything yet. */
  readonly unlearned: string;
  /** A time of the present day, in seconds since the epoch. */
  readonly today: number;
  /** Scripts run. */
  readonly live: boolean;
}

export interface Column {
  readonly name: string;
  /** Of its cells; unique. */
  readonly class: string;
  readonly classOf?: (server: ServerView, context: CellContext) => string;
  readonly cell: (server: ServerView, context: CellContext) => ComponentChildren;
  /** What rows are sorted by; absent: the column cannot be sorted. */
  readonly value?: SortValue;
  /** The first click on its heading sorts from the largest. */
  readonly descendsFirst?: boolean;
  /** The column is part of compact rows, too. */
  readonly compact?: boolean;
}

export const numberColumn: Column = {
  name: '#',
  class: 'number',
  value: configuredOrder,
  cell: ({ number }) => number,
  compact: true,
};

export const columns: readonly Column[] = [
  numberColumn,
  {
    name: 'simulation server',
    class: 'address',
    value: ({ address }) => address,
    cell: (server, { live, selected, onSelect }) => <Address {...{ server, live, selected, onSelect }} />,
    compact: true,
  },
  {
    name: 'load',
    class: 'load',
    value: ({ load }) => load,
    descendsFirst: true,
    classOf: ({ load }, { target }) => (load !== null && load >= target ? 'load high' : 'load'),
    cell: ({ load, booked, classSeats }, { format, target }) => (
      <>
        {format.load(load)}
        <LoadBar load={load} booked={booked} target={target} classSeats={classSeats} />
      </>
    ),
    compact: true,
  },
  {
    name: 'state',
    class: 'state-cell',
    value: ({ state }) => stateOrder.indexOf(state),
    descendsFirst: true,
    cell: (server, { today }) => <State server={server} today={today} />,
    compact: true,
  },
  {
    name: 'predicted',
    class: 'predicted',
    value: ({ predicted }) => predicted,
    descendsFirst: true,
    cell: ({ predicted, booked }, { format }) =>
      twoLines(format.load(predicted), booked > 0 ? `${format.points(booked)} booked` : ''),
  },
  {
    name: 'session cost',
    class: 'cost',
    value: ({ cost }) => cost,
    descendsFirst: true,
    cell: ({ cost, costUncertainty }, { format, unlearned }) =>
      twoLines(format.points(cost), costUncertainty === null ? unlearned : `± ${format.points(costUncertainty)}`),
  },
  {
    name: 'handed out',
    class: 'hand-outs-cell',
    value: ({ handOutsLastHour }) => handOutsLastHour,
    descendsFirst: true,
    cell: ({ handOutsLastHour, handOuts }, { format }) =>
      twoLines(format.count(handOutsLastHour), `${format.count(handOuts)} total`),
  },
  {
    name: 'last answer',
    class: 'answer',
    value: ({ lastAnswerAt }) => lastAnswerAt,
    cell: ({ lastAnswerAt, latency, load }, { format, today }) =>
      twoLines(
        lastAnswerAt === null ? 'never' : format.moment(lastAnswerAt, today),
        latency === null || load === null ? '' : `in ${format.milliseconds(latency)}`,
      ),
  },
  {
    name: 'last hour',
    class: 'spark',
    cell: (_, { sparkline, uptime, format }) => (
      <>
        <Sparkline text={sparkline} />
        {typeof uptime?.day.share === 'number' && (
          <span class="second" title="Share of the last 24 hours in which it answered, as far as observed">
            up {format.uptime(uptime.day.share)}
          </span>
        )}
      </>
    ),
  },
];

function twoLines(first: string, second: string): ComponentChildren {
  return (
    <>
      {first}
      <span class="second">{second}</span>
    </>
  );
}

interface AddressProps extends Pick<CellContext, 'live' | 'selected' | 'onSelect'> {
  readonly server: ServerView;
}

/** Opens the panel. Before any script has run, the link opens the page of the server itself, as in the original. */
function Address({ server: { id, address, monitorUrl, labels }, live, selected, onSelect }: AddressProps) {
  const pairs = Object.entries(labels);
  return (
    <>
      {live ? (
        <span class="address-line">
          {selected !== undefined && (
            <input
              type="checkbox"
              aria-label={`Select ${address}`}
              checked={selected}
              onChange={(event) => onSelect(id, event.currentTarget.checked)}
            />
          )}
          <a href={panelHref(id)} dir="auto" title={address}>
            <Breakable text={address} />
          </a>
          <OwnPage monitorUrl={monitorUrl} />
        </span>
      ) : (
        <a {...safeLink(monitorUrl)} rel="noopener noreferrer" dir="auto" title={address}>
          {address}
        </a>
      )}
      {pairs.length > 0 && (
        <span class="second" dir="auto">
          {pairs.map(([name, value]) => `${name} ${value}`).join(', ')}
        </span>
      )}
    </>
  );
}

function OwnPage({ monitorUrl }: Pick<ServerView, 'monitorUrl'>) {
  return (
    <a class="own-page" {...safeLink(monitorUrl)} target="_blank" rel="noopener noreferrer" title="Its own page, in a new tab">
      <span class="hidden">Its own page, in a new tab</span>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M6 3H3v10h10v-3M9 3h4v4M13 3 7 9" />
      </svg>
    </a>
  );
}

/** An address that is too long for its line breaks between its parts. */
function Breakable({ text }: { readonly text: string }) {
  return text.split(/(?<=\.)|(?=[:/])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

interface StateProps {
  readonly server: ServerView;
  readonly today: number;
}

function State({ server, today }: StateProps) {
  const left = sessionsLeft(server);
  return (
    <>
      <StateMark state={server.state} suspect={server.suspectSince !== null} isWithoutRoom={isWithoutRoom(server)} />{' '}
      <DrainEnd server={server} today={today} />
      <span class="second" dir="auto" title={server.reason}>
        {left !== undefined && <b>{left}. </b>}
        {server.reason}
      </span>
    </>
  );
}

/** When a drain ends by itself, in the reader's zone. */
export function DrainEnd({ server: { state, drain }, today }: StateProps) {
  const format = useFormat();
  if (typeof drain?.until !== 'number') return null;
  return (
    <span class="drain-end">
      {state === 'draining' ? 'until' : 'drained until'} {format.moment(drain.until, today)}
    </span>
  );
}
