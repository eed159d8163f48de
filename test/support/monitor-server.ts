/** The monitor with all its routes on a real port, over a simulated fleet. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Hono } from 'hono';
import { buildWeb } from '../../scripts/build-web.mjs';
import { hashOf } from '../../src/config/token.ts';
import type { ChannelTestView } from '../../src/core/views/monitor-view.ts';
import { createAccess } from '../../src/http/operators/access.ts';
import { createAdminRoutes, type AdminActions } from '../../src/http/operators/admin-routes.ts';
import { createAddressOf, parseNetworks } from '../../src/http/server/client-address.ts';
import { createFleetRoutes, type FleetRoutesOptions } from '../../src/http/operators/fleet-routes.ts';
import { createSessionRoutes, type SessionRoutesOptions } from '../../src/http/operators/session-routes.ts';
import { createHistoryRoutes } from '../../src/http/operators/history-routes.ts';
import { readPageAssets, type PageAssets } from '../../src/http/server/page-assets.ts';
import { createMonitorEvents, type MonitorEvents } from '../../src/http/operators/monitor-events.ts';
import { createMonitorRoutes } from '../../src/http/operators/monitor-routes.ts';
import { createRoutes, toListener, type Env } from '../../src/http/server/routes.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/system/system-clock.ts';
import { renderSignInPage, renderMonitorPage } from '../../src/web/render.ts';
import { MemoryLog } from './memory-log.ts';
import { DemoFleet } from './monitor-source.ts';

export interface MonitorServerOptions {
  readonly fleet?: DemoFleet;
  readonly tokens?: boolean;
  readonly reading?: 'open' | 'token';
  readonly clock?: Clock;
  /**
   * `alone`: no page of a simulation server is on the site. `shared`: `/2000/window` is one. `own`: operators sign in at
   * `localhost`, and that page is at 127.0.0.1.
   */
  readonly site?: 'alone' | 'shared' | 'own';
}

export interface MonitorServer {
  readonly fleet: DemoFleet;
  readonly url: string;
  readonly log: MemoryLog;
  readonly viewers: () => number;
  /** Stops answering, as a session server that restarts does; `start` answers at the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Breaks every connection, as a reverse proxy that restarts does. */
  cut(): void;
}

export const TOKEN = 'sst_a-token-for-tests';
/** The read-only token of eve. */
export const READING_TOKEN = 'sst_a-token-for-readers';

/** The page's scripts, built from the present sources once for all tests of a process. */
let built: Promise<PageAssets> | undefined;

async function buildAssets(): Promise<PageAssets> {
  const folder = await mkdtemp(join(tmpdir(), 'session-server-web-'));
  try {
    await buildWeb(folder, ['monitor']);
    return await readPageAssets(folder, 'monitor');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function startMonitorServer(t: TestContext, options: MonitorServerOptions = {}): Promise<MonitorServer> {
  const assets = await (built ??= buildAssets());
  const { fleet = new DemoFleet(), tokens = true, reading = 'open', clock = systemClock, site = 'alone' } = options;
  const log = new MemoryLog();
  const configured = tokens
    ? [
        { name: 'ada', hash: hashOf(TOKEN), readOnly: false },
        { name: 'eve', hash: hashOf(READING_TOKEN), readOnly: true },
      ]
    : [];
  const source = {
    snapshot: () => fleet.snapshot(),
    history: fleet.history.query.bind(fleet.history),
    sparklines: fleet.history.sparklines.bind(fleet.history),
    marks: (server?: string, from = 0, to = Infinity) =>
      fleet.timeline
        .marks(server, from, to)
        .map((mark) => ({ ...mark, server: fleet.server(mark.serverId)?.address ?? mark.serverId })),
    uptime: () => fleet.uptime(),
    reserved: (time: readonly number[]) => time.map(() => fleet.classes.reduce((sum, { seats }) => sum + seats, 0)),
  };
  const pages = { monitor: renderMonitorPage, entrance: renderSignInPage };
  const title = () => fleet.title;
  const addressOf = createAddressOf(parseNetworks(['127.0.0.0/8']).networks);
  let server: Server | undefined;
  let events: MonitorEvents | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    // Created at each start, because a restart ends browser sessions.
    const access = createAccess({
      tokens: () => configured,
      reading: () => reading,
      port: () => port,
      origin: () => (site === 'own' ? `http://localhost:${port}` : undefined),
      sharesSite: () => site === 'shared',
      addressOf,
      clock,
      newId: randomUUID,
      log,
    });
    const { mayRead, mayAct, readsOn } = access;
    const page = createMonitorRoutes({ source, clock, assets, pages, access, title, hasTokens: () => tokens });
    const history = createHistoryRoutes({ source, clock: { now: () => clock.now(), wallTime: () => fleet.now }, mayRead });
    const admin = createAdminRoutes({
      ...{ actions: actionsOf(fleet), mayAct, projectHosts: () => [] },
      clock: { wallTime: () => fleet.now },
    });
    const several = createFleetRoutes({ ...fleetActionsOf(fleet), mayRead, mayAct, clock: { wallTime: () => fleet.now } });
    const sessions = createSessionRoutes({
      ...{ clock, mayRead, mayAct, actions: sessionActionsOf(fleet) },
      waiting: (max) => fleet.waitingList(max),
      sessions: (max, server) => fleet.sessionList(max, server),
    });
    const explain = new Hono<Env>();
    explain.get('/api/v1/explain', mayRead, (c) => c.json(fleet.explain(c.req.query('url') ?? null)));
    events = createMonitorEvents({ source, clock, newId: randomUUID, log, addressOf, mayRead, readsOn });
    const robotWindow = new Hono<Env>();
    robotWindow.get('/2000/window', (c) => c.html('<!DOCTYPE html><title>robot window</title>'));
    const routes = createRoutes({
      log,
      groups: [page, access.routes, events.routes, history, admin, several, sessions, explain, robotWindow],
    });
    const starting = createServer(toListener(routes));
    await new Promise<void>((resolve) => starting.listen(port, '127.0.0.1', resolve));
    ({ port } = starting.address() as AddressInfo);
    server = starting;
  };
  const stop = async (): Promise<void> => {
    const stopping = server;
    server = undefined;
    await events?.stop();
    if (stopping === undefined) return;
    const closed = new Promise((resolve) => stopping.close(resolve));
    stopping.closeAllConnections();
    await closed;
  };
  await start();
  t.after(stop);
  const cut = (): void => server?.closeAllConnections();
  return { fleet, url: `http://127.0.0.1:${port}/monitor`, log, viewers: () => events?.viewers() ?? 0, stop, start, cut };
}

function actionsOf(fleet: DemoFleet): AdminActions {
  const onServer = (id: string, action: () => void): ReturnType<AdminActions['resume']> => {
    if (fleet.server(id) === undefined) return Promise.resolve({ kind: 'unknown-server' });
    action();
    return Promise.resolve({ kind: 'done' });
  };
  return {
    drain: (id, { by, reason, until }) =>
      onServer(id, () => fleet.drain(id, { since: fleet.now, by, reason: reason ?? null, until: until ?? null })),
    resume: (id) => onServer(id, () => fleet.resume(id)),
    removeServer: (id) => onServer(id, () => fleet.remove(id)),
    addServer(entry) {
      const address = (entry as { readonly address: string }).address;
      if (!/^[a-z0-9.]+[:/][0-9]+$/.test(address))
        return Promise.resolve({
          kind: 'refused',
          code: 'bad-address',
          reason: `"${address}" is not an address; write "host/2000".`,
        });
      return Promise.resolve({ kind: 'done', id: fleet.add(address).id });
    },
    forgetCosts: (what) => Promise.resolve({ kind: what.kind === 'server' ? fleet.forgetCost(what.server) : 'done' }),
    testNotification() {
      const channels = fleet.channels.map((channel, index): ChannelTestView => {
        if (index === 0) return { ...channel, outcome: 'sent', reason: null };
        return { ...channel, outcome: 'failed', reason: 'it does not know the address (404); check the URL' };
      });
      return Promise.resolve({ kind: 'done', channels });
    },
  };
}

function fleetActionsOf(fleet: DemoFleet): Pick<FleetRoutesOptions, 'actions' | 'plan' | 'serversWith'> {
  const onServers = (ids: readonly string[], act: (id: string) => void) => {
    const done = ids.filter((id) => fleet.server(id) !== undefined);
    for (const id of done) act(id);
    return Promise.resolve({ done, unknown: ids.filter((id) => !done.includes(id)) });
  };
  return {
    actions: {
      drainAll: (ids, { by, reason = null, until = null }) =>
        onServers(ids, (id) => fleet.drain(id, { since: fleet.now, by, reason, until })),
      resumeAll: (ids) => onServers(ids, (id) => fleet.resume(id)),
    },
    plan: {
      get planned() {
        return [];
      },
      plan({ label = null, reason = null, ...wish }) {
        const id = `maintenance-${fleet.maintenance.length + 1}`;
        fleet.maintenance = [...fleet.maintenance, { id, label, reason, ...wish }];
        return Promise.resolve({ kind: 'done', id });
      },
      cancel(id) {
        const before = fleet.maintenance;
        fleet.maintenance = before.filter((maintenance) => maintenance.id !== id);
        return Promise.resolve(fleet.maintenance.length < before.length);
      },
    },
    serversWith: (label) =>
      fleet.ids.filter((id) =>
        Object.entries(fleet.server(id)?.labels ?? {}).some(([name, value]) => `${name}=${value}` === label),
      ),
  };
}

function sessionActionsOf(fleet: DemoFleet): SessionRoutesOptions['actions'] {
  return {
    removeWaiting: (id) => fleet.removeWaiting(id),
    end(id) {
      const ended = fleet.endSession(id);
      return Promise.resolve(
        ended === undefined ? { kind: 'unknown' } : { kind: 'done', how: ended.closable ? 'closed' : 'released' },
      );
    },
    move: (id) => (fleet.endSession(id) === undefined ? { kind: 'unknown' } : { kind: 'done', how: 'closed' }),
  };
}
