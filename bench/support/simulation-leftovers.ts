/** What sessions of a simulation server may leave behind, counted by what the system itself knows. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, type SimulationProgram } from './simulation-program.ts';

export interface Leftovers {
  readonly processes: number;
  readonly cgroups: number;
  readonly mounts: number;
  readonly folders: number;
  /** Listening, of those that sessions get. */
  readonly ports: number;
  /** Of the server and its launcher. */
  readonly descriptors: number;
}

export function leftoversOf({ pid, port, folder, state }: SimulationProgram): Leftovers {
  const instance = readFileSync(join(state, 'instance'), 'utf8').trim();
  const own = [pid, ...childrenOf(pid)];
  return {
    processes: allProcesses().filter((one) => !own.includes(one) && isOfSession(one, instance, folder)).length,
    cgroups: cgroupsOf('/sys/fs/cgroup', `session-server-sim-${instance}`),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${state}/run/`)).length,
    folders: readdirSync(join(state, 'run')).length,
    ports: listeningPorts().filter((one) => one > port && one <= port + 128).length,
    descriptors: own.reduce((sum, one) => sum + descriptorsOf(one), 0),
  };
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isOfSession(pid: number, instance: string, folder: string): boolean {
  try {
    if (/ [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''))) return false;
    const [environment, command, group] = ['environ', 'cmdline', 'cgroup'].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, 'latin1'),
    );
    const isMarked = environment?.includes(`SESSION_SERVER_SIM=${instance}/`) === true;
    return (
      isMarked || command?.includes(`${folder}/simulator`) === true || group?.includes(`session-server-sim-${instance}`) === true
    );
  } catch {
    // It has ended.
    return false;
  }
}

/** Groups of sessions, in every hierarchy. */
function cgroupsOf(folder: string, name: string): number {
  let count = 0;
  for (const entry of directoriesIn(folder)) {
    const path = join(folder, entry);
    count += entry === name ? directoriesIn(path).length : cgroupsOf(path, name);
  }
  return count;
}

function directoriesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function listeningPorts(): readonly number[] {
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === '0A')
      .map((columns) => Number.parseInt(columns[1]?.split(':').at(-1) ?? '', 16)),
  );
}

/** Sockets, files and pipes; what Node opens for itself comes and goes. */
function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((name) => {
    try {
      return /^(?:socket|pipe):|^\//.test(readlinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      return false;
    }
  }).length;
}
