/** `session-server setup simulation`: the configuration and the systemd unit of a simulation machine. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { packageRoot } from '../system/package-root.ts';
import { REFUSED } from '../commands/configuration.ts';
import { showFile, writeFiles } from './setup/files.ts';
import { simulationFiles } from './setup/simulation-unit.ts';

export interface SimulationSetupOptions {
  readonly server?: string;
  readonly docker?: boolean;
  readonly notify?: string;
  readonly config: string;
  readonly unit: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export async function setupSimulationCommand(options: SimulationSetupOptions): Promise<void> {
  const { server, docker = false, notify, config, unit, force = false, dryRun = false } = options;
  if (server === undefined || !/^[A-Za-z0-9.-]{1,253}$/.test(server)) {
    console.error('error: --server: name the host by which clients reach this machine, such as sim1.example.org');
    process.exitCode = REFUSED;
    return;
  }
  const paths = { configuration: resolve(config), unit: resolve(unit) };
  const wanted = ['video', 'render', ...(docker ? ['docker'] : [])];
  const known = new Set((await readFile('/etc/group', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':')[0]));
  const program = {
    ...{ node: process.execPath, program: resolve(packageRoot, 'bin', 'session-server.mjs') },
    groups: wanted.filter((name) => known.has(name)),
  };
  const files = simulationFiles({ server, docker, ...(notify !== undefined && { notify }) }, paths, program);
  for (const file of files) console.log(showFile(file));
  if (dryRun) return;
  const result = await writeFiles(files, { force });
  if (result.kind === 'refused') {
    console.error(`error: ${result.reason}`);
    process.exitCode = REFUSED;
    return;
  }
  for (const line of result.lines) console.log(line);
  console.log('\nThen, as root:\n\n  systemctl daemon-reload\n  systemctl enable --now simulation-server\n');
}
