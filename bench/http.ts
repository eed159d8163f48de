/**
 * `GET /session` with keep-alive: requests per CPU second of the session server's process, with 100 and with 1,000 simulation servers, and what hung
 * simulation servers do to its latency. About a minute; ends by itself.
 */
import type { ConfigurationFile } from '../src/config/schema.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startReference, type Reference } from './support/reference.ts';
import { makeRequests } from './support/requests.ts';
import { startSimulationServers, type SimulationServers } from './support/simulation-servers.ts';

const CONNECTIONS = 32;
const SECONDS = 6;
const WARM_UP = 3;
/** Requests a second while latencies are compared: few enough for both cores to have room. */
const PACE = 400;
const ROUNDS = 3;

/** Sessions so light, and forgotten so soon, that the fleet takes tens of thousands a second: what is measured is the hand-out, not the refusal. */
const ENDLESS: ConfigurationFile['allocation'] = {
  target: 200,
  cost: 0.3,
  learning: false,
  settle: [0, 1],
  suspectAfter: 1000,
};

title('GET /session with keep-alive');
const reference = await startReference();
try {
  const bare = await perCpuSecond(reference.port, reference);
  note(`bare node:http server with a constant answer: ${Math.round(bare)} requests per CPU second`);
  await handOuts(100, 20_000, bare);
  await handOuts(1000, 10_000, bare);
  await refusals(bare);
  await hungServers();
} finally {
  await reference.kill();
}

async function handOuts(count: number, atLeast: number, bare: number): Promise<void> {
  await withFleet(count, { allocation: ENDLESS, pollInterval: 1 }, async ({ port, ...program }) => {
    const bodies = new Map<string, number>();
    const value = await perCpuSecond(port, program, (body) => bodies.set(body, (bodies.get(body) ?? 0) + 1));
    tell({
      what: `handed out, ${count} simulation servers`,
      value,
      unit: 'requests per CPU second',
      goal: { atLeast },
      comparedTo: { what: 'bare node:http', value: bare },
    });
    const refused = [...bodies].filter(([body]) => !body.startsWith('ws')).reduce((sum, [, times]) => sum + times, 0);
    note(`${bodies.size} different answers, ${refused} refusals`);
  });
}

/** What a flood meets: the fleet is full after the first few. */
async function refusals(bare: number): Promise<void> {
  await withFleet(100, {}, async ({ port, ...program }) => {
    tell({
      what: 'refused for want of room, 100 simulation servers',
      value: await perCpuSecond(port, program),
      unit: 'requests per CPU second',
      goal: { atLeast: 20_000 },
      comparedTo: { what: 'bare node:http', value: bare },
    });
  });
}

/** Phases without and with hung servers take turns in one run, so that what else the machine does falls on both. */
async function hungServers(): Promise<void> {
  await withFleet(100, { allocation: ENDLESS }, async ({ port }, fleet) => {
    const without: number[] = [];
    const during: number[] = [];
    const hung = Array.from({ length: 20 }, (_, index) => index * 5);
    await measurePaced(port);
    for (let round = 0; round < ROUNDS; round += 1) {
      await fleet.hang([]);
      // The last of those that hung are heard again after their time-out.
      if (round > 0) await pause(6);
      without.push(...(await measurePaced(port)));
      await fleet.hang(hung);
      during.push(...(await measurePaced(port)));
    }
    const [p99Without, p99During] = [quantile(without, 0.99), quantile(during, 0.99)];
    note(`p99 ${p99Without.toFixed(2)} ms without, ${p99During.toFixed(2)} ms while 20 of 100 simulation servers hang`);
    note(`median ${quantile(without, 0.5).toFixed(2)} ms without, ${quantile(during, 0.5).toFixed(2)} ms while they hang`);
    tell({
      what: 'p99 while 20 of 100 hang, above the p99 without',
      value: p99During - p99Without,
      unit: 'ms',
      goal: { atMost: 5 },
    });
  });
}

async function measurePaced(port: number): Promise<number[]> {
  const { latencies } = await makeRequests({ port, path: '/session', connections: CONNECTIONS, seconds: 5, pace: PACE });
  return latencies;
}

async function perCpuSecond(port: number, process: Pick<Reference, 'usage'>, answered?: (body: string) => void): Promise<number> {
  const request = { port, path: '/session', connections: CONNECTIONS };
  await makeRequests({ ...request, seconds: WARM_UP });
  const before = process.usage();
  const { answers } = await makeRequests({ ...request, seconds: SECONDS, ...(answered && { answered }) });
  return answers / (process.usage().cpu - before.cpu);
}

async function withFleet(
  count: number,
  configuration: Partial<ConfigurationFile>,
  measure: (program: Program, fleet: SimulationServers) => Promise<void>,
): Promise<void> {
  const fleet = await startSimulationServers({ count, loads: [10, 20, 30] });
  try {
    const program = await startProgram({ simulationServers: [...fleet.addresses], ...configuration });
    try {
      await pause(2);
      await measure(program, fleet);
    } finally {
      await program.stop();
    }
  } finally {
    await fleet.kill();
  }
}
