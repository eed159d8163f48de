/**
 * Runs benchmarks one after the other, each in a process of its own: all of them, or those that are named. `npm run bench -- http polling`. One that has
 * several rows takes their names: `npm run bench -- simulation:churn,memory`.
 * A figure that misses its goal is printed as such; the exit status says only whether the benchmarks themselves worked.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Name of the file → what it measures, in the order in which they run. */
const benchmarks: Readonly<Record<string, string>> = {
  start: 'time to the first answer, memory of an idle session server',
  http: 'GET /session: requests per CPU second; latency while simulation servers hang, and of what can never run',
  polling: '10,000 simulation servers: CPU, memory, missed cycles',
  websockets: '10,000 idle WebSocket clients: memory, time until all received a change',
  failover: 'how long a dead simulation server is handed out, and a recovered one is not',
  replicas: 'a leader that dies in a class start, what a commit costs; needs redis-server',
  class: 'a class of students: final loads, no client on an overloaded server, what gathering its seats costs others',
  rehearse: 'a rehearsal with simulated waits: its time, and the delay of the main loop',
  flood: 'latency of others while one address floods',
  allocation: 'the goals of the allocation policy, in the simulator',
  monitor: 'the monitor with many viewers',
  gateway: 'the relay of the gateway',
  agent: 'CPU of the load agent',
  log: 'CPU of a line of the log',
  simulation: 'the simulation server: starts, projects, churn and leftovers, memory, streams, reported costs',
};
/** Seconds after which a benchmark is ended. */
const LONGEST = 1200;

const named = process.argv.slice(2).map((argument) => {
  const [name = '', rows] = argument.split(':');
  return { name, rows: rows?.split(',') ?? [] };
});
const unknown = named.map(({ name }) => name).filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(`error: no such benchmark: ${unknown.join(', ')}. There are:`);
  for (const [name, what] of Object.entries(benchmarks)) console.error(`  ${name.padEnd(12)} ${what}`);
  process.exit(2);
}
for (const { name, rows } of named.length > 0 ? named : Object.keys(benchmarks).map((one) => ({ name: one, rows: [] }))) {
  console.log(`\n=== ${name}: ${benchmarks[name] ?? ''}`);
  if (!(await run(name, rows))) process.exitCode = 1;
}

/** Whether it worked. */
async function run(name: string, rows: readonly string[]): Promise<boolean> {
  const file = join(import.meta.dirname, name + extname(import.meta.filename));
  if (!existsSync(file)) {
    console.error(`error: ${file} is missing`);
    return false;
  }
  const began = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, file, ...rows], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST * 1000);
  const status = await new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  clearTimeout(timer);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(status === 0 ? `    (${seconds} s)` : `error: ${name} failed after ${seconds} s (${status})`);
  return status === 0;
}
