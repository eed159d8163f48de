/** What Linux reports about processes of this user: which carry the mark of a session, what they use, and which of them listens on a port. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** Environment variable by which the processes of a session are found, wherever they hide: `INSTANCE/ID`. */
export const MARK = 'SESSION_SERVER_SIM';

/** Pids by the mark of their session, for marks that begin with `instance/`. */
export async function markedProcesses(instance: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const pattern = new RegExp(`(?:^|\\0)${MARK}=${instance}/([A-Za-z0-9-]+)(?:\\0|$)`);
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name));
  for (const pid of pids) {
    // Those of others cannot be read.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    const id = pattern.exec(environment)?.[1];
    if (id !== undefined) found.set(id, [...(found.get(id) ?? []), Number(pid)]);
  }
  return found;
}

/** Whether one of these processes listens on a TCP port. */
export async function listens(pids: readonly number[], port: number): Promise<boolean> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return false;
  for (const pid of pids)
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  return false;
}

/** State of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';

/** Whether something listens on a TCP port of the network that a process is in. */
export async function listensInNamespace(pid: number, port: number): Promise<boolean> {
  return (await listeningInodes(port, `/proc/${pid}/net`)).size > 0;
}

async function listeningInodes(port: number, folder = '/proc/net'): Promise<ReadonlySet<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['tcp', 'tcp6'])
    for (const line of (await readFile(`${folder}/${table}`, 'latin1').catch(() => '')).split('\n')) {
      const columns = line.trim().split(/\s+/);
      if (columns[3] === LISTEN && columns[1]?.endsWith(suffix) === true) inodes.add(columns[9] ?? '');
    }
  return inodes;
}

/** Ticks of a second in `/proc/PID/stat`; 100 on every Linux that Node runs on. */
const TICKS = 100;
const PAGE = 4096;

/** Processor time in seconds and memory in bytes of some processes together. */
export async function usageOf(pids: readonly number[]): Promise<{ readonly cpu: number; readonly memory: number }> {
  let cpu = 0;
  let memory = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // The name, in brackets, may hold anything.
    const columns = text.slice(text.lastIndexOf(')') + 2).split(' ');
    cpu += (Number(columns[11] ?? 0) + Number(columns[12] ?? 0)) / TICKS;
    memory += Number(columns[21] ?? 0) * PAGE;
  }
  return { cpu, memory };
}
