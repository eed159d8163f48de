/** Which servers the table shows and in what order. Pure. */
import type { ServerState } from '../core/fleet/fleet.ts';
import type { ServerView } from '../core/views/monitor-view.ts';

/** What servers are sorted by; `null`: not known. */
export type SortValue = (server: ServerView) => number | string | null;

export interface Sorting {
  readonly value: SortValue;
  readonly descending: boolean;
}

export const configuredOrder: SortValue = ({ number }) => number;

export interface Filter {
  /** Each of these words must occur in the address, the state, the reason or a label. */
  readonly words: string;
  readonly state: ServerState | undefined;
}

export const noFilter: Filter = { words: '', state: undefined };

/** Unknown values come last in either direction. Servers with equal values keep the configured order. */
export function orderServers(servers: readonly ServerView[], { value, descending }: Sorting): readonly ServerView[] {
  const sign = descending ? -1 : 1;
  return [...servers].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === right) return a.number - b.number;
    if (left === null || right === null) return left === null ? 1 : -1;
    const order =
      typeof left === 'string' ? left.localeCompare(String(right), undefined, { numeric: true }) : left - Number(right);
    return order === 0 ? a.number - b.number : order * sign;
  });
}

export function filterServers(servers: readonly ServerView[], { words, state }: Filter): readonly ServerView[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (wanted.length === 0 && state === undefined) return servers;
  return servers.filter((server) => {
    if (state !== undefined && server.state !== state) return false;
    if (wanted.length === 0) return true;
    const text = searchable(server);
    return wanted.every((word) => text.includes(word));
  });
}

function searchable({ address, state, reason, labels, suspectSince }: ServerView): string {
  const marks = suspectSince === null ? '' : 'suspect';
  const pairs = Object.entries(labels).flat();
  return [address, state, marks, reason, ...pairs].join('\n').toLowerCase();
}

/** Where the expected cost of a session comes from on a server on which nothing was learned yet. */
export function costSource(servers: readonly ServerView[]): string {
  return servers.some(({ costUncertainty }) => costUncertainty !== null) ? 'from other servers' : 'not learned yet';
}
