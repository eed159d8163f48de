/**
 * The simulation server: starts of sessions, projects, churn and what it leaves, memory, streams; and what the session server gains from servers that report
 * their sessions. The simulator is one that starts at once, so the figures are those of the server. A row can be run alone: `npm run bench -- simulation:churn`. Some minutes; ends by itself.
 */
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { packageRoot } from '../src/system/package-root.ts';
import { burst } from './support/burst.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause, until } from './support/pause.ts';
import { ownStartOf } from './support/plain-simulator.ts';
import { WORLD, type ProjectRepository } from './support/project-repository.ts';
import { makeRequests } from './support/requests.ts';
import { leftoversOf } from './support/simulation-leftovers.ts';
import {
  childrenOf,
  startSimulationProgram,
  type SessionClient,
  type SimulationProgram,
  type SimulationProgramOptions,
} from './support/simulation-program.ts';

const run = promisify(execFile);
const TINY = 'https://github.com/acme/tiny/blob/main/worlds/arm.wbt';
const LARGE = 'https://github.com/acme/large/blob/main/robots/worlds/arm.wbt';
/** Below the ports of the servers. */
const OWN_PORT = 19_000;
/** At a time, in churn. */
const TOGETHER = 8;

/** Seconds. */
const REFRESH_AFTER = 1;
const REFRESHING = { configuration: { cache: { leaveFree: 0, refreshAfter: REFRESH_AFTER } } };

/** By the names that `npm run bench -- simulation:churn,memory` takes; all of them otherwise. */
const rows: Readonly<Record<string, () => Promise<void>>> = {
  starts: () => withProgram({ isolation: 'cgroup' }, (program) => starts(program, 'cgroup')),
  bubblewrap: () => withProgram({ isolation: 'bubblewrap' }, (program) => starts(program, 'bubblewrap')),
  layers: () => withProgram({ isolation: 'cgroup', ...REFRESHING }, (program) => largeProject(program, 'layers', 60)),
  copies: () =>
    withProgram({ isolation: 'cgroup', copies: true, ...REFRESHING }, (program) => largeProject(program, 'copies', 150)),
  class: () => withProgram({ isolation: 'cgroup' }, sharedFetch),
  load: () => withProgram({ isolation: 'cgroup' }, loadWhileFetching),
  churn: () => withProgram({ isolation: 'cgroup' }, churn),
  stages: () => withProgram({ isolation: 'bubblewrap' }, everyStage),
  memory: () => withProgram({ isolation: 'cgroup' }, hundredSessions),
  streams: () => withProgram({ isolation: 'cgroup' }, streams),
  burst: () => burst({ reportsSessions: true, spread: 4 }),
  counted: countedScenarios,
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in rows));
if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}. There are: ${Object.keys(rows).join(', ')}`);
for (const name of named.length > 0 ? named : Object.keys(rows)) await rows[name]?.();

async function withProgram(
  options: SimulationProgramOptions,
  measure: (program: SimulationProgram) => Promise<void>,
): Promise<void> {
  const program = await startSimulationProgram(options);
  try {
    program.repository('acme/tiny').commit({ 'worlds/arm.wbt': WORLD });
    // The first session fetches the project and starts the launcher.
    await oneSession(program);
    await measure(program);
  } finally {
    await program.stop();
  }
}

async function starts(program: SimulationProgram, isolation: string): Promise<void> {
  title(`Start message to address, tiny project that is known, ${isolation}`);
  const { median: own } = await ownStartOf(program.home, OWN_PORT);
  note(`the simulator alone starts in ${own.toFixed(1)} ms, which is subtracted; ${loadOfMachine()}`);
  const alone: number[] = [];
  for (let round = 0; round < 100; round += 1) alone.push((await oneSession(program)) - own);
  tell({ what: 'one at a time, p50', value: quantile(alone, 0.5), unit: 'ms', goal: { atMost: 40 } });
  tell({ what: 'one at a time, p99', value: quantile(alone, 0.99), unit: 'ms', goal: { atMost: 150 } });
  const { median: ownTogether } = await ownStartOf(program.home, OWN_PORT, 100, TOGETHER);
  const together = (await sessionsAtATime(program, 200)).times.map((time) => time - ownTogether);
  note(`${TOGETHER} of them at a time start in ${ownTogether.toFixed(1)} ms, which is subtracted from now on`);
  tell({ what: `${TOGETHER} at a time, p50 (the original: 182 ms)`, value: quantile(together, 0.5), unit: 'ms' });
  tell({ what: `${TOGETHER} at a time, p99`, value: quantile(together, 0.99), unit: 'ms' });
}

async function largeProject(program: SimulationProgram, how: string, goal: number): Promise<void> {
  title(`Project of 18 MB, ${how}`);
  const { median: own } = await ownStartOf(program.home, OWN_PORT);
  const repository = program.repository('acme/large');
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    commitLarge(repository);
    // Until then the answer for the branch is used again.
    await pause(REFRESH_AFTER + 0.1);
    cold.push((await oneSession(program, LARGE)) - own);
    for (let again = 0; again < 5; again += 1) warm.push((await oneSession(program, LARGE)) - own);
  }
  tell({ what: `known, ${how}, p50`, value: quantile(warm, 0.5), unit: 'ms', goal: { atMost: goal } });
  tell({ what: 'new commit, p50', value: quantile(cold, 0.5), unit: 'ms', goal: { atMost: 1200 } });
}

async function sharedFetch(program: SimulationProgram): Promise<void> {
  title('30 clients of one new project of 18 MB at once');
  commitLarge(program.repository('acme/large'));
  const before = await program.metric('simulation_server_projects_total{from="fetches"}');
  const clients = await Promise.all(Array.from({ length: 30 }, () => program.start(LARGE)));
  const times = await Promise.all(clients.map((client) => client.streams()));
  const fetches = (await program.metric('simulation_server_projects_total{from="fetches"}')) - before;
  await endAll(program, clients);
  tell({ what: 'fetches', value: fetches, unit: 'fetches', goal: { atMost: 1 } });
  tell({ what: 'the last client has its address', value: Math.max(...times), unit: 'ms', goal: { atMost: 3000 } });
}

async function loadWhileFetching(program: SimulationProgram): Promise<void> {
  title('GET /load while projects of 18 MB are fetched one after the other');
  const repositories = Array.from({ length: 6 }, (_, index) => program.repository(`acme/large${index}`));
  for (const repository of repositories) commitLarge(repository);
  const began = performance.now();
  const fetching = (async () => {
    for (const [index] of repositories.entries()) await oneSession(program, LARGE.replace('/large/', `/large${index}/`));
    return (performance.now() - began) / 1000;
  })();
  const ask = { port: program.port, path: '/load', connections: 2, seconds: 4, pace: 100 };
  const { latencies } = await makeRequests(ask);
  note(`${repositories.length} projects were fetched in ${(await fetching).toFixed(1)} s; ${loadOfMachine()}`);
  const idle = await makeRequests(ask);
  tell({
    ...{ what: 'p99 (the original: 2,800 ms)', value: quantile(latencies, 0.99), unit: 'ms', goal: { atMost: 10 } },
    comparedTo: { what: 'p99 while nothing is fetched', value: quantile(idle.latencies, 0.99) },
  });
}

async function churn(program: SimulationProgram): Promise<void> {
  title(`Sessions that begin and end, ${TOGETHER} at a time`);
  const count = 400;
  const own = await ownStartOf(program.home, OWN_PORT, count, TOGETHER);
  const before = program.cpu();
  const { seconds } = await sessionsAtATime(program, count);
  const after = program.cpu();
  note(loadOfMachine());
  tell({
    ...{ what: 'sessions a second, to the end of the last', value: count / seconds, unit: '/s', goal: { atLeast: 40 } },
    comparedTo: { what: 'the simulator alone', value: own.rate },
  });
  for (const part of ['server', 'launcher', 'programs'] as const)
    tell({ what: `CPU of a session: ${part}`, value: (1000 * (after[part] - before[part])) / count, unit: 'ms' });
}

/** Seconds of others make wall time longer. */
function loadOfMachine(): string {
  return `load of this machine: ${loadavg()[0]?.toFixed(1) ?? ''} on ${cpus().length} processors`;
}

/** The stages are the messages a client has seen when it leaves; some leave before, some are left by their simulator. */
async function everyStage(program: SimulationProgram): Promise<void> {
  title('1,000 sessions that end at every stage');
  const repository = program.repository('acme/tiny');
  repository.commit({ 'worlds/crash.wbt': WORLD, 'worlds/stay.wbt': WORLD });
  await sessionsAtATime(program, 4 * TOGETHER);
  const before = leftoversOf(program);
  let left = 1000;
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      while ((left -= 1) >= 0) await endAtSomeStage(program, left);
    }),
  );
  await empty(program);
  // A check of the server itself.
  const after = await settled(program, before);
  for (const kind of ['processes', 'cgroups', 'mounts', 'folders', 'ports', 'descriptors'] as const)
    tell({ what: `${kind} left behind`, value: Math.max(0, after[kind] - before[kind]), unit: '', goal: { atMost: 0 } });
  const found = await program.metric('simulation_server_leftovers_total');
  tell({ what: 'leftovers that the server found itself', value: found, unit: '', goal: { atMost: 0 } });
}

async function endAtSomeStage(program: SimulationProgram, number: number): Promise<void> {
  const world = number % 10 === 0 ? 'crash' : number % 10 === 1 ? 'stay' : 'arm';
  const client = await program.start(TINY.replace('arm.wbt', `${world}.wbt`));
  // A session whose client stays sends ten messages.
  await client.hears(number % 11);
  if (number % 2 === 0) client.socket.terminate();
  await client.close();
}

/** Connections that were closed a moment ago are still counted by the system. */
async function settled(
  program: SimulationProgram,
  before: ReturnType<typeof leftoversOf>,
): Promise<ReturnType<typeof leftoversOf>> {
  await until('nothing to be left', 10, 0.2, () => Promise.resolve(leftoversOf(program).descriptors <= before.descriptors)).catch(
    () => undefined,
  );
  return leftoversOf(program);
}

async function hundredSessions(program: SimulationProgram): Promise<void> {
  title('100 sessions without streams');
  await sessionsAtATime(program, 100);
  await pause(2);
  const idle = program.usage().resident;
  tell({ what: 'memory of the server', value: idle / 1_048_576, unit: 'MiB', goal: { atMost: 90 } });
  const launcher = childrenOf(program.pid).reduce((sum, pid) => sum + residentOf(pid), 0);
  note(`its launcher takes ${(launcher / 1_048_576).toFixed(0)} MiB`);
  const clients: SessionClient[] = [];
  for (let count = 0; count < 100; count += 1) {
    const client = await program.start(TINY);
    await client.streams();
    clients.push(client);
  }
  await pause(3);
  const each = (program.usage().resident - idle) / clients.length / 1024;
  tell({ what: 'memory of a session', value: each, unit: 'KiB', goal: { atMost: 150 } });
  const cpu = await cpuOf(program, 15);
  tell({ what: 'CPU with 100 metered sessions', value: cpu, unit: '% of a core', goal: { atMost: 3 } });
  await endAll(program, clients);
}

async function streams(program: SimulationProgram): Promise<void> {
  const count = 20;
  title(`${count} streams of 36 kB/s`);
  const clients = await Promise.all(Array.from({ length: count }, () => program.start(TINY)));
  for (const client of clients) await client.streams();
  await pause(2);
  const without = await cpuOf(program, 15);
  const viewers = clients.map(({ streamPort }) => new WebSocket(`ws://127.0.0.1:${streamPort}/`, { perMessageDeflate: false }));
  let bytes = 0;
  for (const viewer of viewers) viewer.on('message', (data: Buffer) => (bytes += data.length));
  await pause(2);
  bytes = 0;
  const cpu = await cpuOf(program, 15);
  note(`each viewer received ${(bytes / 15 / count / 1000).toFixed(1)} kB/s`);
  tell({ what: 'CPU of one stream', value: (cpu - without) / count, unit: '% of a core', goal: { atMost: 0.2 } });
  for (const viewer of viewers) viewer.terminate();
  await endAll(program, clients);
}

/** The simulator of the allocation, with and without reports of sessions that begin and end. */
async function countedScenarios(): Promise<void> {
  title('Scenarios of bench/policy-sim: clients that were unhappy, with and without reports of sessions');
  const folder = mkdtempSync(join(tmpdir(), 'bench-counted-'));
  const json = join(folder, 'results.json');
  const only = ['checks', 'unchecked', 'checks-busy', 'class-3', 'class-10', 'mid', 'full', 'two-kinds', 'deadline', 'phantoms'];
  const simulate = async (...more: readonly string[]) => {
    const program = join(packageRoot, 'bench/policy-sim/run.mjs');
    const candidate = join(packageRoot, 'dist/bench/candidate.js');
    const common = ['--with', candidate, '--json', json, '--seeds', '10', '--policies', 'candidate', '--only', only.join()];
    await run(process.execPath, [program, ...common, ...more], { maxBuffer: 10_000_000 });
    const results = JSON.parse(readFileSync(json, 'utf8')) as Record<
      string,
      { readonly candidate?: { readonly unhappy: number } }
    >;
    return only.map((name) => 100 * (results[name]?.candidate?.unhappy ?? Number.NaN));
  };
  try {
    const [plain, counted] = [await simulate(), await simulate('--counted')];
    for (const [index, name] of only.entries())
      note(`${name.padEnd(12)} ${plain[index]?.toFixed(1)}% → ${counted[index]?.toFixed(1)}%`);
    const [before, after] = [plain, counted].map((all) => all.reduce((sum, value) => sum + value, 0) / all.length);
    const less = 100 * (1 - (after ?? 0) / (before ?? 1));
    tell({ what: 'fewer unhappy clients with reports, mean of them', value: less, unit: '%', goal: { atLeast: 33.3 } });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds to its address. */
async function oneSession(program: SimulationProgram, url = TINY): Promise<number> {
  const client = await program.start(url);
  const time = await client.streams();
  await endAll(program, [client]);
  return time;
}

async function sessionsAtATime(
  program: SimulationProgram,
  count: number,
): Promise<{ readonly seconds: number; readonly times: readonly number[] }> {
  const times: number[] = [];
  let left = count;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      while ((left -= 1) >= 0) {
        const client = await program.start(TINY);
        times.push(await client.streams());
        await client.close();
      }
    }),
  );
  await empty(program);
  return { seconds: (performance.now() - began) / 1000, times };
}

async function endAll(program: SimulationProgram, clients: readonly SessionClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
  await empty(program);
}

async function empty(program: SimulationProgram): Promise<void> {
  await until('the end of all sessions', 60, 0.02, async () => (await program.sessions()) === 0);
}

async function cpuOf(program: SimulationProgram, seconds: number): Promise<number> {
  const before = program.usage().cpu;
  await pause(seconds);
  return (100 * (program.usage().cpu - before)) / seconds;
}

function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** 10 of 18 MB are in the folder of the project. Random, so that nothing is compressed, and nothing known from an earlier commit. */
function commitLarge(repository: ProjectRepository): void {
  const part = () => randomBytes(1_000_000);
  const own = Array.from({ length: 10 }, (_, index) => [`robots/textures/${index}.bin`, part()] as const);
  const others = Array.from({ length: 8 }, (_, index) => [`other/${index}.bin`, part()] as const);
  repository.commit({ 'robots/worlds/arm.wbt': WORLD, ...Object.fromEntries([...own, ...others]) });
}
