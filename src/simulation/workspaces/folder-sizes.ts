/**
 * Bytes that folders take on the disk, measured by `du`: a server with many copies of projects would be busy with counting itself. Those who ask at the same
 * time share one run of it.
 */
import type { Launcher } from '../ports.ts';

/** Seconds. */
const DEADLINE = 60;

export class FolderSizes {
  readonly #launcher: Pick<Launcher, 'run'>;
  #waiting: string[] = [];
  #next: Promise<ReadonlyMap<string, number>> | undefined;

  constructor(launcher: Pick<Launcher, 'run'>) {
    this.#launcher = launcher;
  }

  /** 0 of a folder that is not there. */
  async of(folder: string): Promise<number> {
    this.#waiting.push(folder);
    // All that ask in this turn have asked before it runs.
    this.#next ??= Promise.resolve().then(() => this.#measure());
    return (await this.#next).get(folder) ?? 0;
  }

  async #measure(): Promise<ReadonlyMap<string, number>> {
    const folders = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const argv = ['du', '-s', '-x', '-k', '--', ...folders];
    // Its status is that of files that disappeared meanwhile.
    const { stdout } = await this.#launcher.run(argv, { deadline: DEADLINE });
    const sizes = new Map<string, number>();
    for (const line of Buffer.from(stdout).toString('utf8').split('\n')) {
      const [kilobytes = '', folder] = line.split('\t');
      if (folder !== undefined) sizes.set(folder, 1024 * Number(kilobytes));
    }
    return sizes;
  }
}
