/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * The table of servers. Its first columns are those of the original's page: number, address linked to the server's own monitor, load; its last row is
 * the average.
 *
 * Above fifteen servers the table scrolls by itself, so that the decisions below it stay near; above 200 only the rows in sight are in the document. The order follows the loads every few seconds rather than at every tick, because a row
 * that jumps away under the pointer helps nobody.
 */
import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ServerState } from '../core/fleet/fleet.ts';
import type { FleetView, ServerView } from '../core/views/monitor-view.ts';
import { plural, safeLink } from './format.ts';
import { useFormat, useToday } from './format-context.ts';
import { LoadBar } from './load-bar.tsx';
import { costSource, filterServers, noFilter, orderServers, type Filter, type SortKey, type Sorting } from './server-order.ts';
import { Sparkline } from './sparkline.tsx';
import { countStates, StateMark } from './state-mark.tsx';

interface ServerTableProps {
  readonly fleet: FleetView;
  readonly servers: readonly ServerView[];
  readonly sparklines: Readonly<Record<string, string>>;
  /** Seconds since the epoch, of the session server. */
  readonly at: number;
  readonly onOpen: (id: string) => void;
  /** `false` before any script has run: all rows are there then. */
  readonly live: boolean;
}

/** More rows than this are drawn only while they are in sight. */
export const virtualAbove = 200;
/** More rows than this scroll by themselves. */
const scrollsAbove = 15;
/** Pixels; the style sheet says the same. */
const ROW_HEIGHT = 60;
const SPARE_ROWS = 8;
/** Seconds between two new orders. */
const REORDER = 5;
/** Rows of the HTML as it is served; a browser that runs scripts shows all. */
const MAX_ROWS_WITHOUT_SCRIPT = 2000;

const columns: readonly {
  readonly key: SortKey;
  readonly name: string;
  readonly class: string;
  readonly descendsFirst?: boolean;
  /** In every row, however cheap it is drawn. */
  readonly bare?: boolean;
}[] = [
  { key: 'number', name: '#', class: 'number', bare: true },
  { key: 'address', name: 'simulation server', class: 'address', bare: true },
  { key: 'load', name: 'load', class: 'load', descendsFirst: true, bare: true },
  { key: 'state', name: 'state', class: 'state-cell', bare: true },
  { key: 'predicted', name: 'predicted', class: 'predicted', descendsFirst: true },
  { key: 'cost', name: 'session cost', class: 'cost', descendsFirst: true },
  { key: 'handOuts', name: 'handed out', class: 'hand-outs-cell', descendsFirst: true },
  { key: 'lastAnswer', name: 'last answer', class: 'answer' },
];

export function ServerTable({ fleet, servers, sparklines, at, onOpen, live }: ServerTableProps) {
  const format = useFormat();
  const today = useToday(at);
  const [sorting, setSorting] = useState<Sorting>({ key: 'number', descending: false });
  const [filter, setFilter] = useState<Filter>(noFilter);
  const order = useSteadyOrder(servers, sorting, filter, at);
  const { scroller, first, last, virtual } = useVisibleRows(order.length, live);
  const filtered = filter.words.trim() !== '' || filter.state !== undefined;
  const bare = !live && servers.length > virtualAbove;
  const drawn = columns.filter(({ bare: kept = false }) => kept || !bare);
  const unlearned = costSource(servers);
  const shown = live ? order.slice(first, last) : order.slice(0, MAX_ROWS_WITHOUT_SCRIPT);
  const sortBy = (key: SortKey, descendsFirst: boolean): void => {
    setSorting((before) => ({ key, descending: before.key === key ? !before.descending : descendsFirst }));
  };
  return (
    <section class="card servers" id="servers" tabIndex={-1} aria-labelledby="servers-heading">
      <div class="card-head">
        <h2 id="servers-heading">
          {filtered ? `Showing ${order.length} of` : 'Managing'} {plural(servers.length, 'simulation server')}:
        </h2>
        {live && <FilterBar servers={servers} filter={filter} onFilter={setFilter} />}
        {live && <FilterResult filter={filter} filtered={filtered} shown={order.length} of={servers.length} />}
      </div>
      <div
        class={servers.length > scrollsAbove ? 'scroll tall' : 'scroll'}
        ref={scroller}
        {...(servers.length > scrollsAbove && { tabIndex: 0, role: 'region', 'aria-label': 'Simulation servers' })}
      >
        <table class="bordered" aria-labelledby="servers-heading" {...(virtual && { 'aria-rowcount': order.length + 2 })}>
          <thead>
            <tr {...(virtual && { 'aria-rowindex': 1 })}>
              {drawn.map(({ key, name, class: column, descendsFirst = false }) => (
                <th key={key} scope="col" class={column} aria-sort={ariaSort(sorting, key)}>
                  {live ? (
                    <button type="button" class="sort" onClick={() => sortBy(key, descendsFirst)}>
                      {name}
                    </button>
                  ) : (
                    name
                  )}
                </th>
              ))}
              {!bare && (
                <th scope="col" class="spark">
                  last hour
                </th>
              )}
              {live && (
                <th scope="col" class="open">
                  <span class="hidden">details</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {first > 0 && <Spacer rows={first} />}
            {bare && shown.map((server) => <BareRow key={server.id} server={server} today={today} />)}
            {!bare &&
              shown.map((server, index) => (
                <Row
                  key={server.id}
                  server={server}
                  target={fleet.target}
                  sparkline={sparklines[server.id]}
                  unlearned={unlearned}
                  today={today}
                  live={live}
                  rowIndex={virtual ? first + index + 2 : undefined}
                  onOpen={onOpen}
                />
              ))}
            {live && last < order.length && <Spacer rows={order.length - last} />}
            {live && servers.length > 0 && order.length === 0 && (
              <tr>
                <td colSpan={4} class="empty">
                  No server fits the filter.{' '}
                  <button type="button" onClick={() => setFilter(noFilter)}>
                    Show all
                  </button>
                </td>
              </tr>
            )}
            {!live && order.length > MAX_ROWS_WITHOUT_SCRIPT && (
              <tr>
                <td colSpan={3} class="empty">
                  and {order.length - MAX_ROWS_WITHOUT_SCRIPT} more, which a browser that runs scripts shows
                </td>
              </tr>
            )}
          </tbody>
          <tfoot>
            <tr {...(virtual && { 'aria-rowindex': order.length + 2 })}>
              <td class="number"></td>
              <th scope="row" class="address average">
                {filtered ? 'average of all:' : 'average:'}
              </th>
              <td class="load">
                <b>{format.load(fleet.meanLoad)}</b>
              </td>
              {/* To the end of the row, or what scrolls below it would read as its continuation. */}
              {drawn.slice(3).map(({ key, class: column }) => (
                <td key={key} class={column}></td>
              ))}
              {!bare && <td class="spark"></td>}
              {live && <td class="open"></td>}
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  readonly server: ServerView;
  readonly target: number;
  readonly sparkline: string | undefined;
  /** What stands below the cost of a session where none was learned. */
  readonly unlearned: string;
  /** A time of the present day. Seconds since the epoch. */
  readonly today: number;
  readonly live: boolean;
  readonly rowIndex: number | undefined;
  readonly onOpen: (id: string) => void;
}

function Row({ server, target, sparkline, unlearned, today, live, rowIndex, onOpen }: RowProps) {
  const format = useFormat();
  return useMemo(() => {
    const { id, address, booked, cost, costUncertainty, lastAnswerAt, latency } = server;
    const labels = Object.entries(server.labels);
    return (
      <tr
        class={`row-${server.state}`}
        {...(rowIndex !== undefined && { 'aria-rowindex': rowIndex })}
        {...(live && { onClick: (event: MouseEvent) => isOnControl(event) || onOpen(id) })}
      >
        <td class="number">{server.number}</td>
        <th scope="row" class="address">
          <a {...safeLink(server.monitorUrl)} rel="noopener noreferrer" dir="auto" title={address}>
            {live ? <Breakable text={address} /> : address}
          </a>
          {labels.length > 0 && (
            <span class="second" dir="auto">
              {labels.map(([name, value]) => `${name} ${value}`).join(', ')}
            </span>
          )}
        </th>
        <td class={isHigh(server, target) ? 'load high' : 'load'}>
          {format.load(server.load)}
          <LoadBar load={server.load} booked={booked} target={target} />
        </td>
        <td class="state-cell">
          <StateMark state={server.state} suspect={server.suspectSince !== null} /> <DrainEnd server={server} today={today} />
          <span class="second" dir="auto" title={server.reason}>
            {server.reason}
          </span>
        </td>
        <td class="predicted">
          {format.load(server.predicted)}
          <span class="second">{booked > 0 ? `${format.points(booked)} booked` : ''}</span>
        </td>
        <td class="cost">
          {format.points(cost)}
          <span class="second">{costUncertainty === null ? unlearned : `± ${format.points(costUncertainty)}`}</span>
        </td>
        <td class="hand-outs-cell">
          {format.count(server.handOutsLastHour)}
          <span class="second">{format.count(server.handOuts)} in all</span>
        </td>
        <td class="answer">
          {lastAnswerAt === null ? 'never' : format.moment(lastAnswerAt, today)}
          <span class="second">{latency === null || server.load === null ? '' : `in ${format.milliseconds(latency)}`}</span>
        </td>
        <td class="spark">
          <Sparkline text={sparkline} />
        </td>
        {live && (
          <td class="open">
            <button type="button" class="open-button" aria-haspopup="dialog" onClick={() => onOpen(id)}>
              <span class="hidden">Details of {address}</span>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d="M6 3l5 5-5 5" />
              </svg>
            </button>
          </td>
        )}
      </tr>
    );
  }, [server, target, sparkline, unlearned, today, live, rowIndex, format]);
}

/** An address that is too long for its line breaks where its parts do. */
function Breakable({ text }: { readonly text: string }) {
  return text.split(/(?<=\.)|(?=[:/])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** When a drain ends by itself, in the reader's zone. */
function DrainEnd({ server: { state, drain }, today }: Pick<RowProps, 'server' | 'today'>) {
  const format = useFormat();
  if (typeof drain?.until !== 'number') return null;
  return (
    <span class="drain-end">
      {state === 'draining' ? 'until' : 'drained until'} {format.moment(drain.until, today)}
    </span>
  );
}

/** A row of a large fleet before any script has run: the facts, cheap to draw, because the session server draws a thousand of them at once. */
function BareRow({ server, today }: Pick<RowProps, 'server' | 'today'>) {
  const format = useFormat();
  return (
    <tr>
      <td class="number">{server.number}</td>
      <th scope="row" class="address">
        <a {...safeLink(server.monitorUrl)} rel="noopener noreferrer">
          {server.address}
        </a>
      </th>
      <td class="load">{format.load(server.load)}</td>
      <td class="state-cell">
        {server.state} <DrainEnd server={server} today={today} />: {server.reason}
      </td>
    </tr>
  );
}

interface FilterBarProps {
  readonly servers: readonly ServerView[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

function FilterBar({ servers, filter, onFilter }: FilterBarProps) {
  const counts = [...countStates(servers)].filter(([state, count]) => count > 0 || filter.state === state);
  const toggle = (state: ServerState) => onFilter({ ...filter, state: filter.state === state ? undefined : state });
  return (
    <div class="filter">
      <div class="states" role="group" aria-label="Show only">
        {counts.map(([state, count]) => (
          <button key={state} type="button" aria-pressed={filter.state === state} onClick={() => toggle(state)}>
            <StateMark state={state} /> {count}
          </button>
        ))}
      </div>
      <input
        type="search"
        aria-label="Filter by name, state, reason or label"
        placeholder="Filter"
        autocomplete="off"
        spellcheck={false}
        value={filter.words}
        onInput={(event) => onFilter({ ...filter, words: event.currentTarget.value })}
      />
    </div>
  );
}

interface FilterResultProps {
  readonly filter: Filter;
  readonly filtered: boolean;
  readonly shown: number;
  readonly of: number;
}

/** Says to screen readers what a new filter found, and nothing of what changes while it stays. */
function FilterResult({ filter, filtered, shown, of }: FilterResultProps) {
  const [said, setSaid] = useState('');
  useEffect(() => setSaid(filtered ? `${shown} of ${plural(of, 'server')} shown` : ''), [filter]);
  return (
    <p class="hidden" role="status">
      {said === '' ? null : said}
    </p>
  );
}

/** Stands in for rows that are out of sight. */
function Spacer({ rows }: { readonly rows: number }) {
  return (
    <tr class="spacer" aria-hidden="true">
      <td style={{ height: `${rows * ROW_HEIGHT}px` }}></td>
    </tr>
  );
}

/** The servers to show. Values are always the newest, the order is a few seconds old at most. */
function useSteadyOrder(servers: readonly ServerView[], sorting: Sorting, filter: Filter, at: number): readonly ServerView[] {
  const moment = Math.floor(at / REORDER);
  const membership = useMembership(servers);
  const ids = useMemo(
    () => orderServers(filterServers(servers, filter), sorting).map(({ id }) => id),
    [membership, sorting, filter, moment],
  );
  return useMemo(() => {
    const present = new Map(servers.map((server) => [server.id, server]));
    return ids.map((id) => present.get(id)).filter((server) => server !== undefined);
  }, [servers, ids]);
}

/** Differs when a server has come, gone, or taken the place of another. */
function useMembership(servers: readonly ServerView[]): readonly ServerView[] {
  const known = useRef(servers);
  const before = known.current;
  if (servers.length !== before.length || servers.some(({ id }, index) => id !== before[index]?.id)) known.current = servers;
  return known.current;
}

/** Which rows are in sight: all of them, or those around the scroll position. */
function useVisibleRows(count: number, live: boolean) {
  const scroller = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 800 });
  const virtual = live && count > virtualAbove;
  useEffect(() => {
    const element = scroller.current;
    if (element === null || !virtual) return undefined;
    let frame: number | undefined;
    const look = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setSight({ top: element.scrollTop, height: element.clientHeight });
      });
    };
    const resize = new ResizeObserver(look);
    resize.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      if (frame !== undefined) cancelAnimationFrame(frame);
      resize.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [virtual]);
  if (!virtual) return { scroller, first: 0, last: count, virtual };
  const first = Math.max(0, Math.min(count, Math.floor(sight.top / ROW_HEIGHT)) - SPARE_ROWS);
  const last = Math.min(count, first + Math.ceil(sight.height / ROW_HEIGHT) + 2 * SPARE_ROWS);
  return { scroller, first, last, virtual };
}

function ariaSort(sorting: Sorting, key: SortKey): 'ascending' | 'descending' | 'none' {
  if (sorting.key !== key) return 'none';
  return sorting.descending ? 'descending' : 'ascending';
}

function isHigh({ load }: ServerView, target: number): boolean {
  return load !== null && load >= target;
}

/** A click on a link or a button is for that, and marking text is no click. */
function isOnControl({ target }: MouseEvent): boolean {
  if (target instanceof Element && target.closest('a, button') !== null) return true;
  return getSelection()?.isCollapsed === false;
}
