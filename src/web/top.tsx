/** @jsxRuntime automatic @jsxImportSource preact */
/** The head of the page: its title, the start of the session server, and whether the page is live. */
import type { ComponentChildren } from 'preact';
import type { FleetView } from '../core/views/monitor-view.ts';
import { staleInWords } from './format.ts';
import { useFormat } from './format-context.ts';
import type { Health } from './health.ts';
import { usePageHead } from './use-page-head.ts';

interface TopProps {
  readonly fleet: FleetView;
  readonly health: Health;
  readonly live: boolean;
  /** Milliseconds since the epoch; `undefined`: the page is not stale. */
  readonly staleSince: number | undefined;
  readonly children: ComponentChildren;
}

export function Top({ fleet, health, live, staleSince, children }: TopProps) {
  const format = useFormat();
  usePageHead(fleet, health);
  return (
    <header class="top">
      <div>
        <h1 class="text" dir="auto">
          {fleet.title}
        </h1>
        <p class="muted">
          <b class="text server-name" dir="auto">
            {fleet.server}
          </b>{' '}
          · Started on <time dateTime={new Date(fleet.startedAt * 1000).toISOString()}>{format.started(fleet.startedAt)}</time>
        </p>
      </div>
      <div class="top-end">
        {live && (
          <p class={staleSince === undefined ? 'live' : 'live lost'}>
            {staleSince === undefined ? 'Live' : staleInWords(staleSince, format)}
          </p>
        )}
        {children}
      </div>
    </header>
  );
}
