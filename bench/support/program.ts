/** The built program as a child process, with a configuration of its own in a folder that is removed with it. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { packageRoot } from '../../src/system/package-root.ts';
import { usageOf, type Usage } from './usage.ts';

export interface Program {
  readonly pid: number;
  readonly port: number;
  usage(): Usage;
  stop(): Promise<void>;
}

/** Seconds. A start that takes longer is given up; a stop that takes longer is made to. */
const MAX_START = 30;
const MAX_STOP = 10;

/** Listens on a free port of the loopback; `args` follow `start` on its command line, `NODE_FLAGS` of the environment (`--cpu-prof` …) go to Node. */
export async function startProgram(configuration: ConfigurationFile, args: readonly string[] = []): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-program-'));
  // In a folder of its own below: the one above is watched too, and much else happens in the folder for temporary files.
  const path = join(folder, 'configuration', 'session.json');
  mkdirSync(dirname(path));
  const complete: ConfigurationFile = { port: 0, listen: '127.0.0.1', ssl: false, portRewrite: false, ...configuration };
  writeFileSync(path, JSON.stringify(complete));
  const flags = process.env['NODE_FLAGS']?.split(' ') ?? [];
  const child = spawn(process.execPath, [...flags, join(packageRoot, 'bin/session-server.mjs'), 'start', ...args, path], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.off('exit', end);
      rmSync(folder, { recursive: true, force: true });
      resolve();
    });
  });
  const port = await within(MAX_START, 'the session server did not start', portOf(child.stdout));
  const pid = child.pid ?? 0;
  return {
    ...{ pid, port },
    usage: () => usageOf(pid),
    async stop() {
      child.kill('SIGTERM');
      await within(MAX_STOP, 'the session server did not stop', exited).catch(end);
      await exited;
    },
  };
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  let said = '';
  output.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    output.on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      const port = /Session server .* on port ([0-9]+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    output.once('end', () => reject(new Error(`the session server ended at once: ${said}`)));
  });
}

async function within<T>(seconds: number, complaint: string, task: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([task, late]).finally(() => clearTimeout(timer));
}
