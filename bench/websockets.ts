/**
 * Ten thousand idle WebSocket clients on `/`: memory of each, the time until all have received a change, and how long nothing else is answered meanwhile.
 * As many as the descriptor limit allows. About a minute; ends by itself.
 */
import { note, quantile, tell, title } from './support/figures.ts';
import { pause, until } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startReference, type Reference } from './support/reference.ts';
import { getOnce, makeRequests } from './support/requests.ts';
import { startSimulationServers, type SimulationServers } from './support/simulation-servers.ts';
import { descriptorLimit } from './support/usage.ts';
import { startWebSocketClients, type WebSocketClients } from './support/web-socket-clients.ts';

const WANTED = 10_000;
const CHANGES = 6;
const INTERVAL = 1;
const KIB = 1024;

const count = Math.min(WANTED, descriptorLimit() - 500);
title(`${count} idle WebSocket clients on /`);
if (count < WANTED) note(`fewer than ${WANTED}: the limit of file descriptors is ${descriptorLimit()}`);

const fleet = await startSimulationServers({ count: 2 });
const reference = await startReference();
const program = await startProgram({ simulationServers: [...fleet.addresses], pollInterval: INTERVAL });
const clients = await startWebSocketClients();
const others = await startWebSocketClients();
try {
  await until('a first answer', 10, 0.05, async () => (await getOnce(program.port, '/')) === '1');
  const bare = await memoryOf(reference, others);
  await others.kill();
  tell({
    what: 'memory of a client',
    value: (await memoryOf(program, clients)) / KIB,
    unit: 'KiB',
    goal: { atMost: 10 },
    comparedTo: { what: 'a bare ws server', value: bare / KIB },
  });
  await changes(program, clients, fleet);
} finally {
  await others.kill();
  await clients.kill();
  await program.stop();
  await reference.kill();
  await fleet.kill();
}

/** Bytes a client adds to the process. A few come first, so that what is made once does not count. */
async function memoryOf({ port, usage }: Pick<Program | Reference, 'port' | 'usage'>, from: WebSocketClients): Promise<number> {
  const first = Math.round(count / 20);
  await from.open(port, first);
  await pause(6);
  const before = usage().resident;
  await from.open(port, count - first);
  await pause(6);
  return (usage().resident - before) / (count - first);
}

/** The fleet fills up and empties again and again, while a client sends other requests without a pause. */
async function changes(program: Program, clients: WebSocketClients, fleet: SimulationServers): Promise<void> {
  const spreads: number[] = [];
  const stalls: number[] = [];
  const quiet = await latencies(program.port, 3);
  for (let change = 0; change < CHANGES; change += 1) {
    const text = change % 2 === 0 ? '0' : '1';
    const during = latencies(program.port, 3.5 * INTERVAL);
    await fleet.report(text === '0' ? 99 : 20);
    await until(`all have received ${text}`, 40, 0.2, async () => (await clients.heard(text)).clients >= count);
    const { first, last } = await clients.heard(text);
    spreads.push(last - first);
    stalls.push(...(await during));
  }
  note(`first to last client: ${spreads.map((value) => `${(value * 1000).toFixed(0)} ms`).join(', ')}`);
  tell({
    what: 'from the first client that received a change to the last',
    value: Math.max(...spreads),
    unit: 's',
    goal: { atMost: 0.5 },
  });
  note(
    `a request every 2 ms: p99 ${quantile(quiet, 0.99).toFixed(1)} ms without changes, ${quantile(stalls, 0.99).toFixed(1)} ms with them`,
  );
  tell({
    what: 'longest wait of another request during changes',
    value: Math.max(...stalls),
    unit: 'ms',
    goal: { atMost: 20 },
    comparedTo: { what: 'the longest without changes', value: Math.max(...quiet) },
  });
}

async function latencies(port: number, seconds: number): Promise<number[]> {
  const result = await makeRequests({ port, path: '/livez', connections: 1, seconds, pace: 500 });
  return result.latencies;
}
