/**
 * Ten thousand simulation servers, each polled every five seconds: CPU and memory of the session server, and whether a cycle is missed. As many as the
 * descriptor limit allows, one for each server in each of two processes. About a minute and a half; ends by itself.
 */
import { note, tell, title } from './support/figures.ts';
import { pause } from './support/pause.ts';
import { startProgram } from './support/program.ts';
import { startReference } from './support/reference.ts';
import { startSimulationServers } from './support/simulation-servers.ts';
import { descriptorLimit, type Usage } from './support/usage.ts';

const WANTED = 10_000;
const INTERVAL = 5;
/** Seconds: the first round, the connections, and until the compiler has done its work. */
const WARM_UP = 35;
const SECONDS = 30;
/** Servers and interval of the comparison: the same polls a second on fewer connections. */
const REFERENCE = { servers: 2000, interval: 1, seconds: 10 };

const count = Math.min(WANTED, descriptorLimit() - 500);
title(`${count} simulation servers every ${INTERVAL} s`);
if (count < WANTED)
  note(`fewer than ${WANTED}: the limit of file descriptors is ${descriptorLimit()}; figures below are scaled to ${WANTED}`);
const scale = WANTED / count;

const bare = await referencePoll();
note(`an undici client for each server and nothing else: ${bare.toFixed(0)} µs of CPU a poll`);
const fleet = await startSimulationServers({ count, loads: [10, 20, 30, 40, 50, 60, 70] });
try {
  const program = await startProgram({ simulationServers: [...fleet.addresses] });
  try {
    await pause(WARM_UP);
    await fleet.reset();
    const before = program.usage();
    const began = performance.now();
    const highest = await highestResident(program, SECONDS);
    const seconds = (performance.now() - began) / 1000;
    const { requests, least, longestGap } = await fleet.statistics();
    const cpu = program.usage().cpu - before.cpu;
    tell({
      what: 'CPU',
      value: ((scale * cpu) / seconds) * 100,
      unit: '% of a core',
      goal: { atMost: 25 },
    });
    tell({
      what: 'CPU of a poll, with everything that follows from it',
      value: (cpu / requests) * 1e6,
      unit: 'µs',
      comparedTo: { what: 'undici alone', value: bare },
    });
    tell({ what: 'memory', value: (scale * highest) / 2 ** 20, unit: 'MiB', goal: { atMost: 250 } });
    tell({ what: 'longest time between two polls of one server', value: longestGap, unit: 's', goal: { atMost: 6 } });
    tell({
      what: `polls of the server that had least, in ${Math.round(seconds)} s`,
      value: least,
      unit: 'polls',
      goal: { atLeast: Math.floor(seconds / INTERVAL) },
    });
  } finally {
    await program.stop();
  }
} finally {
  await fleet.kill();
}

async function highestResident(program: { usage(): Usage }, seconds: number): Promise<number> {
  let highest = 0;
  for (let second = 0; second < seconds; second += 1) {
    await pause(1);
    highest = Math.max(highest, program.usage().resident);
  }
  return highest;
}

/** Microseconds of CPU of a poll by undici alone. */
async function referencePoll(): Promise<number> {
  const { servers, interval, seconds } = REFERENCE;
  const fewer = await startSimulationServers({ count: servers });
  const reference = await startReference();
  try {
    await reference.poll(fewer.addresses, interval);
    await pause(seconds);
    await fewer.reset();
    const before = reference.usage();
    await pause(seconds);
    const { requests } = await fewer.statistics();
    return ((reference.usage().cpu - before.cpu) / requests) * 1e6;
  } finally {
    await reference.kill();
    await fewer.kill();
  }
}
