/** @jsxRuntime automatic @jsxImportSource preact */
/** A row of the table of servers. */
import { useMemo } from 'preact/hooks';
import type { ServerView } from '../core/views/monitor-view.ts';
import { safeLink } from './format.ts';
import { useFormat } from './format-context.ts';
import { columns, DrainEnd, type CellContext, type Column } from './server-columns.tsx';

interface RowProps extends Omit<CellContext, 'format'> {
  readonly server: ServerView;
  readonly rowIndex: number | undefined;
  readonly onOpen: (id: string) => void;
}

/** Drawn again only when something in it has changed: there may be hundreds, and an update every second. */
export function ServerRow({ server, rowIndex, onOpen, ...shown }: RowProps) {
  const { target, sparkline, uptime, unlearned, today, live, selected, onSelect } = shown;
  const format = useFormat();
  return useMemo(() => {
    const context = { format, ...shown };
    return (
      <tr
        class={`row-${server.state}`}
        {...(rowIndex !== undefined && { 'aria-rowindex': rowIndex })}
        {...(live && { onClick: (event: MouseEvent) => isOnControl(event) || onOpen(server.id) })}
      >
        {columns.map((column) => cellOf(column, server, context))}
        {live && (
          <td class="open">
            <button type="button" class="open-button" aria-haspopup="dialog" onClick={() => onOpen(server.id)}>
              <span class="hidden">Details of {server.address}</span>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d="M6 3l5 5-5 5" />
              </svg>
            </button>
          </td>
        )}
      </tr>
    );
  }, [server, target, sparkline, uptime, unlearned, today, live, rowIndex, format, selected, onSelect]);
}

/** The address is the header of its row. */
function cellOf({ class: name, classOf, cell }: Column, server: ServerView, context: CellContext) {
  const content = cell(server, context);
  return name === 'address' ? (
    <th key={name} scope="row" class={name}>
      {content}
    </th>
  ) : (
    <td key={name} class={classOf?.(server, context) ?? name}>
      {content}
    </td>
  );
}

/**
 * A row of a large fleet before any script has run: the facts without graphics, because the session server draws a
 * thousand of them at once.
 */
export function CompactRow({ server, today }: Pick<RowProps, 'server' | 'today'>) {
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

/** A click on a link or a button does what that control does, and selecting text is not a click. */
function isOnControl({ target }: MouseEvent): boolean {
  if (target instanceof Element && target.closest('a, button, input') !== null) return true;
  return getSelection()?.isCollapsed === false;
}
