/**
 * One bare repository of the cache: partial (no blobs) and shallow, filled commit by commit. Only one command at a time works on it. It is a cache and
 * nothing else: what is damaged is removed and fetched again.
 */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readTree, remoteFailure, type TreeFacts } from '../../core/simulation/git-output.ts';
import type { RunResult } from '../ports.ts';
import { watchingSize } from './folder-size.ts';
import type { Git } from './git-command.ts';

/** Why a project is not available. */
export interface FetchError extends Error {
  readonly code: 'missing' | 'unreachable' | 'too-large' | 'damaged' | 'aborted' | 'full';
}

export interface FetchLimits {
  readonly projectBytes: number;
  /** Seconds. */
  readonly timeout: number;
}

/** Bytes of a listing of files; it is read at once. A hundred thousand files fit. */
const MAX_TREE = 16_000_000;

export class Repository {
  readonly folder: string;
  readonly #git: Git;
  readonly #url: string;
  readonly #last: Record<'files' | 'history', Promise<unknown>> = { files: Promise.resolve(), history: Promise.resolve() };

  constructor(folder: string, url: string, git: Git) {
    this.folder = folder;
    this.#url = url;
    this.#git = git;
  }

  /** The commit is there, without its files. */
  async fetch(commit: string, limits: FetchLimits, signal: AbortSignal): Promise<void> {
    await this.#alone(async () => {
      await createRepository(this.folder, this.#url, 'blob:none');
      const mark = join(this.folder, 'commits', commit);
      if ((await stat(mark).catch(() => undefined)) !== undefined) return;
      await this.#within(limits, signal, [this.folder], (inner) =>
        this.#run(
          ['fetch', '--quiet', '--depth=1', '--no-tags', '--filter=blob:none', '--no-write-fetch-head', 'origin', commit],
          {
            ...{ deadline: limits.timeout, signal: inner },
          },
        ),
      );
      // Asking Git whether it has a commit would make it fetch one that it lacks.
      await mkdir(join(this.folder, 'commits'), { recursive: true });
      await writeFile(mark, '');
    });
  }

  /**
   * The commit is in the history of a branch or tag. Hosts hand out others, too, by the name of a repository that did not accept them: commits of its forks,
   * and of changes that were proposed to it.
   */
  async isPublished(commit: string, limits: FetchLimits, signal: AbortSignal): Promise<boolean> {
    const tips = await this.#git(['ls-remote', '--heads', '--tags', '--end-of-options', this.#url], {
      ...{ deadline: limits.timeout, maxOutput: MAX_TREE, signal },
    });
    if (tips.status !== 0) throw errorOf(tips);
    const isTip = Buffer.from(tips.stdout)
      .toString('latin1')
      .split('\n')
      .some((line) => line.startsWith(`${commit}\t`));
    return isTip || this.#alone(() => this.#isInHistory(commit, limits, signal), 'history');
  }

  /** The files below a folder of a commit; `undefined` when there is no such folder. */
  async tree(commit: string, folder: string): Promise<TreeFacts | undefined> {
    const result = await this.#git(this.#args('ls-tree', '-r', '-z', '--end-of-options', `${commit}:${folder}`), {
      maxOutput: MAX_TREE,
    });
    if (result.killed === 'output') throw fetchError('too-large', 'it has too many files');
    if (result.status !== 0) {
      // Either the folder is missing, or the commit.
      await this.#run(['ls-tree', '-z', '--end-of-options', commit]);
      return undefined;
    }
    return readTree(Buffer.from(result.stdout).toString('utf8'));
  }

  /** Writes the files below a folder of a commit into `target`, which must not exist. */
  async checkOut(commit: string, folder: string, target: string, limits: FetchLimits, signal: AbortSignal): Promise<void> {
    await this.#alone(async () => {
      const temporary = `${target}.new`;
      const index = `${target}.index`;
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      try {
        await this.#within(limits, signal, [this.folder, temporary], (inner) =>
          this.#run(['--work-tree', temporary, 'read-tree', '-u', '--reset', '--end-of-options', `${commit}:${folder}`], {
            ...{ environment: { GIT_INDEX_FILE: index }, deadline: limits.timeout, signal: inner },
          }),
        );
        await rename(temporary, target);
      } finally {
        await Promise.all([temporary, index, `${index}.lock`].map((path) => rm(path, { recursive: true, force: true })));
      }
    });
  }

  /** The content of a regular file; `undefined` when it is longer than `limit` or cannot be read. */
  async file(commit: string, path: string, limit: number): Promise<Uint8Array | undefined> {
    const result = await this.#git(this.#args('cat-file', 'blob', '--end-of-options', `${commit}:${path}`), { maxOutput: limit });
    return result.status === 0 ? result.stdout : undefined;
  }

  /** The first line of a file, at most 200 characters of it. */
  async firstLine(commit: string, path: string): Promise<string> {
    const { stdout } = await this.#git(this.#args('cat-file', 'blob', '--end-of-options', `${commit}:${path}`), {
      maxOutput: PIPE,
    });
    return Buffer.from(stdout.subarray(0, 200)).toString('latin1').split('\n')[0] ?? '';
  }

  /** The commit that a version was last seen at; `undefined` when that is longer ago than `within` seconds of wall time. */
  async remembered(version: string, within: number, wallTime: number): Promise<string | undefined> {
    const path = this.#versionFile(version);
    try {
      const { mtimeMs } = await stat(path);
      return wallTime - mtimeMs / 1000 <= within ? (await readFile(path, 'utf8')).trim() : undefined;
    } catch {
      return undefined;
    }
  }

  async remember(version: string, commit: string, wallTime: number): Promise<void> {
    const path = this.#versionFile(version);
    await mkdir(join(this.folder, 'versions'), { recursive: true });
    await writeFile(path, commit);
    await utimes(path, wallTime, wallTime);
  }

  async remove(): Promise<void> {
    await this.#alone(() => this.#alone(() => rm(this.folder, { recursive: true, force: true })), 'history');
  }

  /** All commits of branches and tags are fetched, without their folders and files. */
  async #isInHistory(commit: string, limits: FetchLimits, signal: AbortSignal): Promise<boolean> {
    const history = join(this.folder, 'history');
    await createRepository(history, this.#url, 'tree:0');
    const git: Git = (args, options) => this.#git(['--git-dir', history, ...args], options);
    const names = ['heads', 'tags'].map((kind) => `+refs/${kind}/*:refs/${kind}/*`);
    try {
      await this.#within(limits, signal, [history], async (inner) => {
        const options = { deadline: limits.timeout, signal: inner };
        const args = ['--quiet', '--no-tags', '--prune', '--filter=tree:0', '--no-write-fetch-head'];
        const fetched = await git(['fetch', ...args, 'origin', ...names], options);
        if (fetched.status !== 0) throw errorOf(fetched);
      });
    } catch (error) {
      await rm(history, { recursive: true, force: true });
      throw error;
    }
    const contains = ['for-each-ref', '--count=1', '--format=%(refname)', `--contains=${commit}`];
    // What is not there is no reason to ask the host again.
    const { status, stdout } = await git(contains, { environment: { GIT_NO_LAZY_FETCH: '1' } });
    return status === 0 && stdout.length > 0;
  }

  #versionFile(version: string): string {
    return join(this.folder, 'versions', createHash('sha256').update(version).digest('hex'));
  }

  async #run(args: readonly string[], options?: Parameters<Git>[1]): Promise<void> {
    const result = await this.#git(this.#args(...args), options);
    if (result.status !== 0) throw errorOf(result);
  }

  #args(...args: readonly string[]): readonly string[] {
    return ['--git-dir', this.folder, ...args];
  }

  /** Stops a task that takes too much of the disk; the first folder is the repository that it works on. */
  async #within(
    limits: FetchLimits,
    signal: AbortSignal,
    folders: readonly [string, ...string[]],
    task: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const stopping = new AbortController();
    const exceeded = () => {
      stopping.abort();
    };
    try {
      await watchingSize(folders, limits.projectBytes, exceeded, () => task(AbortSignal.any([signal, stopping.signal])));
    } catch (error) {
      await removeScraps(folders[0]);
      if (!stopping.signal.aborted) throw error;
    }
    if (stopping.signal.aborted) throw fetchError('too-large', 'it is larger than a project may be');
  }

  /** Questions about commits do not delay clients that want the files. */
  #alone<T>(task: () => Promise<T>, where: 'files' | 'history' = 'files'): Promise<T> {
    const result = this.#last[where].then(task);
    this.#last[where] = result.catch(() => undefined);
    return result;
  }
}

/**
 * The files of a project are those of the commit, byte for byte. Attributes of its own would have Git convert files, for which it takes several times their
 * size of memory.
 */
const ATTRIBUTES = '* -text -ident -filter -working-tree-encoding\n';

/** An empty one, written by hand: it saves a start of Git, and holds exactly what is wanted. */
async function createRepository(folder: string, url: string, filter: 'blob:none' | 'tree:0'): Promise<void> {
  const attributes = join(folder, 'info', 'attributes');
  if ((await stat(attributes).catch(() => undefined)) !== undefined) return;
  await Promise.all(['objects', 'refs', 'info'].map((name) => mkdir(join(folder, name), { recursive: true })));
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(
    join(folder, 'config'),
    `[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tpartialClone = origin\n` +
      `[remote "origin"]\n\turl = "${url.replace(/["\\]/g, '\\$&')}"\n\tpromisor = true\n\tpartialclonefilter = ${filter}\n`,
  );
  await writeFile(attributes, ATTRIBUTES);
}

/** What Git received and did not finish: it may be hundreds of megabytes. */
async function removeScraps(repository: string): Promise<void> {
  const packs = join(repository, 'objects', 'pack');
  const names = (await readdir(packs).catch(() => [])).filter((name) => name.startsWith('tmp_'));
  await Promise.all(names.map((name) => rm(join(packs, name), { force: true })));
}

/** Bytes that a pipe hands over at once: the first of them are kept when more come. */
const PIPE = 65_536;

export function errorOf({ killed, stderr }: RunResult): FetchError {
  if (killed === 'aborted') return fetchError('aborted', 'no client waits for it any longer');
  if (killed === 'deadline') return fetchError('unreachable', 'it took too long');
  return fetchError(remoteFailure(stderr) ?? 'damaged', stderr.trim().split('\n').at(-1) ?? '');
}

export function fetchError(code: FetchError['code'], message: string): FetchError {
  return Object.assign(new Error(message), { code });
}

export function isFetchError(error: unknown): error is FetchError {
  return error instanceof Error && 'code' in error && FETCH_CODES.has(String(error.code));
}

const FETCH_CODES: ReadonlySet<string> = new Set(['missing', 'unreachable', 'too-large', 'damaged', 'aborted', 'full']);
