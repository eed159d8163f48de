/**
 * Mounts and unmounts folders by the programs of the system. Each start of a program costs more than its work, so those who ask while one runs share the
 * next one.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import type { Launcher } from '../ports.ts';

export interface Mount {
  readonly type: 'tmpfs' | 'overlay';
  /** Where it appears; without white space. */
  readonly point: string;
  /** As in fstab(5); without white space. */
  readonly options: string;
}

const SOURCE = 'session-server-sim';

export class Mounts {
  readonly #launcher: Pick<Launcher, 'run'>;
  readonly #points: () => Promise<readonly string[]>;
  readonly #mounting: Batches<Mount>;
  readonly #unmounting: Batches<readonly string[]>;

  /** `table`: path of a file for the program that mounts; it is there only while that runs. */
  constructor(launcher: Pick<Launcher, 'run'>, table: string, points = mountPoints) {
    this.#launcher = launcher;
    this.#points = points;
    this.#mounting = new Batches((mounts) => this.#mountAll(mounts, table));
    this.#unmounting = new Batches((points) => this.#unmountAll(points.flat()));
  }

  /** Rejects when it is not there afterwards. */
  mount(mount: Mount): Promise<void> {
    return this.#mounting.take(mount);
  }

  /** `points`: the youngest first. Rejects when one of them is still there. */
  unmount(points: readonly string[]): Promise<void> {
    return this.#unmounting.take(points);
  }

  async #mountAll(mounts: readonly Mount[], table: string): Promise<Outcome<Mount>> {
    await writeFile(table, mounts.map(({ type, point, options }) => `${SOURCE} ${point} ${type} ${options} 0 0\n`).join(''));
    try {
      const { stderr } = await this.#launcher.run(['mount', '-a', '-T', table]);
      const there = new Set(await this.#points());
      return ({ point }) => (there.has(point) ? undefined : mountError('mount', stderr, point));
    } finally {
      await rm(table, { force: true });
    }
  }

  async #unmountAll(points: readonly string[]): Promise<Outcome<readonly string[]>> {
    const { stderr } = await this.#launcher.run(['umount', '--', ...points]);
    const there = new Set(await this.#points());
    return (own) => {
      const left = own.find((point) => there.has(point));
      return left === undefined ? undefined : mountError('umount', stderr, left);
    };
  }
}

/** The last line about it that the program wrote. */
function mountError(program: string, stderr: string, point: string): Error {
  const lines = stderr.trim().split('\n');
  const line = lines.findLast((one) => one.includes(point)) ?? lines.at(-1) ?? '';
  return Object.assign(new Error(`${program}: ${line}`), { code: 'mount' });
}

/** Everything that is mounted, the oldest first. */
export async function mountPoints(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text.split('\n').map((line) => unescaped(line.split(' ')[4] ?? ''));
}

/** As in proc(5): `\040` is a space. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The outcome of each: the error, if it failed. */
type Outcome<T> = (item: T) => Error | undefined;

/** Does one batch at a time. */
class Batches<T> {
  readonly #work: (items: readonly T[]) => Promise<Outcome<T>>;
  #waiting: T[] = [];
  #next: Promise<Outcome<T>> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(work: (items: readonly T[]) => Promise<Outcome<T>>) {
    this.#work = work;
  }

  async take(item: T): Promise<void> {
    this.#waiting.push(item);
    this.#next ??= this.#last.then(() => {
      const items = this.#waiting;
      this.#waiting = [];
      this.#next = undefined;
      return this.#work(items);
    });
    this.#last = this.#next.catch(() => undefined);
    const error = (await this.#next)(item);
    if (error !== undefined) throw error;
  }
}
