/** @jsxRuntime automatic @jsxImportSource preact */
/** Everything about one server: operator actions, facts, history, incidents and decisions. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DecisionKind, MonitorSnapshot, ServerUptimeView, ServerView } from '../core/views/monitor-view.ts';
import { Decisions } from './decisions.tsx';
import { duration } from './format.ts';
import { HistoryChart } from './history-chart.tsx';
import { Incidents } from './incidents.tsx';
import { Sessions } from './people.tsx';
import { ServerActions } from './server-actions.tsx';
import { Facts } from './server-facts.tsx';
import { isWithoutRoom } from './health.ts';
import { StateMark } from './state-mark.tsx';
import { useUniqueId } from './use-unique-id.ts';
import type { Viewing } from './use-viewer.ts';

interface ServerPanelProps {
  readonly server: ServerView;
  readonly snapshot: MonitorSnapshot;
  readonly viewing: Viewing;
  readonly now: () => number;
  readonly uptime: ServerUptimeView | undefined;
  readonly onClose: () => void;
}

export function ServerPanel({ server, snapshot, viewing, now, uptime, onClose }: ServerPanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [only, setOnly] = useState<DecisionKind>();
  const id = useUniqueId();
  useEffect(() => {
    dialog.current?.showModal();
    viewing.recheck();
  }, []);
  const ofServer = <T extends { readonly serverId: string | null }>(entries: readonly T[]) =>
    entries.filter(({ serverId }) => serverId === server.id);
  return (
    <dialog
      ref={dialog}
      class="panel"
      aria-labelledby={`${id}-heading`}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="panel-body">
        <PanelHead server={server} at={snapshot.at} headingId={`${id}-heading`} onClose={() => dialog.current?.close()} />
        <ServerActions server={server} viewing={viewing} at={snapshot.at} />
        <Facts server={server} snapshot={snapshot} uptime={uptime} />
        <Sessions servers={[server]} server={server.id} viewing={viewing} />
        <HistoryChart
          server={server.id}
          heading="Load of this server"
          target={snapshot.fleet.target}
          startedAt={snapshot.fleet.startedAt}
          now={now}
        />
        <section class="card">
          <Incidents incidents={ofServer(snapshot.incidents)} channels={snapshot.fleet.channels} now={snapshot.at} />
        </section>
        <section class="card">
          <Decisions decisions={ofServer(snapshot.decisions)} now={snapshot.at} only={only} onOnly={setOnly} />
        </section>
      </div>
    </dialog>
  );
}

interface PanelHeadProps {
  readonly server: ServerView;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly headingId: string;
  readonly onClose: () => void;
}

function PanelHead({ server, at, headingId, onClose }: PanelHeadProps) {
  return (
    <header class="panel-head">
      <div>
        <h2 id={headingId} class="text" dir="auto">
          {server.address}
        </h2>
        <p>
          <StateMark state={server.state} suspect={server.suspectSince !== null} isWithoutRoom={isWithoutRoom(server)} />{' '}
          <span class="muted">for {duration(at - server.since)}</span>
        </p>
        <p class="text" dir="auto">
          {server.reason}
        </p>
      </div>
      <button type="button" class="close" onClick={onClose}>
        Close
      </button>
    </header>
  );
}
