/**
 * The relay of the gateway beside nginx doing the same in the same run: CPU of a WebSocket message and of a small page, what 200 sessions add to the time of a
 * message; and how soon a freed place is taken by the first in line. About four minutes; ends by itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import type { ConfigurationFile } from '../src/config/schema.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { freePort, startNginx, type CertificateFiles, type Nginx } from './support/nginx.ts';
import { until } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startRelayClients, type Destination } from './support/relay-clients.ts';
import { PAGE_BYTES, startRelayUpstream } from './support/relay-upstream.ts';
import { startReference } from './support/reference.ts';
import { makeRequests } from './support/requests.ts';
import type { Usage } from './support/usage.ts';

const CONNECTIONS = 100;
/** Rounds of so many seconds, of each in turn, so that the ratio holds whatever else the machine does. */
const ROUNDS = 4;
const SECONDS = 2;
/** Messages a second of all connections together that are sent, and come back. */
const MESSAGES = 4000;
const SESSIONS = 200;
/** Messages a second of all sessions together while latencies are compared: few enough for both cores to have room. */
const PACE = 400;
const TURNS = 3;
/** Sessions that run at a time while places are freed, and how many are freed. */
const PLACES = 5;
const FREED = 200;
const WAITING = 20;

/** Someone who passes messages on, and where. */
interface ReverseProxy {
  readonly name: string;
  readonly to: Destination;
  readonly usage: () => Usage;
}

title('The relay of the gateway');
const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
const files = certificate();
const upstream = await startRelayUpstream();
const nginx = await startNginx(files);
const clients = await startRelayClients();
const reference = await startReference();
try {
  for (const tls of [false, true])
    await withGateway(tls, async (program, port) => {
      const path = `/${upstream.port}/`;
      const ours: ReverseProxy = { name: 'session server', to: { port, path, tls }, usage: () => program.usage() };
      const theirs: ReverseProxy = { name: 'nginx', to: { port: portOf(nginx, tls), path, tls }, usage: () => nginx.usage() };
      if (tls) {
        await messages(64, [ours, theirs]);
        await messages(4096, [ours, theirs]);
        return;
      }
      const bare: ReverseProxy = {
        name: 'two sockets piped together by Node',
        to: { port: await reference.forward(upstream.port), path: '/', tls },
        usage: () => reference.usage(),
      };
      await messages(64, [ours, theirs, bare], 1.6);
      await messages(4096, [ours, theirs, bare], 1.2);
      await pages(ours, theirs);
      await addedTime(ours);
    });
  await freedPlaces();
} finally {
  await Promise.all([clients.kill(), nginx.kill(), upstream.kill(), reference.kill()]);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * All pass the same messages in the same time. As fast as they come is printed too, but compares less: the slower side finds the others asleep more often, and
 * to wake a process is most of what a small message costs. The third, if there is one, does the least that Node can.
 */
async function messages(
  size: number,
  fronts: readonly [ours: ReverseProxy, theirs: ReverseProxy, bare?: ReverseProxy],
  most?: number,
): Promise<void> {
  const by = fronts[0].to.tls ? ', TLS' : '';
  const names = fronts.flatMap((front) => front?.name ?? []);
  const said = (costs: readonly number[]) => costs.map((cost, i) => `${names[i]} ${cost.toFixed(1)}`).join(', ');
  const saturated = await costs(size, fronts, undefined);
  note(`${size} bytes${by}, as fast as they come, µs of CPU a message: ${said(saturated)}`);
  const paced = await costs(size, fronts, MESSAGES);
  note(`${size} bytes${by}, ${2 * MESSAGES} a second, µs of CPU a message: ${said(paced)}`);
  const [ours = Number.NaN, theirs = Number.NaN, bare] = paced;
  tell({
    what: `WebSocket message of ${size} bytes${by}, CPU`,
    value: ours / theirs,
    unit: '× nginx',
    ...(most !== undefined && { goal: { atMost: most } }),
    ...(bare !== undefined && { comparedTo: { what: 'piped by Node', value: bare / theirs } }),
  });
}

/** Microseconds of CPU a message, of each. */
async function costs(size: number, fronts: readonly (ReverseProxy | undefined)[], pace: number | undefined): Promise<number[]> {
  const sums = fronts.flatMap((front) => (front === undefined ? [] : { front, messages: 0, cpu: 0 }));
  for (let i = 0; i <= ROUNDS; i += 1)
    for (const sum of sums) {
      await clients.open(sum.front.to, CONNECTIONS);
      const before = sum.front.usage().cpu;
      const { messages: came } = await clients.exchange({ size, seconds: SECONDS, ...(pace !== undefined && { pace }) });
      // The first round is for the compiler.
      if (i === 0) continue;
      // There and back again.
      sum.messages += 2 * came;
      sum.cpu += sum.front.usage().cpu - before;
    }
  return sums.map(({ messages: came, cpu }) => (cpu / came) * 1_000_000);
}

async function pages(ours: ReverseProxy, theirs: ReverseProxy): Promise<void> {
  const rate = new Map<ReverseProxy, { answers: number; cpu: number }>();
  const round = async ({ to: { port, path }, usage }: ReverseProxy) => {
    const before = usage().cpu;
    const { answers } = await makeRequests({ port, path: `${path}textures/floor.png`, connections: 16, seconds: SECONDS });
    return { answers, cpu: usage().cpu - before };
  };
  for (const front of [ours, theirs]) await round(front);
  for (let i = 0; i < ROUNDS; i += 1)
    for (const front of [ours, theirs]) {
      const { answers, cpu } = await round(front);
      const sum = rate.get(front) ?? { answers: 0, cpu: 0 };
      rate.set(front, { answers: sum.answers + answers, cpu: sum.cpu + cpu });
    }
  const perSecond = (front: ReverseProxy) => (rate.get(front)?.answers ?? 0) / (rate.get(front)?.cpu ?? 0);
  tell({
    what: `page of ${PAGE_BYTES} bytes by HTTP`,
    value: perSecond(ours),
    unit: 'requests per CPU second',
    goal: { atLeast: 5000 },
    comparedTo: { what: 'nginx', value: perSecond(theirs) },
  });
}

/** Connections to the simulation server itself and through the gateway take turns. */
async function addedTime(ours: ReverseProxy): Promise<void> {
  const direct: number[] = [];
  const through: number[] = [];
  const ways = [
    [{ ...ours.to, port: upstream.port, path: '/' }, direct],
    [ours.to, through],
  ] as const;
  for (let turn = 0; turn < TURNS; turn += 1)
    for (const [to, latencies] of ways) {
      await clients.open(to, SESSIONS);
      latencies.push(...(await clients.exchange({ size: 64, seconds: 5, pace: PACE })).latencies);
    }
  const p99 = { direct: quantile(direct, 0.99), through: quantile(through, 0.99) };
  note(
    `there and back with ${SESSIONS} sessions: p99 ${p99.direct.toFixed(2)} ms directly, ${p99.through.toFixed(2)} ms through`,
  );
  note(`median ${quantile(direct, 0.5).toFixed(2)} ms directly, ${quantile(through, 0.5).toFixed(2)} ms through`);
  tell({
    what: `added by the relay of ${SESSIONS} sessions, p99`,
    value: p99.through - p99.direct,
    unit: 'ms',
    goal: { atMost: 1 },
  });
}

/** From the end of a session until the `/client` of the simulation server is asked for by the first in line. */
async function freedPlaces(): Promise<void> {
  const server = createServer((_, response) => response.end('5'));
  const sockets = new WebSocketServer({ server, path: '/client' });
  const arrivals: number[] = [];
  server.on('upgrade', () => arrivals.push(performance.now()));
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.once('message', () => socket.send('webots:ws://localhost/2001'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: simulationPort } = server.address() as AddressInfo;
  const configuration: Partial<ConfigurationFile> = {
    simulationServers: [{ address: `127.0.0.1:${simulationPort}`, maxSessions: PLACES }],
    waiting: { relay: true },
  };
  await withGateway(
    false,
    async (_, port) => {
      const begun: WebSocket[] = [];
      const all = new Set<WebSocket>();
      const join = () => {
        const socket = new WebSocket(`ws://localhost:${port}/relay/client`);
        all.add(socket);
        socket.on('error', (error) => {
          throw error;
        });
        socket.once('open', () =>
          socket.send(JSON.stringify({ start: { url: 'https://github.com/school/robots/blob/main/worlds/arm.wbt' } })),
        );
        socket.on('message', (data: Buffer) => {
          if (data.toString('latin1').startsWith('webots:')) begun.push(socket);
        });
      };
      for (let i = 0; i < PLACES + WAITING; i += 1) join();
      await until('all places to be taken', 30, 0.01, () => Promise.resolve(begun.length === PLACES));
      const taken: number[] = [];
      for (let i = 0; i < FREED; i += 1) {
        const leaves = begun.shift();
        if (leaves === undefined) throw new Error('no client is inside');
        const came = arrivals.length;
        const freed = performance.now();
        leaves.close();
        all.delete(leaves);
        await until('the place to be taken', 10, 0.001, () => Promise.resolve(arrivals.length > came && begun.length === PLACES));
        taken.push((arrivals[came] ?? 0) - freed);
        join();
      }
      note(`median ${quantile(taken, 0.5).toFixed(1)} ms, longest ${Math.max(...taken).toFixed(1)} ms of ${taken.length}`);
      tell({
        what: 'from a freed place to the first waiter at the simulation server, p99',
        value: quantile(taken, 0.99),
        unit: 'ms',
        goal: { atMost: 200 },
      });
      for (const socket of all)
        socket
          .removeAllListeners('error')
          .on('error', () => undefined)
          .terminate();
    },
    configuration,
    simulationPort,
  );
  server.closeAllConnections();
  server.close();
}

async function withGateway(
  tls: boolean,
  measure: (program: Program, port: number) => Promise<void>,
  configuration: Partial<ConfigurationFile> = { simulationServers: [] },
  to = upstream.port,
): Promise<void> {
  const port = await freePort();
  const program = await startProgram({
    server: `localhost:${port}`,
    simulationServers: [],
    ...configuration,
    limits: { rateBurst: 100_000, ratePerSecond: 100_000 },
    gateway: { enabled: true, port, routes: { [String(to)]: '127.0.0.1' }, ...(tls && { tls: { ...files } }) },
  });
  try {
    await measure(program, port);
  } finally {
    await program.stop();
  }
}

function portOf({ plainPort, tlsPort }: Nginx, tls: boolean): number {
  return tls ? tlsPort : plainPort;
}

function certificate(): CertificateFiles {
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', ...kind, '-keyout', paths.key, '-out', paths.cert], { stdio: 'ignore' });
  return paths;
}
