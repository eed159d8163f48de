/** @jsxRuntime automatic @jsxImportSource preact */
/** The state of a server as a shape, a colour and a word, so that it never depends on colour alone. */
import type { ServerState } from '../core/fleet/fleet.ts';
import type { ServerView } from '../core/views/monitor-view.ts';

/** One path in a square of 16 by 16 for each state. */
const shapes: Readonly<Record<ServerState, string>> = {
  available: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm-1 9.6L3.9 8l1.1-1.1 2 2 4-4 1.1 1.1Z',
  full: 'M2 2h12v12H2Zm2 4.2v1.5h8V6.2Zm0 3v1.5h8V9.2Z',
  draining: 'M8 14.5 1.3 3h13.4Zm-.8-7.2v3h1.6v-3Z',
  down: 'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm3 8.4L9.9 11 8 9.1 6.1 11 5 9.9 6.9 8 5 6.1 6.1 5 8 6.9 9.9 5 11 6.1 9.1 8Z',
  unknown: 'M8 1.5 14.5 8 8 14.5 1.5 8Zm-.8 8.6v1.6h1.6v-1.6Zm0-5.8v4.4h1.6V4.3Z',
};

export const stateOrder: readonly ServerState[] = ['available', 'full', 'draining', 'unknown', 'down'];

interface StateMarkProps {
  readonly state: ServerState;
  readonly suspect?: boolean;
  /** It is available, but would get no average session now. */
  readonly isWithoutRoom?: boolean;
}

export function StateMark({ state, suspect = false, isWithoutRoom = false }: StateMarkProps) {
  return (
    <span class={`state state-${isWithoutRoom ? 'full' : state}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={shapes[isWithoutRoom ? 'full' : state]} fill-rule="evenodd" />
      </svg>
      {isWithoutRoom ? 'no room' : state}
      {suspect && <span class="suspect">suspect</span>}
    </span>
  );
}

/** How many servers are in each state, from the best state to the worst. */
export function countStates(servers: readonly ServerView[]): ReadonlyMap<ServerState, number> {
  const counts = new Map<ServerState, number>(stateOrder.map((state) => [state, 0]));
  for (const { state } of servers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
