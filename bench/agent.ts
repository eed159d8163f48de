/**
 * CPU the load agent takes from the machine it measures, in percent of one core, polled as a session server polls it. Must be below 1%.
 * `node --import tsx bench/agent.ts [SECONDS]`; ends by itself after twice SECONDS (20).
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startAgent } from '../src/agent/server.ts';
import type { Clock } from '../src/ports.ts';

const seconds = Math.min(300, Number(process.argv[2] ?? 20));
const run = promisify(execFile);

const clock: Clock = {
  now: () => performance.now() / 1000,
  wallTime: () => Date.now() / 1000,
  sleep: async (time, signal) => {
    await sleep(Math.min(time, 1e6) * 1000, undefined, signal && { signal }).catch(() => undefined);
  },
};

const folder = mkdtempSync(join(tmpdir(), 'bench-agent-'));
try {
  print('without a GPU', await percentOfACore('/nowhere/nvidia-smi'));
  const fake = join(folder, 'nvidia-smi');
  writeFileSync(fake, '#!/bin/sh\nwhile sleep 1; do echo "0, 35, 2048, 8192"; echo "1, 5, 1024, 8192"; done\n');
  chmodSync(fake, 0o755);
  print('with nvidia-smi that prints two GPUs a second', await percentOfACore(fake));
  print('for comparison, only starting a program once a second', await startingPercent());
} finally {
  rmSync(folder, { recursive: true });
}

async function percentOfACore(nvidiaSmi: string): Promise<number> {
  const agent = await startAgent({ host: '127.0.0.1', port: 0, clock, nvidiaSmi });
  const connection = new HttpAgent({ keepAlive: true });
  // The start is not what is measured.
  await sleep(2000);
  const before = process.cpuUsage();
  const end = clock.now() + seconds;
  while (clock.now() < end) {
    await poll(agent.port, connection);
    await sleep(Math.min(5, end - clock.now()) * 1000);
  }
  const { user, system } = process.cpuUsage(before);
  connection.destroy();
  await agent.close();
  return (user + system) / 1e4 / seconds;
}

async function startingPercent(): Promise<number> {
  const starts = 20;
  const before = process.cpuUsage();
  for (let start = 0; start < starts; start += 1) await run('/bin/true');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e4 / starts;
}

function poll(port: number, agent: HttpAgent): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/load', agent }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });
}

function print(what: string, percent: number): void {
  console.log(`${what.padEnd(56)} ${percent.toFixed(3)}% of a core (this process, with the polling)`);
}
