/** What Linux reports about processes of this user: which carry the mark of a session, what they use, and which of them listens on a port. */
import { readFileSync } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Environment variable by which the processes of a session are found, wherever they hide: `INSTANCE/ID`. */
export const MARK = 'SESSION_SERVER_SIM';

/** Processes that are looked at before others get their turn. */
const SLICE = 16;
/** A search begins so many times its duration after the previous one. */
const PAUSE_FACTOR = 4;

/**
 * Finds the processes of sessions by their mark. Everything that runs on this machine has to be looked at, so those who ask at the same time share a search;
 * it begins after they asked. However many sessions end, searching takes a fifth of a processor at most.
 */
export class Marks {
  readonly #pattern: RegExp;
  #current: Promise<ReadonlyMap<string, readonly number[]>> | undefined;
  #next: Promise<ReadonlyMap<string, readonly number[]>> | undefined;
  #isSearching = false;
  /** In milliseconds of `performance.now`. */
  #notBefore = 0;

  constructor(instance: string) {
    this.#pattern = new RegExp(`(?:^|\\0)${MARK}=${instance}/([A-Za-z0-9-]+)(?:\\0|$)`);
  }

  /** Pids by the id of their session. */
  find(): Promise<ReadonlyMap<string, readonly number[]>> {
    if (this.#current === undefined) return this.#begin();
    if (!this.#isSearching) return this.#current;
    this.#next ??= this.#current.then(() => this.#begin());
    return this.#next;
  }

  async of(id: string): Promise<readonly number[]> {
    return (await this.find()).get(id) ?? [];
  }

  #begin(): Promise<ReadonlyMap<string, readonly number[]>> {
    this.#next = undefined;
    const pause = this.#notBefore - performance.now();
    const search = async () => {
      if (pause > 0) await setTimeout(pause);
      // Those who ask from now on need another one.
      this.#isSearching = true;
      const began = performance.now();
      const found = await this.#search();
      this.#notBefore = performance.now() + PAUSE_FACTOR * (performance.now() - began);
      return found;
    };
    this.#current = search().finally(() => {
      this.#current = undefined;
      this.#isSearching = false;
    });
    return this.#current;
  }

  async #search(): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = new Map<string, number[]>();
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^[0-9]+$/.test(name));
    for (const [index, pid] of pids.entries()) {
      if (index % SLICE === SLICE - 1) await setImmediate();
      const id = this.#pattern.exec(environmentOf(pid))?.[1];
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), Number(pid)]);
    }
    return found;
  }
}

/** Empty when it cannot be read: it is that of another user, or the process has ended. Read at once, which costs a tenth of waiting for it. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}

/** Whether one of these processes listens on a TCP port. They are asked for only if something listens there. */
export async function listens(pidsOf: () => Promise<readonly number[]>, port: number): Promise<boolean> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return false;
  for (const pid of await pidsOf())
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return true;
    }
  return false;
}

/** Whether something listens on a TCP port of the network that a process is in. */
export async function listensInNamespace(pid: number, port: number): Promise<boolean> {
  return (await listeningInodes(port, `/proc/${pid}/net`)).size > 0;
}

/** A busy machine has thousands of lines, so they are not taken apart: address and port, remote address, the state *listening*, five columns, the inode. */
async function listeningInodes(port: number, folder = '/proc/net'): Promise<ReadonlySet<string>> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const pattern = new RegExp(`:${hexadecimal} [0-9A-F]+:0000 0A (?:\\S+ +){5}([0-9]+)`, 'g');
  const inodes = new Set<string>();
  for (const table of ['tcp', 'tcp6'])
    for (const [, inode = ''] of (await listeningLines(`${folder}/${table}`)).matchAll(pattern)) inodes.add(inode);
  return inodes;
}

/** The end of a line of a socket in another state than *listening*. */
const OTHER_STATE = /: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} 0[124-9B-F] /;
const LINE = 160;
const PAGE = 4096;

/** The beginning of a table of sockets, which has those that listen. For the others the kernel searches megabytes of memory. */
async function listeningLines(path: string): Promise<string> {
  const table = await open(path).catch(() => undefined);
  if (table === undefined) return '';
  try {
    let text = '';
    for (;;) {
      const { bytesRead, buffer } = await table.read(Buffer.allocUnsafe(PAGE), 0, PAGE);
      const from = Math.max(0, text.length - LINE);
      text += buffer.toString('latin1', 0, bytesRead);
      if (bytesRead === 0 || OTHER_STATE.test(text.slice(from))) return text;
    }
  } finally {
    await table.close();
  }
}

/** Ticks of a second in `/proc/PID/stat`; 100 on every Linux that Node runs on. */
const TICKS = 100;

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
