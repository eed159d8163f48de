/** @jsxRuntime automatic @jsxImportSource preact */
/**
 * The whole page. Drawn once on the server as it stands in the HTML (`live` is absent), and again in the browser at every change.
 */
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { DecisionKind, MonitorSnapshot, ServerView, SparklinesView } from '../core/views/monitor-view.ts';
import { Access } from './access.tsx';
import { askSparklines } from './api.ts';
import { Decisions } from './decisions.tsx';
import { staleInWords } from './format.ts';
import { useFormat, useToday } from './format-context.ts';
import { HistoryChart } from './history-chart.tsx';
import { Incidents } from './incidents.tsx';
import { pageTitle } from './page-title.ts';
import { ServerPanel } from './server-panel.tsx';
import { ServerTable } from './server-table.tsx';
import { Summary } from './summary.tsx';
import { useViewer } from './use-viewer.ts';
import { WhyNot } from './why-not.tsx';

export interface Live {
  /** Milliseconds of the browser's monotonic clock when the snapshot came. */
  readonly receivedAt: number;
  /** Milliseconds since the epoch; `undefined`: it is live. */
  readonly staleSince: number | undefined;
}

interface AppProps {
  readonly snapshot: MonitorSnapshot;
  /** Absent before any script has run. */
  readonly live?: Live;
}

const SPARKLINE_MS = 60_000;

export function App({ snapshot, live }: AppProps) {
  const { fleet, servers, decisions, incidents } = snapshot;
  const [opened, open] = useOpenedServer();
  const stale = live?.staleSince !== undefined;
  const viewing = useViewer(stale);
  const sparklines = useSparklines(servers.length);
  const now = useServerTime(snapshot.at, live);
  const [asked, setAsked] = useState<{ project: string; count: number }>();
  const ask = useCallback((project: string) => setAsked((before) => ({ project, count: (before?.count ?? 0) + 1 })), []);
  const server = opened === undefined ? undefined : servers.find(({ id }) => id === opened);
  const gone = live !== undefined && opened !== undefined && server === undefined;
  const seen = useRef<ServerView | undefined>(undefined);
  const [notice, setNotice] = useState('');
  const toServers = (): void => document.getElementById('servers')?.focus();
  useEffect(() => {
    if (server !== undefined) {
      seen.current = server;
      setNotice('');
    }
    if (!gone) return;
    const there = seen.current?.id === opened ? seen.current : undefined;
    setNotice(
      there === undefined ? `There is no simulation server ${opened}.` : `${there.address} is not in the fleet any more.`,
    );
    open(undefined);
    toServers();
  }, [opened, gone, open]);
  const [only, setOnly] = useState<DecisionKind>();
  const today = useToday(snapshot.at);
  const decisionList = useMemo(
    () => <Decisions decisions={decisions} now={today} only={only} onOnly={setOnly} onAsk={ask} />,
    [decisions, today, only, ask],
  );
  return (
    <div class={stale ? 'page stale' : 'page'}>
      <a class="skip" href="#servers">
        To the servers
      </a>
      <Top snapshot={snapshot} live={live}>
        {live !== undefined && <Access viewing={viewing} />}
      </Top>
      <main>
        <Summary fleet={fleet} servers={servers} {...(live !== undefined && { onRefused: () => setOnly('refused') })} />
        {live === undefined ? (
          <section class="card chart placeholder" aria-hidden="true" />
        ) : (
          <HistoryChart server={null} heading="Fleet" target={fleet.target} startedAt={fleet.startedAt} now={now} />
        )}
        <ServerTable
          fleet={fleet}
          servers={servers}
          sparklines={sparklines?.servers ?? noSparklines}
          at={snapshot.at}
          onOpen={open}
          live={live !== undefined}
        />
        {live !== undefined && (
          <div class="columns">
            <div>
              <WhyNot asked={asked} />
              <section class="card incidents">
                <Incidents incidents={incidents} channels={fleet.channels} now={snapshot.at} />
              </section>
            </div>
            <section class="card decisions" id="decisions" tabIndex={-1} aria-label="Decisions">
              {decisionList}
            </section>
          </div>
        )}
      </main>
      <footer>
        session-server {fleet.version} · <a href="api/v1/openapi.json">API</a> · <a href="metrics">metrics</a>
      </footer>
      {live !== undefined && <Announcer open={fleet.open} stale={stale} />}
      {live !== undefined && (
        <div class={notice === '' ? 'notice' : 'notice shown'}>
          <p class="text" role="status">
            {notice === '' ? null : notice}
          </p>
          {notice !== '' && (
            <button
              type="button"
              onClick={() => {
                setNotice('');
                toServers();
              }}
            >
              Close
            </button>
          )}
        </div>
      )}
      {server !== undefined && (
        <ServerPanel
          key={server.id}
          server={server}
          snapshot={snapshot}
          viewing={viewing}
          now={now}
          onClose={() => open(undefined)}
        />
      )}
    </div>
  );
}

const noSparklines: SparklinesView['servers'] = {};

interface TopProps {
  readonly snapshot: MonitorSnapshot;
  readonly live: Live | undefined;
  readonly children: ComponentChildren;
}

function Top({ snapshot: { fleet }, live, children }: TopProps) {
  const format = useFormat();
  const title = pageTitle(fleet);
  useEffect(() => {
    document.title = title;
  }, [title]);
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
        {live !== undefined && (
          <p class={live.staleSince === undefined ? 'live' : 'live lost'}>
            {live.staleSince === undefined ? 'Live' : staleInWords(live.staleSince, format)}
          </p>
        )}
        {children}
      </div>
    </header>
  );
}

/** Says to screen readers what matters, once, and nothing else: numbers that change every second would never let them rest. */
function Announcer({ open, stale }: { readonly open: boolean; readonly stale: boolean }) {
  const [said, setSaid] = useState('');
  const before = useRef({ open, stale });
  useEffect(() => {
    if (before.current.stale !== stale) setSaid(stale ? 'The page is no longer live.' : 'The page is live again.');
    else if (before.current.open !== open) setSaid(open ? 'Sessions can start again.' : 'No session can start now.');
    before.current = { open, stale };
  }, [open, stale]);
  return (
    <p class="hidden" role="status">
      {said === '' ? null : said}
    </p>
  );
}

/** Which server's panel is open stands in the address, so that it can be sent to a colleague and the browser's back button closes it. */
function useOpenedServer(): readonly [string | undefined, (id: string | undefined) => void] {
  const [opened, setOpened] = useState<string>();
  useEffect(() => {
    const follow = (): void => setOpened(serverInAddress());
    follow();
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const open = useCallback((id: string | undefined) => {
    if (id !== undefined) location.hash = `${HASH}${encodeURIComponent(id)}`;
    else if (serverInAddress() !== undefined) history.pushState(null, '', location.pathname + location.search);
    setOpened(id);
  }, []);
  return [opened, open];
}

const HASH = '#server=';

function serverInAddress(): string | undefined {
  if (!location.hash.startsWith(HASH)) return undefined;
  try {
    return decodeURIComponent(location.hash.slice(HASH.length));
  } catch {
    return undefined;
  }
}

function useSparklines(servers: number): SparklinesView | undefined {
  const [sparklines, setSparklines] = useState<SparklinesView>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (): void => {
      clearTimeout(timer);
      if (document.hidden) return;
      timer = setTimeout(again, SPARKLINE_MS);
      void askSparklines().then((answer) => {
        if (answer.kind === 'answer') setSparklines(answer.value);
      });
    };
    again();
    document.addEventListener('visibilitychange', again);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [servers]);
  return sparklines;
}

/** The session server's clock, carried on by the browser's between two snapshots: the two need not agree. */
function useServerTime(at: number, live: Live | undefined): () => number {
  const latest = useRef({ at, live });
  latest.current = { at, live };
  return useCallback(() => {
    const { at, live } = latest.current;
    return live === undefined ? at : at + (performance.now() - live.receivedAt) / 1000;
  }, []);
}
