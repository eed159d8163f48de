/**
 * File systems in memory for what sessions write, each of a fixed size. A start of `mount` takes longer than all else in the start of a small session, so some
 * are mounted ahead. One in which a session wrote little is emptied and used again.
 */
import { mkdir, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { mountPoints, type Mounts } from './mounts.ts';

export interface LayersOptions {
  /** Folder of those that wait; on the file system of the sessions' folders. */
  readonly folder: string;
  readonly mounts: Pick<Mounts, 'mount' | 'unmount'>;
  readonly limits: () => { readonly disk: number; readonly files: number };
}

/** Where a layer is in the folder of a session. */
export const LAYER = 'layer';
/** Layers that wait at most, and the number below which more are mounted. They take no memory. */
const MAX_WAITING = 8;
const FEW = 4;
/** Milliseconds until more are mounted, so that a session that starts does not wait for it. */
const PAUSE = 200;
/** Files up to which emptying a layer costs less than a new one. */
const MAX_FILES = 100;

interface Waiting {
  readonly folder: string;
  readonly options: string;
}

export class Layers {
  readonly #options: LayersOptions;
  readonly #closing = new AbortController();
  #waiting: Waiting[] = [];
  #filling: Promise<void> | undefined;
  /** Layers that are being mounted. */
  #coming = 0;
  #count = 0;

  constructor(options: LayersOptions) {
    this.#options = options;
  }

  /** Makes the folder of a session, with an empty layer in it. Rejects when the layer cannot be mounted. */
  async take(own: string): Promise<void> {
    const options = this.#mountOptions();
    const { mounts } = this.#options;
    const outdated = this.#waiting.filter((one) => one.options !== options);
    this.#waiting = this.#waiting.filter((one) => one.options === options);
    for (const one of outdated) void this.#remove(one.folder).catch(() => undefined);
    const spare = this.#waiting.pop();
    if (spare === undefined) await mountLayer(mounts, own, options);
    else await rename(spare.folder, own);
    if (this.#waiting.length < FEW) this.#filling ??= this.#fill().finally(() => (this.#filling = undefined));
  }

  /** `false`: the folder is as it was, because its layer cannot be used again. */
  async giveBack(own: string): Promise<boolean> {
    const layer = join(own, LAYER);
    const isWanted = !this.#closing.signal.aborted && this.#waiting.length + this.#coming < MAX_WAITING;
    if (!isWanted || (await filesIn(layer)) > MAX_FILES) return false;
    try {
      for (const name of await readdir(layer)) await rm(join(layer, name), { recursive: true, force: true });
      // What something still holds open keeps its place.
      if ((await filesIn(layer)) > 1) return false;
    } catch {
      return false;
    }
    const folder = this.#newFolder();
    await rename(own, folder);
    this.#waiting.push({ folder, options: this.#mountOptions() });
    return true;
  }

  /** Removes those that wait, and what an earlier run of the server left of them. */
  async clear(): Promise<void> {
    const { folder } = this.#options;
    this.#waiting = [];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await Promise.all((await readdir(folder)).map((name) => this.#remove(join(folder, name))));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#filling;
    await this.clear();
  }

  async #fill(): Promise<void> {
    const { signal } = this.#closing;
    await setTimeout(PAUSE, undefined, { ref: false, signal }).catch(() => undefined);
    const options = this.#mountOptions();
    const missing = signal.aborted ? 0 : MAX_WAITING - this.#waiting.length;
    this.#coming = missing;
    await Promise.allSettled(
      Array.from({ length: missing }, async () => {
        const folder = this.#newFolder();
        await mountLayer(this.#options.mounts, folder, options);
        this.#waiting.push({ folder, options });
        this.#coming -= 1;
      }),
    );
    this.#coming = 0;
  }

  #newFolder(): string {
    return join(this.#options.folder, String((this.#count += 1)));
  }

  #mountOptions(): string {
    const { disk, files } = this.#options.limits();
    return `size=${disk},nr_inodes=${files},nosuid,nodev,mode=0755`;
  }

  async #remove(folder: string): Promise<void> {
    await removeMounted(this.#options.mounts, folder);
  }
}

/** Unmounts whatever is mounted below a folder, and removes it. */
export async function removeMounted(mounts: Pick<Mounts, 'unmount'>, folder: string): Promise<void> {
  const points = (await mountPoints()).filter((point) => point.startsWith(`${folder}/`)).reverse();
  if (points.length > 0) await mounts.unmount(points);
  await rm(folder, { recursive: true, force: true });
}

async function mountLayer(mounts: Pick<Mounts, 'mount'>, own: string, options: string): Promise<void> {
  const point = join(own, LAYER);
  await mkdir(own, { recursive: true, mode: 0o700 });
  await mkdir(point, { recursive: true });
  await mounts.mount({ type: 'tmpfs', point, options });
}

/** With the folder itself. */
async function filesIn(layer: string): Promise<number> {
  const { files, ffree } = await statfs(layer);
  return files - ffree;
}
