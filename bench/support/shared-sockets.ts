/** Three replicas with as many idle WebSocket clients each as the descriptor limit allows: when all of them have received a change. */
import { note, tell } from './figures.ts';
import { freePort } from './nginx.ts';
import { until } from './pause.ts';
import { startProgram } from './program.ts';
import type { RedisProcess } from './redis.ts';
import { getOnce } from './requests.ts';
import { startSimulationServers } from './simulation-servers.ts';
import { descriptorLimit } from './usage.ts';
import { startWebSocketClients } from './web-socket-clients.ts';

const REPLICAS = 3;
const WANTED = 10_000;
/** A follower keeps descriptors for requests that it forwards. */
const KEPT = 3000;
const CHANGES = 4;
const PREFIX = 'bench-sockets';

export async function measureSharedSockets(redis: RedisProcess): Promise<void> {
  const count = Math.min(WANTED, descriptorLimit() - KEPT);
  const fleet = await startSimulationServers({ count: 2 });
  const programs = await Promise.all(
    Array.from({ length: REPLICAS }, async (_, i) => {
      const port = await freePort();
      const own = { store: redis.url, prefix: PREFIX, name: `r${i + 1}`, address: `http://127.0.0.1:${port}` };
      return startProgram({ port, simulationServers: [...fleet.addresses], pollInterval: 1, replicas: own });
    }),
  );
  const clients = await Promise.all(programs.map(() => startWebSocketClients()));
  try {
    const isReady = async (port: number) => (await getOnce(port, '/readyz').catch(() => '')) === 'ok\n';
    for (const { port } of programs) await until('a replica is ready', 20, 0.1, () => isReady(port));
    for (const [i, { port }] of programs.entries()) await clients[i]?.open(port, count);
    const delays: number[] = [];
    for (let change = 0; change < CHANGES; change += 1) {
      const text = change % 2 === 0 ? '0' : '1';
      await fleet.report(text === '0' ? 99 : 20);
      const heard = () => Promise.all(clients.map((some) => some.heard(text)));
      await until(`all have received ${text}`, 60, 0.5, async () => (await heard()).every((some) => some.clients >= count));
      const times = await heard();
      delays.push(Math.max(...times.map(({ last }) => last)) - Math.min(...times.map(({ first }) => first)));
    }
    note(
      `${REPLICAS} replicas with ${count} WebSocket clients each: ${delays.map((value) => `${(value * 1000).toFixed(0)} ms`).join(', ')}`,
    );
    tell({
      what: 'from the first client of three replicas that received a change to the last',
      value: Math.max(...delays),
      unit: 's',
      goal: { atMost: 0.5 },
    });
  } finally {
    await Promise.all(clients.map((some) => some.kill()));
    await Promise.all(programs.map((program) => program.stop()));
    await fleet.kill();
  }
}
