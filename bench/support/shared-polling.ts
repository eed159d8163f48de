/** Ten thousand simulation servers that four replicas poll in shares, and what happens to the share of one that dies. */
import { note, tell } from './figures.ts';
import { pause, until } from './pause.ts';
import { startProgram, type Program } from './program.ts';
import type { RedisProcess } from './redis.ts';
import { getOnce } from './requests.ts';
import { startSimulationServers, type SimulationServers } from './simulation-servers.ts';
import { descriptorLimit } from './usage.ts';

const WANTED = 10_000;
const REPLICAS = 4;
const INTERVAL = 5;
/** Seconds until the connections of the first leader to all servers have ended. */
const SETTLED = 30;
const SECONDS = 20;

export async function measureSharedPolling(redis: RedisProcess, wanted = WANTED): Promise<void> {
  // Two for each server: at the beginning the leader polls all of them.
  const count = Math.min(wanted, Math.floor((descriptorLimit() - 500) / 2));
  if (count < wanted) note(`${count} servers instead of ${wanted}: the limit of file descriptors is ${descriptorLimit()}`);
  const fleet = await startSimulationServers({ count, loads: [10, 20, 30, 40, 50, 60, 70] });
  const programs: Program[] = [];
  try {
    for (let i = 1; i <= REPLICAS; i += 1)
      programs.push(
        await startProgram({
          simulationServers: [...fleet.addresses],
          replicas: { store: redis.url, prefix: 'bench-polling', name: `r${i}`, alone: 'wait' },
        }),
      );
    await until('each replica has its share', 60, 0.5, () => isShared(programs, count));
    await pause(SETTLED);
    await measureShares(fleet, programs, redis);
    await measureTakeover(fleet, programs);
  } finally {
    await Promise.all(programs.map((program) => program.stop().catch(() => undefined)));
    await fleet.kill();
  }
}

async function isShared([first]: readonly Program[], count: number): Promise<boolean> {
  if (first === undefined) return false;
  // Its port closes and opens when it begins to lead.
  const text = await getOnce(first.port, '/api/v1/replicas').catch(() => '{"members":[]}');
  const { members } = JSON.parse(text) as { members: { polls: number }[] };
  const shares = members.map(({ polls }) => polls);
  if (Math.min(...shares) === 0 || shares.reduce((sum, polls) => sum + polls, 0) !== count) return false;
  note(`servers that each of ${shares.length} replicas polls: ${shares.join(', ')}`);
  return shares.length === REPLICAS;
}

async function measureShares(fleet: SimulationServers, programs: readonly Program[], redis: RedisProcess): Promise<void> {
  await fleet.reset();
  const before = [redis.usage().cpu, ...programs.map((program) => program.usage().cpu)];
  const began = performance.now();
  await pause(SECONDS);
  const seconds = (performance.now() - began) / 1000;
  const after = [redis.usage().cpu, ...programs.map((program) => program.usage().cpu)];
  const [ofRedis = 0, ...ofReplicas] = after.map((cpu, i) => (100 * (cpu - (before[i] ?? 0))) / seconds);
  const { polls, connections, longestGap, requests } = await fleet.statistics();
  const twice = connections.filter((open) => open > 1).length;
  tell({ what: 'servers that more than one replica polls', value: twice, unit: 'servers', goal: { atMost: 0 } });
  tell({
    what: 'polls of a server in one interval',
    value: (requests / polls.length / seconds) * INTERVAL,
    unit: '',
    goal: { atMost: 1.2 },
  });
  tell({ what: 'longest time between two polls of one server', value: longestGap, unit: 's', goal: { atMost: 6 } });
  tell({ what: 'CPU of Redis', value: ofRedis, unit: '% of a core', goal: { atMost: 2 } });
  note(`memory of each: ${programs.map((program) => (program.usage().resident / 2 ** 20).toFixed(0)).join(', ')} MiB`);
  note(`CPU of each replica: ${ofReplicas.map((cpu) => `${cpu.toFixed(1)} %`).join(', ')} of a core`);
}

/** A replica dies. Its servers are those to which no connection is open afterwards. */
async function measureTakeover(fleet: SimulationServers, programs: Program[]): Promise<void> {
  const victim = programs.pop();
  if (victim === undefined) return;
  process.kill(victim.pid, 'SIGKILL');
  const diedAt = performance.now();
  await pause(0.5);
  const its = (await fleet.statistics()).connections.flatMap((open, i) => (open === 0 ? [i] : []));
  await fleet.reset();
  await until('its servers are polled', 30, 0.05, async () => {
    const { polls } = await fleet.statistics();
    return its.every((i) => (polls[i] ?? 0) > 0);
  });
  const took = (performance.now() - diedAt) / 1000;
  tell({
    what: `${its.length} servers of a replica that died are polled by others after`,
    value: took,
    unit: 's',
    goal: { atMost: 5 },
  });
}
