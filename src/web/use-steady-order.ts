/**
 * The order of the table's rows. It follows the loads every few seconds instead of at every update, because a row that
 * jumps away from under the pointer helps no reader.
 */
import { useMemo, useRef } from 'preact/hooks';
import type { ServerView } from '../core/views/monitor-view.ts';
import { filterServers, orderServers, type Filter, type Sorting } from './server-order.ts';

/** Seconds between two new orders. */
const REORDER = 5;

/** The servers to show. Their values are always the newest; their order is a few seconds old at most. */
export function useSteadyOrder(
  servers: readonly ServerView[],
  { value, descending }: Sorting,
  filter: Filter,
  at: number,
): readonly ServerView[] {
  const moment = Math.floor(at / REORDER);
  const membership = useMembership(servers);
  const ids = useMemo(
    () => orderServers(filterServers(servers, filter), { value, descending }).map(({ id }) => id),
    [membership, value, descending, filter, moment],
  );
  return useMemo(() => {
    const present = new Map(servers.map((server) => [server.id, server]));
    return ids.map((id) => present.get(id)).filter((server) => server !== undefined);
  }, [servers, ids]);
}

/** A new value when a server was added, removed or replaced by another. */
function useMembership(servers: readonly ServerView[]): readonly ServerView[] {
  const known = useRef(servers);
  const before = known.current;
  if (servers.length !== before.length || servers.some(({ id }, index) => id !== before[index]?.id)) known.current = servers;
  return known.current;
}
