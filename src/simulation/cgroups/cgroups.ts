/**
 * Cgroups of this machine: those of version 2 in their own right, or the controllers of version 1 beside them, as machines with both have it. Each session
 * is a group in every hierarchy that we may write.
 *
 * Version 2 alone wants processes in the leaves of the tree: when it refuses to hand controllers down, the server moves itself into a leaf first.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../ports.ts';
import type { Cgroup, Cgroups, ResourceLimits, Usage } from '../ports.ts';

export interface CgroupsOptions {
  /** Part of the name of our groups, so that two servers on a machine keep apart. */
  readonly instance: string;
  readonly clock: Clock;
  /** For tests: `/proc/self`. */
  readonly self?: string;
}

export interface FoundCgroups extends Cgroups {
  /** Files by which a process returns to where the server is. */
  readonly home: readonly string[];
  /** Removes the folder of the groups, when none is left. */
  close(): Promise<void>;
}

interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  /** The folder of our groups. */
  readonly base: string;
  readonly home: string;
}

const WANTED = ['cpu', 'memory', 'pids'];
/** What version 2 does in each of its groups: it needs no group of version 1 for it. */
const DONE_BY_VERSION_2 = ['cpuacct', 'freezer'];
/** Seconds to wait until a group that was killed is empty. */
const EMPTY_AFTER = 3;
/** Measurements between two looks at the statistics of a group's memory, which the kernel has to sum up first. */
const STATISTICS_EVERY = 5;
/** Groups that are measured before others get their turn. */
const SLICE = 8;

/** `undefined`: no hierarchy can be written. */
export async function findCgroups({ instance, clock, self = '/proc/self' }: CgroupsOptions): Promise<FoundCgroups | undefined> {
  const name = `session-server-sim-${instance}`;
  const hierarchies: Hierarchy[] = [];
  const places = [...(await placesOf(self))].sort((a, b) => b.version - a.version);
  for (const place of places) {
    // Each hierarchy costs several steps at the start and at the end of a session.
    if (hierarchies.some(doesBoth) && place.controllers.every((one) => DONE_BY_VERSION_2.includes(one))) continue;
    const hierarchy = place.version === 2 ? await openVersion2(place.folder, name) : await openVersion1(place, name);
    if (hierarchy !== undefined) hierarchies.push(hierarchy);
  }
  return hierarchies.length === 0 ? undefined : new Groups(hierarchies, clock);
}

/** Kills a group as one, and counts its processor time. */
function doesBoth({ version, base }: Hierarchy): boolean {
  return version === 2 && existsSync(join(base, 'cgroup.kill'));
}

interface Place {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly folder: string;
}

/** Where this process is, in each hierarchy that is mounted. */
async function placesOf(self: string): Promise<readonly Place[]> {
  const [mounts, own] = await Promise.all([readText(join(self, 'mountinfo')), readText(join(self, 'cgroup'))]);
  const paths = new Map(
    own
      .split('\n')
      .map((line) => /^[0-9]+:(?<controllers>[^:]*):(?<path>.*)$/.exec(line)?.groups)
      .filter((groups) => groups !== undefined)
      .map(({ controllers = '', path = '' }) => [controllers, path]),
  );
  const places: Place[] = [];
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    if (type === 'cgroup2') places.push({ version: 2, controllers: [], folder: below(point, root, paths.get('') ?? '/') });
    if (type !== 'cgroup') continue;
    const entry = [...paths].find(([names]) => names !== '' && names.split(',').every((one) => options.split(',').includes(one)));
    const controllers = entry?.[0].split(',') ?? [];
    if (entry !== undefined && controllers.some((one) => [...WANTED, 'cpuacct', 'freezer'].includes(one)))
      places.push({ version: 1, controllers, folder: below(point, root, entry[1]) });
  }
  return places;
}

/** `root` is what of the hierarchy is mounted, `path` where we are in the whole of it. */
function below(point: string, root: string, path: string): string {
  const rest = root !== '/' && path.startsWith(root) ? path.slice(root.length) : path;
  return join(point, rest);
}

async function openVersion1({ controllers, folder }: Place, name: string): Promise<Hierarchy | undefined> {
  const base = join(folder, name);
  if (!(await make(base))) return undefined;
  return { version: 1, controllers, base, home: join(folder, 'cgroup.procs') };
}

async function openVersion2(folder: string, name: string): Promise<Hierarchy | undefined> {
  const base = join(folder, name);
  if (!(await make(base))) return undefined;
  const offered = (await readText(join(folder, 'cgroup.controllers'))).trim().split(' ');
  const wanted = WANTED.filter((one) => offered.includes(one));
  let home = join(folder, 'cgroup.procs');
  if (wanted.length === 0) return { version: 2, controllers: [], base, home };
  const enable = wanted.map((one) => `+${one}`).join(' ');
  if (!(await write(join(folder, 'cgroup.subtree_control'), enable))) {
    // Only leaves may hold processes.
    const leaf = join(folder, 'server');
    if (await make(leaf)) {
      home = join(leaf, 'cgroup.procs');
      await write(home, String(process.pid));
      await write(join(folder, 'cgroup.subtree_control'), enable);
    }
  }
  await write(join(base, 'cgroup.subtree_control'), enable);
  const enabled = (await readText(join(base, 'cgroup.subtree_control'))).trim().split(' ');
  return { version: 2, controllers: wanted.filter((one) => enabled.includes(one)), base, home };
}

class Groups implements FoundCgroups {
  readonly limits: Cgroups['limits'];
  readonly home: readonly string[];
  readonly #hierarchies: readonly Hierarchy[];
  readonly #clock: Clock;
  readonly #first: Hierarchy | undefined;
  #measured = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(hierarchies: readonly Hierarchy[], clock: Clock) {
    this.#hierarchies = hierarchies;
    this.#clock = clock;
    this.#first = hierarchies[0];
    this.home = hierarchies.map(({ home }) => home);
    const limited = WANTED.filter((one) => this.#with(one) !== undefined).length;
    this.limits = limited === WANTED.length ? 'all' : limited > 0 ? 'some' : 'none';
  }

  /** Made at once: the kernel does each of a dozen steps in microseconds, and waiting for each takes longer. */
  create(id: string, limits: ResourceLimits): Cgroup {
    for (const hierarchy of this.#hierarchies) {
      const folder = join(hierarchy.base, id);
      mkdirSync(folder, { recursive: true });
      for (const [file, value] of limitFiles(hierarchy, limits)) writeAtOnce(join(folder, file), value);
    }
    const reclaimable = { measured: 0, bytes: 0 };
    return {
      joins: this.#hierarchies.map(({ base }) => join(base, id)),
      pids: () => this.#pidsIn(this.#first, id),
      usage: () => this.#usage(id, reclaimable),
      outOfMemory: () => Promise.resolve(this.#outOfMemory(id)),
    };
  }

  async list(): Promise<readonly string[]> {
    const names = await Promise.all(this.#hierarchies.map(({ base }) => foldersIn(base)));
    return [...new Set(names.flat())];
  }

  async remove(id: string): Promise<void> {
    const until = this.#clock.now() + EMPTY_AFTER;
    for (;;) {
      await this.#kill(id);
      const left = this.#hierarchies.filter(({ base }) => !remove(join(base, id)));
      if (left.length === 0) return;
      if (this.#clock.now() >= until) throw Object.assign(new Error(`processes of session ${id} do not end`), { code: 'stuck' });
      await this.#clock.sleep(0.01);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#hierarchies.map(({ base }) => rmdir(base).catch(() => undefined)));
  }

  #with(controller: string): Hierarchy | undefined {
    return this.#hierarchies.find(({ controllers }) => controllers.includes(controller));
  }

  async #kill(id: string): Promise<void> {
    const unified = this.#hierarchies.find(({ version }) => version === 2);
    if (unified !== undefined && writeAtOnce(join(unified.base, id, 'cgroup.kill'), '1')) return;
    // While it stands still it cannot fork away.
    const freezer = this.#with('freezer');
    const state = freezer === undefined ? undefined : join(freezer.base, id, 'freezer.state');
    if (state !== undefined) await write(state, 'FROZEN');
    for (const pid of await this.#pids(id)) kill(pid);
    if (state !== undefined) await write(state, 'THAWED');
  }

  /** In any hierarchy: a process may have left some of them. */
  async #pids(id: string): Promise<readonly number[]> {
    const pids = await Promise.all(this.#hierarchies.map((hierarchy) => this.#pidsIn(hierarchy, id)));
    return [...new Set(pids.flat())];
  }

  #pidsIn(hierarchy: Hierarchy | undefined, id: string): Promise<readonly number[]> {
    return hierarchy === undefined ? Promise.resolve([]) : pidsBelow(join(hierarchy.base, id));
  }

  /** The files are read at once, which costs a tenth of waiting for each; others get their turn in between. */
  async #usage(id: string, reclaimable: Reclaimable): Promise<Usage> {
    this.#measured += 1;
    if (this.#measured % SLICE === 0) this.#turn = setImmediate();
    await this.#turn;
    const memory = this.#memory(id, reclaimable);
    const pids = this.#read(this.#with('pids'), id, 'pids.current');
    return {
      ...{ cpu: this.#cpu(id), memory: memory ?? 0, estimated: memory === undefined },
      pids: pids === undefined ? (await this.#pids(id)).length : Number(pids),
    };
  }

  /** Seconds. */
  #cpu(id: string): number {
    const unified = this.#hierarchies.find(({ version }) => version === 2);
    const microseconds = field(this.#read(unified, id, 'cpu.stat'), 'usage_usec');
    if (microseconds !== undefined) return microseconds / 1e6;
    return Number(this.#read(this.#with('cpuacct'), id, 'cpuacct.usage') ?? 0) / 1e9;
  }

  /** Bytes, without what the kernel would give away. */
  #memory(id: string, reclaimable: Reclaimable): number | undefined {
    const hierarchy = this.#with('memory');
    const isSecond = hierarchy?.version === 2;
    const used = this.#read(hierarchy, id, isSecond ? 'memory.current' : 'memory.usage_in_bytes');
    if (used === undefined) return undefined;
    if (reclaimable.measured % STATISTICS_EVERY === 0) {
      const statistics = this.#read(hierarchy, id, 'memory.stat');
      reclaimable.bytes = field(statistics, isSecond ? 'inactive_file' : 'total_inactive_file') ?? 0;
    }
    reclaimable.measured += 1;
    return Math.max(0, Number(used) - reclaimable.bytes);
  }

  #outOfMemory(id: string): boolean {
    const hierarchy = this.#with('memory');
    const text = this.#read(hierarchy, id, hierarchy?.version === 2 ? 'memory.events' : 'memory.oom_control');
    return (field(text, 'oom_kill') ?? 0) > 0;
  }

  #read(hierarchy: Hierarchy | undefined, id: string, file: string): string | undefined {
    if (hierarchy === undefined) return undefined;
    try {
      return readFileSync(join(hierarchy.base, id, file), 'latin1');
    } catch {
      return undefined;
    }
  }
}

/** Memory of a group that the kernel would give away. */
interface Reclaimable {
  /** How often the group was measured. */
  measured: number;
  bytes: number;
}

const PERIOD = 100_000;

function limitFiles(
  { version, controllers }: Hierarchy,
  { cpus, memory, pids }: ResourceLimits,
): readonly (readonly [string, string])[] {
  const quota = String(Math.max(1000, Math.round(cpus * PERIOD)));
  const files: (readonly [string, string])[] = [];
  if (controllers.includes('pids')) files.push(['pids.max', String(pids)]);
  if (controllers.includes('cpu'))
    files.push(
      ...(version === 2
        ? [['cpu.max', `${quota} ${PERIOD}`] as const]
        : [['cpu.cfs_period_us', String(PERIOD)] as const, ['cpu.cfs_quota_us', quota] as const]),
    );
  if (controllers.includes('memory'))
    files.push(
      ...(version === 2
        ? [['memory.max', String(memory)] as const, ['memory.swap.max', '0'] as const, ['memory.oom.group', '1'] as const]
        : [['memory.limit_in_bytes', String(memory)] as const, ['memory.memsw.limit_in_bytes', String(memory)] as const]),
    );
  return files;
}

/** Removes a group and the groups in it, at once, as they are made; `false` while there are processes in one of them. */
function remove(folder: string): boolean {
  if (removeEmpty(folder)) return true;
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return inner.length > 0 && inner.every(({ name }) => remove(join(folder, name))) && removeEmpty(folder);
}

function removeEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

async function pidsBelow(folder: string): Promise<readonly number[]> {
  const own = await readFile(join(folder, 'cgroup.procs'), 'latin1').catch(() => '');
  const deeper = await Promise.all((await foldersIn(folder)).map((name) => pidsBelow(join(folder, name))));
  return [
    ...own
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
    ...deeper.flat(),
  ];
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function make(folder: string): Promise<boolean> {
  if ((await stat(dirname(folder)).catch(() => undefined)) === undefined) return false;
  try {
    await mkdir(folder, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** `false`: this kernel does not have the file, or the group is gone. */
function writeAtOnce(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

async function write(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text);
    return true;
  } catch {
    return false;
  }
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** The number after a name at the beginning of a line. */
function field(text: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name} ([0-9]+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? undefined : Number(value);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
