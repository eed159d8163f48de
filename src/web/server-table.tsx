/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * The table of servers. Its last row is the average.
 *
 * Above fifteen servers the table scrolls by itself, so that the decisions below it stay near. Above two hundred, only
 * the visible rows are in the document.
 */
import { useCallback, useState } from 'preact/hooks';
import type { FleetView, ServerView, SparklinesView } from '../core/views/monitor-view.ts';
import { plural } from './format.ts';
import { useFormat, useToday } from './format-context.ts';
import { columns, numberColumn, type Column } from './server-columns.tsx';
import { FilterBar, FilterResult } from './server-filter.tsx';
import { configuredOrder, costSource, noFilter, type Filter } from './server-order.ts';
import { PlannedMaintenance } from './planned-maintenance.tsx';
import { SeveralServers, type Selection } from './several-servers.tsx';
import type { Viewing } from './use-viewer.ts';
import { CompactRow, ServerRow } from './server-row.tsx';
import { useSteadyOrder } from './use-steady-order.ts';
import { ROW_HEIGHT, useVisibleRows, VIRTUAL_ABOVE } from './use-visible-rows.ts';

interface ServerTableProps {
  readonly fleet: FleetView;
  readonly servers: readonly ServerView[];
  readonly sparklines: SparklinesView;
  readonly viewing: Viewing;
  /** Seconds since the epoch, of the session server. */
  readonly at: number;
  readonly onOpen: (id: string) => void;
  /** `false` before any script has run: then the document has all rows. */
  readonly live: boolean;
}

/** More rows than this scroll by themselves. */
const SCROLLS_ABOVE = 15;
/** Rows of the HTML as it is served; a browser that runs scripts shows all. */
const MAX_ROWS_WITHOUT_SCRIPT = 2000;

interface Sorted {
  readonly column: Column;
  readonly descending: boolean;
}

export function ServerTable({ fleet, servers, sparklines, viewing, at, onOpen, live }: ServerTableProps) {
  const selecting = useSelection(viewing);
  const [{ column, descending }, setSorted] = useState<Sorted>({ column: numberColumn, descending: false });
  const [filter, setFilter] = useState<Filter>(noFilter);
  const order = useSteadyOrder(servers, { value: column.value ?? configuredOrder, descending }, filter, at);
  const { scroller, first, last, virtual } = useVisibleRows(order.length, live);
  const filtered = filter.words.trim() !== '' || filter.state !== undefined;
  const compact = !live && servers.length > VIRTUAL_ABOVE;
  const drawn = compact ? columns.filter((column) => column.compact === true) : columns;
  const scrolls = servers.length > SCROLLS_ABOVE;
  const sortBy = (next: Column): void => {
    setSorted((before) => ({
      column: next,
      descending: before.column === next ? !before.descending : next.descendsFirst === true,
    }));
  };
  const parts = { order, servers, live, virtual };
  const rows = { first, last, target: fleet.target, sparklines, at, onOpen, ...selecting };
  return (
    <section class="card servers" id="servers" tabIndex={-1} aria-labelledby="servers-heading">
      <div class="card-head">
        <h2 id="servers-heading">
          {filtered ? `Showing ${order.length} of` : 'Managing'} {plural(servers.length, 'simulation server')}:
        </h2>
        {live && <FilterBar servers={servers} filter={filter} onFilter={setFilter} />}
        {live && viewing.viewer?.actions === 'ready' && (
          <button type="button" aria-pressed={selecting.selection !== undefined} onClick={selecting.toggle}>
            Select several
          </button>
        )}
        {live && <FilterResult filter={filter} filtered={filtered} shown={order.length} of={servers.length} />}
      </div>
      <PlannedMaintenance {...{ planned: fleet.maintenance, servers, today: at }} viewing={live ? viewing : undefined} />
      {selecting.selection !== undefined && viewing.viewer !== undefined && (
        <SeveralServers
          {...{ servers, viewing, shown: order, selection: selecting.selection, viewer: viewing.viewer }}
          onSelect={selecting.select}
        />
      )}
      <div
        class={scrolls ? 'scroll tall' : 'scroll'}
        ref={scroller}
        {...(scrolls && { tabIndex: 0, role: 'region', 'aria-label': 'Simulation servers' })}
      >
        <table class="bordered" aria-labelledby="servers-heading" {...(virtual && { 'aria-rowcount': order.length + 2 })}>
          <TableHead drawn={drawn} sorted={{ column, descending }} onSort={sortBy} live={live} virtual={virtual} />
          <tbody>
            {first > 0 && <Spacer rows={first} />}
            {compact ? <CompactRows order={order} at={at} /> : <Rows {...parts} {...rows} />}
            {live && last < order.length && <Spacer rows={order.length - last} />}
            <Remark {...parts} onShowAll={() => setFilter(noFilter)} />
          </tbody>
          <MeanRow {...parts} drawn={drawn} filtered={filtered} meanLoad={fleet.meanLoad} />
        </table>
      </div>
    </section>
  );
}

/** Which servers are selected; nothing can be selected until an operator wants to. */
function useSelection({ viewer }: Viewing) {
  const [selection, setSelection] = useState<Selection>();
  const onSelect = useCallback(
    (id: string, selected: boolean) =>
      setSelection((before) => new Set(selected ? [...(before ?? []), id] : [...(before ?? [])].filter((other) => other !== id))),
    [],
  );
  return {
    selection: viewer?.actions === 'ready' ? selection : undefined,
    select: (ids: Iterable<string>) => setSelection(new Set(ids)),
    toggle: () => setSelection((before) => (before === undefined ? new Set() : undefined)),
    onSelect,
  };
}

interface TableHeadProps {
  readonly drawn: readonly Column[];
  readonly sorted: Sorted;
  readonly onSort: (column: Column) => void;
  readonly live: boolean;
  readonly virtual: boolean;
}

function TableHead({ drawn, sorted, onSort, live, virtual }: TableHeadProps) {
  return (
    <thead>
      <tr {...(virtual && { 'aria-rowindex': 1 })}>
        {drawn.map((column) => (
          <th
            key={column.class}
            scope="col"
            class={column.class}
            {...(column.value && { 'aria-sort': ariaSort(sorted, column) })}
          >
            {live && column.value !== undefined ? (
              <button type="button" class="sort" onClick={() => onSort(column)}>
                {column.name}
              </button>
            ) : (
              column.name
            )}
          </th>
        ))}
        {live && (
          <th scope="col" class="open">
            <span class="hidden">details</span>
          </th>
        )}
      </tr>
    </thead>
  );
}

function ariaSort({ column, descending }: Sorted, of: Column): 'ascending' | 'descending' | 'none' {
  if (column !== of) return 'none';
  return descending ? 'descending' : 'ascending';
}

interface TableParts {
  /** The servers that pass the filter, sorted. */
  readonly order: readonly ServerView[];
  readonly servers: readonly ServerView[];
  readonly live: boolean;
  readonly virtual: boolean;
}

interface RowsProps extends TableParts, Pick<ServerTableProps, 'sparklines' | 'at' | 'onOpen'> {
  readonly first: number;
  readonly last: number;
  readonly target: number;
  readonly selection: Selection;
  readonly onSelect: (id: string, selected: boolean) => void;
}

function Rows({ order, servers, live, virtual, first, last, target, sparklines, at, onOpen, ...selecting }: RowsProps) {
  const today = useToday(at);
  const unlearned = costSource(servers);
  const shown = live ? order.slice(first, last) : order;
  return (
    <>
      {shown.map((server, index) => (
        <ServerRow
          key={server.id}
          server={server}
          target={target}
          sparkline={sparklines.servers[server.id]}
          uptime={sparklines.uptime[server.id]}
          selected={selecting.selection?.has(server.id)}
          onSelect={selecting.onSelect}
          unlearned={unlearned}
          today={today}
          live={live}
          rowIndex={virtual ? first + index + 2 : undefined}
          onOpen={onOpen}
        />
      ))}
    </>
  );
}

function CompactRows({ order, at }: Pick<RowsProps, 'order' | 'at'>) {
  const today = useToday(at);
  return (
    <>
      {order.slice(0, MAX_ROWS_WITHOUT_SCRIPT).map((server) => (
        <CompactRow key={server.id} server={server} today={today} />
      ))}
    </>
  );
}

/** Why the table is empty or incomplete. */
function Remark({ order, servers, live, onShowAll }: TableParts & { readonly onShowAll: () => void }) {
  if (live && servers.length > 0 && order.length === 0)
    return (
      <tr>
        <td colSpan={4} class="empty">
          No server matches the filter.{' '}
          <button type="button" onClick={onShowAll}>
            Show all
          </button>
        </td>
      </tr>
    );
  if (live || order.length <= MAX_ROWS_WITHOUT_SCRIPT) return null;
  return (
    <tr>
      <td colSpan={3} class="empty">
        and {order.length - MAX_ROWS_WITHOUT_SCRIPT} more, shown only with JavaScript enabled
      </td>
    </tr>
  );
}

/** Takes the place of rows that are not visible, so that the scroll bar is right. */
function Spacer({ rows }: { readonly rows: number }) {
  return (
    <tr class="spacer" aria-hidden="true">
      <td style={{ height: `${rows * ROW_HEIGHT}px` }}></td>
    </tr>
  );
}

interface MeanRowProps extends TableParts {
  readonly drawn: readonly Column[];
  readonly filtered: boolean;
  /** Percent; `null`: no server answers. */
  readonly meanLoad: number | null;
}

function MeanRow({ order, live, virtual, drawn, filtered, meanLoad }: MeanRowProps) {
  const format = useFormat();
  return (
    <tfoot>
      <tr {...(virtual && { 'aria-rowindex': order.length + 2 })}>
        <td class="number"></td>
        <th scope="row" class="address average">
          {filtered ? 'average of all:' : 'average:'}
        </th>
        <td class="load">
          <b>{format.load(meanLoad)}</b>
        </td>
        {/* Empty cells to the end of the row; otherwise, what scrolls below it would look like its continuation. */}
        {drawn.slice(3).map(({ class: name }) => (
          <td key={name} class={name}></td>
        ))}
        {live && <td class="open"></td>}
      </tr>
    </tfoot>
  );
}
