/** @jsxRuntime automatic @jsxImportSource preact */
/** The servers with a problem, under the headline: visible without scrolling. */
import type { ServerView } from '../core/views/monitor-view.ts';
import { plural } from './format.ts';
import { useFormat } from './format-context.ts';
import { hasProblem } from './health.ts';
import { panelHref } from './use-opened-server.ts';

interface ProblemsProps {
  readonly servers: readonly ServerView[];
  /** A time of the present day, in seconds since the epoch. */
  readonly today: number;
  /** Scripts run. */
  readonly live: boolean;
}

const MAX_SHOWN = 4;

export function Problems({ servers, today, live }: ProblemsProps) {
  const format = useFormat();
  const found = servers.filter(hasProblem).sort((a, b) => began(b) - began(a));
  if (found.length === 0) return null;
  return (
    <ul class="problems" aria-label="Servers with a problem">
      {found.slice(0, MAX_SHOWN).map((server) => (
        <li key={server.id}>
          {live ? (
            <a class="text" href={panelHref(server.id)}>
              {server.address}
            </a>
          ) : (
            <b class="text">{server.address}</b>
          )}{' '}
          {server.state === 'down' ? 'down' : 'suspect'} since {format.moment(began(server), today)}
        </li>
      ))}
      {found.length > MAX_SHOWN && <li>{plural(found.length - MAX_SHOWN, 'more server')} with a problem</li>}
      {live && (
        <li>
          <a href="#incidents">All incidents</a>
        </li>
      )}
    </ul>
  );
}

/** Seconds since the epoch. */
function began({ state, since, suspectSince }: ServerView): number {
  return state === 'down' ? since : (suspectSince ?? since);
}
