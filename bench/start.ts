/**
 * From the start of the process to its first answer, and the memory of an idle session server; with the configuration that ships, and beside it the load
 * agent as `npm start` runs it. About a minute; ends by itself.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause, until } from './support/pause.ts';
import { startProgram } from './support/program.ts';
import { startReference } from './support/reference.ts';
import { getOnce } from './support/requests.ts';
import { startSimulationServers } from './support/simulation-servers.ts';

const STARTS = 5;
/** Seconds after which memory is at rest. */
const IDLE = 15;
const MIB = 2 ** 20;

title('Start and rest');
const fleet = await startSimulationServers({ count: 3 });
const reference = await startReference();
try {
  await starts();
  await rest('an idle session server', []);
  await rest('the same with a load agent in the process', ['--agent', String(await freePort())]);
} finally {
  await reference.kill();
  await fleet.kill();
}

/** For the agent, which takes no 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function starts(): Promise<void> {
  const seconds: number[] = [];
  const cpu: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const began = performance.now();
    const program = await startProgram({ simulationServers: [...fleet.addresses] });
    try {
      await until('the first answer', 10, 0.01, async () => (await getOnce(program.port, '/session')).startsWith('ws://'));
      seconds.push((performance.now() - began) / 1000);
      cpu.push(program.usage().cpu);
    } finally {
      await program.stop();
    }
  }
  note(`${STARTS} starts took ${seconds.map((value) => value.toFixed(2)).join(', ')} s`);
  tell({ what: 'CPU of a start until its first answer', value: quantile(cpu, 0.5), unit: 's' });
  tell({ what: 'start to first answer, median', value: quantile(seconds, 0.5), unit: 's', goal: { atMost: 1.5 } });
}

async function rest(what: string, args: readonly string[]): Promise<void> {
  const program = await startProgram({ simulationServers: [...fleet.addresses] }, args);
  try {
    await pause(IDLE);
    const before = program.usage();
    await pause(5);
    const { resident, cpu } = program.usage();
    const bare = reference.usage().resident / MIB;
    tell({
      what: `memory of ${what}`,
      value: resident / MIB,
      unit: 'MiB',
      goal: { atMost: 90 },
      comparedTo: { what: 'a bare node:http server', value: bare },
    });
    tell({ what: `CPU of ${what}`, value: ((cpu - before.cpu) / 5) * 100, unit: '% of a core' });
  } finally {
    await program.stop();
  }
}
