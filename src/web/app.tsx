/** @jsxRuntime automatic @jsxImportSource preact */
/** The whole page. Drawn once on the server for the HTML (`live` is absent), and in the browser at every change. */
import { useCallback, useMemo, useRef, useState } from 'preact/hooks';
import type { DecisionKind, FleetView, MonitorSnapshot } from '../core/views/monitor-view.ts';
import { Access } from './access.tsx';
import { ClassNames } from './class-names.tsx';
import { ClassesBand } from './classes-band.tsx';
import { Decisions } from './decisions.tsx';
import { useToday } from './format-context.ts';
import { HistoryChart } from './history-chart.tsx';
import { FirstServer } from './first-server.tsx';
import { healthOf } from './health.ts';
import { Incidents } from './incidents.tsx';
import { Announcer, Notice } from './notices.tsx';
import { Sessions, WaitingPeople } from './people.tsx';
import { ReplicasBand } from './replicas-band.tsx';
import { ServerPanel } from './server-panel.tsx';
import { ServerTable } from './server-table.tsx';
import { Summary } from './summary.tsx';
import { Top } from './top.tsx';
import { useOpenedServerOrNotice } from './use-opened-server.ts';
import { useSparklines } from './use-sparklines.ts';
import { useViewer } from './use-viewer.ts';
import { WhyNot } from './why-not.tsx';

export interface Live {
  /** Milliseconds of the browser's monotonic clock when the snapshot was received. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch; `undefined`: the page is not stale. */
  readonly staleSince: number | undefined;
}

interface AppProps {
  readonly snapshot: MonitorSnapshot;
  /** Absent before any script has run. */
  readonly live?: Live;
}

type OnlyKind = readonly [DecisionKind | undefined, (only: DecisionKind | undefined) => void];

export function App({ snapshot, live }: AppProps) {
  const { fleet, servers } = snapshot;
  const runsScripts = live !== undefined;
  const stale = live?.staleSince !== undefined;
  const viewing = useViewer(stale);
  const sparklines = useSparklines(servers.length);
  const now = useServerTime(snapshot.at, live);
  const today = useToday(snapshot.at);
  const health = healthOf(fleet, servers, stale);
  const onlyKind: OnlyKind = useState<DecisionKind>();
  const { server, open, notice, dismissNotice } = useOpenedServerOrNotice(servers, runsScripts, focusServers);
  const close = (): void => {
    dismissNotice();
    focusServers();
  };
  return (
    <ClassNames viewer={viewing.viewer}>
      <div class={stale ? 'page stale' : 'page'}>
        <a class="skip" href="#servers">
          Skip to servers
        </a>
        <Top fleet={fleet} health={health} live={runsScripts} staleSince={live?.staleSince}>
          {runsScripts && <Access viewing={viewing} />}
        </Top>
        <main>
          <Summary
            {...{ fleet, servers, health, today, staleSince: live?.staleSince }}
            {...(runsScripts && { onRefused: () => onlyKind[1]('refused') })}
          />
          <ReplicasBand replicas={fleet.replicas} today={today} />
          <ClassesBand classes={fleet.classes} />
          <Fleet {...{ snapshot, sparklines, viewing, now }} onOpen={open} live={runsScripts} />
          {runsScripts && (
            <div class="columns even">
              <WaitingPeople length={fleet.waiting.length} viewing={viewing} />
              <Sessions servers={servers} viewing={viewing} />
            </div>
          )}
          {runsScripts && <Columns snapshot={snapshot} onlyKind={onlyKind} />}
        </main>
        <footer>
          session-server {fleet.version} · <a href="api">API</a> · <a href="metrics">metrics</a>
        </footer>
        {runsScripts && <Announcer open={fleet.open} stale={stale} />}
        {runsScripts && <Notice text={notice} onClose={close} />}
        {server !== undefined && (
          <ServerPanel
            key={server.id}
            server={server}
            snapshot={snapshot}
            viewing={viewing}
            now={now}
            uptime={sparklines.uptime[server.id]}
            onClose={() => open(undefined)}
          />
        )}
      </div>
    </ClassNames>
  );
}

interface FleetProps {
  readonly snapshot: MonitorSnapshot;
  readonly sparklines: ReturnType<typeof useSparklines>;
  readonly viewing: ReturnType<typeof useViewer>;
  readonly now: () => number;
  readonly onOpen: (id: string | undefined) => void;
  readonly live: boolean;
}

function Fleet({ snapshot: { fleet, servers, at }, sparklines, viewing, now, onOpen, live }: FleetProps) {
  if (servers.length === 0) return <FirstServer />;
  return (
    <>
      <FleetChart fleet={fleet} now={now} live={live} />
      <ServerTable {...{ fleet, servers, sparklines, viewing, at, onOpen, live }} />
    </>
  );
}

interface FleetChartProps {
  readonly fleet: FleetView;
  readonly now: () => number;
  readonly live: boolean;
}

/** Before any script has run, its place. */
function FleetChart({ fleet: { target, startedAt }, now, live }: FleetChartProps) {
  if (!live) return <section class="card chart placeholder" aria-hidden="true" />;
  return <HistoryChart server={null} heading="Fleet" target={target} startedAt={startedAt} now={now} />;
}

function focusServers(): void {
  document.getElementById('servers')?.focus();
}

interface ColumnsProps {
  readonly snapshot: MonitorSnapshot;
  readonly onlyKind: OnlyKind;
}

/** Below the table: questions and incidents beside decisions. */
function Columns({ snapshot: { at, fleet, decisions, incidents }, onlyKind: [only, setOnly] }: ColumnsProps) {
  const [question, setQuestion] = useState<{ project: string; count: number }>();
  const ask = useCallback((project: string) => setQuestion((before) => ({ project, count: (before?.count ?? 0) + 1 })), []);
  const today = useToday(at);
  const decisionList = useMemo(
    () => <Decisions decisions={decisions} now={today} only={only} onOnly={setOnly} onAsk={ask} />,
    [decisions, today, only, ask],
  );
  return (
    <div class="columns">
      <div>
        <WhyNot asked={question} />
        <section class="card incidents" id="incidents" tabIndex={-1} aria-label="Incidents">
          <Incidents incidents={incidents} channels={fleet.channels} now={at} />
        </section>
      </div>
      <section class="card decisions" id="decisions" tabIndex={-1} aria-label="Decisions">
        {decisionList}
      </section>
    </div>
  );
}

/** The session server's clock, advanced by the browser's between two snapshots: the two clocks may differ. */
function useServerTime(at: number, live: Live | undefined): () => number {
  const latest = useRef({ at, live });
  latest.current = { at, live };
  return useCallback(() => {
    const { at, live } = latest.current;
    return live === undefined ? at : at + (performance.now() - live.receivedAt) / 1000;
  }, []);
}
