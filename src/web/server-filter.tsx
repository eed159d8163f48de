/** @jsxRuntime automatic @jsxImportSource preact */
/** Which servers the table shows: buttons for states, a field for words, and what a new filter found. */
import { useEffect, useState } from 'preact/hooks';
import type { ServerState } from '../core/fleet/fleet.ts';
import type { ServerView } from '../core/views/monitor-view.ts';
import { plural } from './format.ts';
import type { Filter } from './server-order.ts';
import { countStates, StateMark } from './state-mark.tsx';

interface FilterBarProps {
  readonly servers: readonly ServerView[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

export function FilterBar({ servers, filter, onFilter }: FilterBarProps) {
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

/** Announces to screen readers what a new filter found, but not what changes while the filter stays. */
export function FilterResult({ filter, filtered, shown, of }: FilterResultProps) {
  const [announced, setAnnounced] = useState('');
  useEffect(() => setAnnounced(filtered ? `${shown} of ${plural(of, 'server')} shown` : ''), [filter]);
  return (
    <p class="hidden" role="status">
      {announced === '' ? null : announced}
    </p>
  );
}
