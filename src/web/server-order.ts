/** Which servers the table shows and in what order. Pure. */
import type { ServerState } from '../core/fleet/fleet.ts';
import type { ServerView } from '../core/views/monitor-view.ts';
import { stateOrder } from './state-mark.tsx';

export type SortKey = 'number' | 'address' | 'load' | 'state' | 'predicted' | 'cost' | 'handOuts' | 'lastAnswer';

export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

export interface Filter {
  /** Words that must all stand in the address, the state, the reason or a label. */
  readonly words: string;
  readonly state: ServerState | undefined;
}

export const noFilter: Filter = { words: '', state: undefined };

/** What is not known comes last, whichever way is sorted. Servers that are equal stay in the configured order. */
export function orderServers(servers: readonly ServerView[], { key, descending }: Sorting): readonly ServerView[] {
  const sign = descending ? -1 : 1;
  const value = values[key];
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

const values: Readonly<Record<SortKey, (server: ServerView) => number | string | null>> = {
  number: ({ number }) => number,
  address: ({ address }) => address,
  load: ({ load }) => load,
  state: ({ state }) => stateOrder.indexOf(state),
  predicted: ({ predicted }) => predicted,
  cost: ({ cost }) => cost,
  handOuts: ({ handOutsLastHour }) => handOutsLastHour,
  lastAnswer: ({ lastAnswerAt }) => lastAnswerAt,
};

function searchable({ address, state, reason, labels, suspectSince }: ServerView): string {
  const marks = suspectSince === null ? '' : 'suspect';
  const said = Object.entries(labels).flat();
  return [address, state, marks, reason, ...said].join('\n').toLowerCase();
}

/** Where the cost of a session comes from on a server that taught nothing itself. */
export function costSource(servers: readonly ServerView[]): string {
  return servers.some(({ costUncertainty }) => costUncertainty !== null) ? 'from the others' : 'not learned yet';
}
