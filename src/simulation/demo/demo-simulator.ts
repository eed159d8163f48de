/**
 * The simulator of the demo, as a program: `demo-simulator WORLD SOCKET`. `SOCKET` is the path of a Unix socket, or a port of
 * the loopback interface. Its standard output has the words of Webots: a line that begins with `.` when the world is loaded and
 * every few seconds from then on, and what the simulation does.
 */
import { DEMO_WORLDS } from '../../core/simulation/demo-world.ts';
import { systemClock } from '../../system/system-clock.ts';
import { startMujoco } from './mujoco.ts';
import { DemoSimulation } from './simulation.ts';
import { startStream } from './stream.ts';
import { findWorld } from './worlds/index.ts';

/** Milliseconds between two signs of life. */
const HEARTBEAT = 5000;
/** Exit status of a wrong command line. */
const USAGE = 2;

const [worldName = '', address] = process.argv.slice(2);
const world = findWorld(worldName);
if (world === undefined || address === undefined) {
  console.error(`usage: demo-simulator ${DEMO_WORLDS.join('|')} SOCKET`);
  process.exit(USAGE);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

const simulation = new DemoSimulation({
  ...{ physics: await startMujoco(), world, worldName },
  say: (word) => console.log(word),
});
await startStream({ simulation, clock: systemClock, address: /^\d+$/.test(address) ? Number(address) : address });
console.log('.');
setInterval(() => console.log('.'), HEARTBEAT);
