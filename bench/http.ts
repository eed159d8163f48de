/**
 * `GET /session` with keep-alive: requests per CPU second of the session server's process, with 100, 1,000 and 10,000 simulation servers, what hung
 * simulation servers do to its latency, and how soon a project is refused that none of them can ever take. About three minutes; ends by itself.
 */
import type { ConfigurationFile } from '../src/config/schema.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startReference } from './support/reference.ts';
import { makeRequests, open } from './support/requests.ts';
import { startSimulationServers, type SimulationServers } from './support/simulation-servers.ts';

const CONNECTIONS = 32;
/** Rounds of so many seconds. */
const ROUNDS = 3;
const SECONDS = 2;
/** Requests, and the most seconds they may take. */
const WARM_UP = 40_000;
const MAX_WARM_UP = 8;
/** Requests a second while latencies are compared: few enough for both cores to have room. */
const PACE = 400;
const PHASES = 3;
/** Seconds after the start: each server was polled twice, and its `/client` was tried. What the start costs is measured by `bench start`. */
const SETTLE = 12;
/** Seconds: two rounds of polls. */
const IDLE = 10;
/** Projects that no server can ever take, and seconds for which the session server would hold a request that could wait. */
const IMPOSSIBLE = 2000;
const HOLD = 50;

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
  const perHandOut = await handOuts(100, 20_000);
  for (const count of [1000, 10_000]) {
    tell({
      what: `CPU of a hand-out with 100 simulation servers, as a part of that with ${count}`,
      value: perHandOut / (await handOuts(count, 10_000)),
      unit: '',
      goal: { atLeast: 0.9 },
    });
  }
  await refusals();
  await hungServers();
  await impossibleProjects();
} finally {
  await reference.kill();
}

/** Returns the CPU seconds of a hand-out without those of the polls, which take as much with no client at all. */
async function handOuts(count: number, goal: number): Promise<number> {
  let perHandOut = 0;
  await withFleet(count, { allocation: ENDLESS }, {}, async (program) => {
    const bodies = new Map<string, number>();
    const polls = await cpuOfPolls(program);
    const { value, bare } = await perCpuSecond(program, (body) => bodies.set(body, (bodies.get(body) ?? 0) + 1));
    const handedOut = [...bodies.values()].reduce((sum, times) => sum + times, 0);
    perHandOut = 1 / value - (polls * ROUNDS * SECONDS) / handedOut;
    tell({
      what: `handed out, ${count} simulation servers`,
      value,
      unit: 'requests per CPU second',
      goal: { atLeast: goal },
      comparedTo: { what: 'a bare node:http server', value: bare },
    });
    const refused = [...bodies].filter(([body]) => !body.startsWith('ws')).reduce((sum, [, times]) => sum + times, 0);
    note(`${bodies.size} different answers, ${refused} refusals; polls take ${(100 * polls).toFixed(1)}% of a core`);
  });
  return perHandOut;
}

/** CPU seconds in a second. */
async function cpuOfPolls(program: Program): Promise<number> {
  const before = program.usage().cpu;
  await pause(IDLE);
  return (program.usage().cpu - before) / IDLE;
}

/** What a flood meets: the fleet is full after the first few. */
async function refusals(): Promise<void> {
  await withFleet(100, {}, {}, async (program) => {
    const { value, bare } = await perCpuSecond(program);
    tell({
      what: 'refused for want of room, 100 simulation servers',
      value,
      unit: 'requests per CPU second',
      goal: { atLeast: 20_000 },
      comparedTo: { what: 'a bare node:http server', value: bare },
    });
  });
}

/** Phases without and with hung servers take turns in one run, so that what else the machine does falls on both. */
async function hungServers(): Promise<void> {
  await withFleet(100, { allocation: ENDLESS }, {}, async ({ port }, fleet) => {
    const without: number[] = [];
    const during: number[] = [];
    const hung = Array.from({ length: 20 }, (_, index) => index * 5);
    await measurePaced(port);
    for (let round = 0; round < PHASES; round += 1) {
      await fleet.hang([]);
      // The last of those that hung answer again after their time-out.
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

/** One after the other, each of another repository: nothing that was found out for one serves the next. */
async function impossibleProjects(): Promise<void> {
  const rules = { allowedRepositories: ['github.com/school'] };
  await withFleet(1000, { waiting: { hold: HOLD } }, rules, async ({ port }) => {
    const client = await open(port);
    const latencies: number[] = [];
    for (let project = 0; project < IMPOSSIBLE; project += 1) {
      const asked = performance.now();
      const answer = await client.ask(
        `GET /session?url=https://github.com/guest/robots-${project}/blob/main/worlds/arm.wbt HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      );
      latencies.push(performance.now() - asked);
      if (!answer.startsWith('Error: None of the 1000 simulation servers allows projects'))
        throw new Error(`answered: ${answer}`);
    }
    client.close();
    note(`median ${quantile(latencies, 0.5).toFixed(2)} ms, p99 ${quantile(latencies, 0.99).toFixed(2)} ms`);
    tell({
      what: `a project that none of 1000 servers can ever take is refused, the slowest of ${IMPOSSIBLE}`,
      value: Math.max(...latencies),
      unit: 'ms',
      goal: { atMost: 50 },
    });
  });
}

async function measurePaced(port: number): Promise<number[]> {
  const { latencies } = await makeRequests({ port, path: '/session', connections: CONNECTIONS, seconds: 5, pace: PACE });
  return latencies;
}

/** Rounds of the session server and of the bare server take turns, so that the ratio holds whatever else the machine does. */
async function perCpuSecond(program: Program, answered?: (body: string) => void): Promise<{ value: number; bare: number }> {
  const totals = { answers: 0, cpu: 0, bareAnswers: 0, bareCpu: 0 };
  for (const server of [reference, program]) await atLeast(server.port, WARM_UP);
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = await measure(reference);
    const ours = await measure(program, answered);
    totals.bareAnswers += bare.answers;
    totals.bareCpu += bare.cpu;
    totals.answers += ours.answers;
    totals.cpu += ours.cpu;
  }
  return { value: totals.answers / totals.cpu, bare: totals.bareAnswers / totals.bareCpu };
}

async function measure(
  { port, usage }: Pick<Program, 'port' | 'usage'>,
  answered?: (body: string) => void,
): Promise<{ answers: number; cpu: number }> {
  const before = usage().cpu;
  const { answers } = await makeRequests({
    ...{ port, path: '/session', connections: CONNECTIONS, seconds: SECONDS },
    ...(answered && { answered }),
  });
  return { answers, cpu: usage().cpu - before };
}

/** The compiler has to see this many requests, however slow the machine is at the moment. */
async function atLeast(port: number, requests: number): Promise<void> {
  for (let made = 0, turn = 0; made < requests && turn < MAX_WARM_UP; turn += 1)
    made += (await makeRequests({ port, path: '/session', connections: CONNECTIONS, seconds: 1 })).answers;
}

async function withFleet(
  count: number,
  configuration: Partial<ConfigurationFile>,
  rules: Readonly<Record<string, readonly string[]>>,
  measure: (program: Program, fleet: SimulationServers) => Promise<void>,
): Promise<void> {
  const fleet = await startSimulationServers({ count, loads: [10, 20, 30] });
  try {
    const simulationServers = fleet.addresses.map((address) => ({ address, ...rules }));
    const program = await startProgram({ simulationServers, ...configuration });
    try {
      await pause(SETTLE);
      await measure(program, fleet);
    } finally {
      await program.stop();
    }
  } finally {
    await fleet.kill();
  }
}
