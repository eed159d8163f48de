/**
 * `session-server demo`: the session server and, as a child, a simulation server with the built-in robot. Logs and state go
 * to a temporary folder, which is removed at the end; the working directory is left alone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../system/package-root.ts';
import { FAILED, type ProcessLifecycle } from './process-lifecycle.ts';
import { startCommand } from './start.ts';

export interface DemoOptions {
  readonly port: number;
  /** Of the simulation server; its sessions get the four ports above. */
  readonly simulationPort: number;
}

/** Seconds in which the sessions of the simulation server have to end. */
const MAX_STOP = 10;

export async function demoCommand({ port, simulationPort }: DemoOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'session-server-demo-'));
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const simulation = writeConfiguration(folder, 'simulation', { port: simulationPort });
  const session = writeConfiguration(folder, 'session', { port, simulationServers: [`localhost:${simulationPort}`] });
  await startCommand(session, {
    maxStop: MAX_STOP,
    page: 'view',
    beside: (life) => startSimulationServer(simulation, life),
  });
}

/** The configuration of the package, with these ports and folders. Returns its path. */
function writeConfiguration(folder: string, program: 'session' | 'simulation', changes: object): string {
  const file: unknown = JSON.parse(readFileSync(join(packageRoot, 'config', program, 'demo.json'), 'utf8'));
  const path = join(folder, `${program}.json`);
  const { $schema: _, ...keys } = file as Record<string, unknown>;
  const folders = { logDir: join(folder, 'log'), stateDir: join(folder, 'state', program) };
  writeFileSync(path, JSON.stringify({ ...keys, ...changes, ...folders }));
  return path;
}

/** Resolves when it listens, with `false` when it cannot: it has said why. */
async function startSimulationServer(configuration: string, life: ProcessLifecycle): Promise<boolean> {
  const program = join(packageRoot, 'bin', 'session-server.mjs');
  const child = spawn(process.execPath, [program, 'simulation', configuration], {
    // It ends when the channel does, however this process ends.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = new Promise<false>((resolve) => {
    child.once('exit', () => {
      resolve(false);
    });
  });
  let stopping = false;
  life.add({
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  });
  const listens = new Promise<true>((resolve) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      // What follows is read, so that the pipe never fills, and dropped.
      if (said.length < 10_000) said += text;
      if (/^Simulation server \S+ on port/m.test(said)) resolve(true);
    });
  });
  const started = await Promise.race([listens, ended]);
  if (!started) process.exitCode = FAILED;
  else
    void ended.then(() => {
      if (stopping) return;
      console.error('error: the simulation server of the demo has ended; start the demo again');
      process.kill(process.pid, 'SIGTERM');
    });
  return started;
}
