/**
 * Simulation servers die as by a power cut and come back: how long each is still handed out, and how long it is not yet handed out again. The default poll
 * interval, real processes, a request every 20 ms. Less than a minute; ends by itself.
 */
import { note, tell, title } from './support/figures.ts';
import { pause, until } from './support/pause.ts';
import { startProgram } from './support/program.ts';
import { open } from './support/requests.ts';
import { startSimulationServers, type SimulationServers } from './support/simulation-servers.ts';

const INTERVAL = 5;
const VICTIMS = 4;
const EVERY = 0.02;

/** Sessions so light that hand-outs never stop. */
const ENDLESS = { target: 200, cost: 0.3, learning: false, settle: [0, 1] as [number, number], suspectAfter: 1000 };

title(`Simulation servers that die and come back, polled every ${INTERVAL} s`);
const victims: SimulationServers[] = [];
for (let victim = 0; victim < VICTIMS; victim += 1) victims.push(await startSimulationServers({ count: 1, loads: [10] }));
const ports = victims.map(({ port }) => port);
// It makes sure that there is always an answer; busier than the others, so that they are preferred.
const survivor = await startSimulationServers({ count: 1, loads: [70] });
const program = await startProgram({
  simulationServers: [...victims, survivor].map(({ addresses: [address = ''] }) => address),
  allocation: ENDLESS,
  pollInterval: INTERVAL,
});
const handOuts: { readonly at: number; readonly port: number }[] = [];
const asking = new AbortController();
const asked = askAlways();
try {
  await until('all are handed out', 10, 0.1, () => Promise.resolve(ports.every((port) => timesOf(port).length > 0)));
  const killed: number[] = [];
  for (const victim of victims) {
    // At some moment of its interval.
    await pause(INTERVAL * 0.3);
    await victim.kill();
    killed.push(now());
  }
  await pause(INTERVAL + 2);
  const stale = ports.map((port, index) => Math.max(0, (timesOf(port).at(-1) ?? 0) - (killed[index] ?? 0)));
  tellTimes('handed out although it is dead', stale);

  const returned: number[] = [];
  for (const [index, port] of ports.entries()) {
    await pause(INTERVAL * 0.3);
    victims[index] = await startSimulationServers({ count: 1, loads: [10], port });
    returned.push(now());
  }
  const missing: number[] = [];
  for (const [index, port] of ports.entries()) {
    const since = returned[index] ?? 0;
    const first = () => timesOf(port).find((time) => time > since);
    await until(`${port} is handed out again`, 20, EVERY, () => Promise.resolve(first() !== undefined));
    missing.push((first() ?? Infinity) - since);
  }
  tellTimes('not handed out although it is back', missing);
} finally {
  asking.abort();
  await asked;
  await program.stop();
  for (const server of [...victims, survivor]) await server.kill();
}

async function askAlways(): Promise<void> {
  const socket = await open(program.port);
  while (!asking.signal.aborted) {
    const url = await socket.ask('GET /session HTTP/1.1\r\nHost: localhost\r\n\r\n');
    handOuts.push({ at: now(), port: Number(/:([0-9]+)$/.exec(url)?.[1]) });
    await pause(EVERY);
  }
  socket.close();
}

function timesOf(wanted: number): number[] {
  return handOuts.filter(({ port }) => port === wanted).map(({ at }) => at);
}

function tellTimes(what: string, seconds: readonly number[]): void {
  note(`${what}: ${seconds.map((value) => value.toFixed(2)).join(', ')} s`);
  tell({ what: `${what}, longest of ${seconds.length}`, value: Math.max(...seconds), unit: 's', goal: { atMost: INTERVAL + 1 } });
}

function now(): number {
  return performance.now() / 1000;
}
