/**
 * Projects from Git repositories, cached by commit: one partial, shallow repository for each project, one checkout for each commit and folder, shared by
 * all sessions. The state is the disk itself; what is found there at the start is used.
 */
import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '../../ports.ts';
import { checkoutOf } from '../../core/simulation/build-recipe.ts';
import { toEvict, type Stored } from '../../core/simulation/eviction.ts';
import {
  refsOf,
  resolveVersion,
  versionIsCommit,
  type ResolvedVersion,
  type TreeFacts,
} from '../../core/simulation/git-output.ts';
import type { RunnableProject } from '../../core/simulation/project-address.ts';
import { NO_REPOSITORY } from '../../core/simulation/sentences.ts';
import type { Ending } from '../../core/simulation/session-life.ts';
import { shown } from '../../core/fleet/project.ts';
import type { Checkout, CheckoutResult, Disk, Launcher, ProjectSource } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { folderSize } from './folder-size.ts';
import { createGit, remoteUrl } from './git-command.ts';
import { errorOf, fetchError, isFetchError, Repository, type FetchError, type FetchLimits } from './repository.ts';
import { SingleFlight, Turns } from '../single-flight.ts';

export interface GitProjects extends ProjectSource {
  /** Removes what was used least recently until the rest fits. Returns how many checkouts and repositories were removed. */
  evict(): Promise<number>;
  /** Since the start. */
  readonly counts: { fetches: number; hits: number; stale: number };
}

export interface GitProjectsOptions {
  readonly settings: () => Pick<SimulationSettings, 'cache' | 'projects'>;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly log: Log;
}

/** Folder of the checkouts and builds in the cache. */
export const CHECKOUTS = 'checkouts';
/** Seconds after which an earlier answer is used, if there is one. */
const PATIENCE = 5;
const MAX_YAML = 65_536;
/** Bytes that a file takes on the disk at least. */
const BLOCK = 4096;

/** Seconds between two notes of a use, for the order in which projects are removed. */
const TOUCH_EVERY = 10;

/** A checkout on the disk. */
interface Files {
  readonly name: string;
  readonly folder: string;
  readonly facts: TreeFacts;
  /** First lines of worlds that were read. */
  readonly headers: Map<string, string>;
  leases: number;
  /** When its last use was written to the disk; seconds of wall time. */
  touchedAt: number;
}

export function createGitProjects(options: GitProjectsOptions): GitProjects {
  return new Projects(options);
}

class Projects implements GitProjects {
  readonly counts = { fetches: 0, hits: 0, stale: 0 };
  readonly #options: GitProjectsOptions;
  readonly #git;
  readonly #repositories = new Map<string, Repository>();
  readonly #files = new Map<string, Files>();
  readonly #resolving = new SingleFlight<ResolvedVersion>();
  readonly #fetching = new SingleFlight<Files>();
  readonly #turns = new Turns();
  /** Versions that need not be asked for again yet. */
  readonly #fresh = new Map<string, { readonly resolved: ResolvedVersion; readonly until: number }>();

  constructor(options: GitProjectsOptions) {
    this.#options = options;
    this.#git = createGit(options.launcher, () => options.settings().projects);
  }

  async checkout(project: RunnableProject, signal: AbortSignal): Promise<CheckoutResult> {
    try {
      const repository = this.#repositoryOf(project.remote);
      const { resolved, stale } = await this.#resolve(project, repository, signal);
      const files = await this.#filesOf(repository, resolved, project.world, signal);
      return { kind: 'checkout', checkout: await this.#lease(files, repository, resolved, project.world, stale) };
    } catch (error) {
      if (signal.aborted || !isFetchError(error)) throw error;
      this.#options.log.warn(`the project ${project.url} cannot be fetched: ${error.message}`, { code: error.code });
      return { kind: 'refused', ending: endingOf(error) };
    }
  }

  async evict(): Promise<number> {
    const { cache } = this.#options.settings();
    const stored = await this.#stored();
    const missing = cache.leaveFree - (await this.#options.disk.free(cache.dir));
    const names = toEvict(stored, { bytes: cache.bytes, missing });
    for (const name of names) {
      // It may have been taken meanwhile.
      if (this.#leases(name) > 0) continue;
      this.#files.delete(name);
      if (name.startsWith('repositories/')) await this.#remove(name.slice('repositories/'.length));
      else await removeAtOnce(join(cache.dir, name));
    }
    return names.length;
  }

  async #remove(name: string): Promise<void> {
    const known = this.#repositories.get(name);
    this.#repositories.delete(name);
    if (known !== undefined) await known.remove();
    else await rm(join(this.#options.settings().cache.dir, 'repositories', name), { recursive: true, force: true });
  }

  /** Everything in the cache, with its size and when it was used last. */
  async #stored(): Promise<readonly Stored[]> {
    const { dir } = this.#options.settings().cache;
    const stored: Stored[] = [];
    for (const kind of ['repositories', CHECKOUTS])
      for (const entry of await readdir(join(dir, kind)).catch(() => [])) {
        const name = `${kind}/${entry}`;
        const path = join(dir, name);
        const stats = await stat(path).catch(() => undefined);
        if (stats === undefined) continue;
        const inUse = this.#isInUse(name);
        stored.push({ name, bytes: await folderSize(path), lastUsed: stats.mtimeMs / 1000, inUse });
      }
    return stored;
  }

  /** A build is used by the sessions of its checkout. */
  #leases(name: string): number {
    return this.#files.get(checkoutOf(name))?.leases ?? 0;
  }

  #isInUse(name: string): boolean {
    if (name.startsWith(`${CHECKOUTS}/`)) return this.#leases(name) > 0 || name.endsWith('.new');
    const repository = name.slice('repositories/'.length);
    return [...this.#files.values()].some((files) => files.leases > 0 && files.name.startsWith(`${CHECKOUTS}/${repository}-`));
  }

  #repositoryOf(remote: string): Repository {
    const { cache, projects } = this.#options.settings();
    const url = remoteUrl(remote, projects.mirrors);
    const name = nameOf(url);
    let repository = this.#repositories.get(name);
    if (repository === undefined) {
      repository = new Repository(join(cache.dir, 'repositories', name), url, this.#git);
      this.#repositories.set(name, repository);
    }
    return repository;
  }

  /** Which commit is meant. */
  async #resolve(
    project: RunnableProject,
    repository: Repository,
    signal: AbortSignal,
  ): Promise<{ readonly resolved: ResolvedVersion; readonly stale: boolean }> {
    const commit = versionIsCommit(project);
    if (commit !== undefined) {
      await this.#requirePublished(commit, repository, signal);
      return { resolved: commit, stale: false };
    }
    const key = JSON.stringify([repository.folder, project.readings]);
    const { clock } = this.#options;
    const fresh = this.#fresh.get(key);
    if (fresh !== undefined && clock.now() < fresh.until) return { resolved: fresh.resolved, stale: false };
    const asking = this.#resolving.join(key, signal, (inner) => this.#ask(key, project, repository, inner));
    // It may fail while it is not waited for yet.
    asking.catch(() => undefined);
    const before = await this.#before(project, repository);
    if (before === undefined) return { resolved: await asking, stale: false };
    return this.#unlessSilent(asking, before);
  }

  /** Rules about repositories are rules about who may publish there. What was published once is believed from then on. */
  async #requirePublished(resolved: ResolvedVersion, repository: Repository, signal: AbortSignal): Promise<void> {
    const { commit, version } = resolved;
    const { clock } = this.#options;
    if ((await repository.remembered(version, Infinity, clock.wallTime())) === commit) return;
    await this.#resolving.join(JSON.stringify([repository.folder, commit]), signal, async (inner) => {
      if (!(await repository.isPublished(commit, this.#limits(), inner)))
        throw fetchError('missing', `the commit ${commit} is on no branch or tag`);
      await repository.remember(version, commit, clock.wallTime());
      return resolved;
    });
  }

  #limits(): FetchLimits {
    const { projectBytes, fetchTimeout } = this.#options.settings().cache;
    return { projectBytes, timeout: fetchTimeout };
  }

  async #ask(key: string, project: RunnableProject, repository: Repository, signal: AbortSignal): Promise<ResolvedVersion> {
    const { cache, projects } = this.#options.settings();
    const url = remoteUrl(project.remote, projects.mirrors);
    const result = await this.#git(['ls-remote', '--end-of-options', url, ...refsOf(project.readings)], {
      ...{ deadline: cache.fetchTimeout, signal },
    });
    if (result.status !== 0) throw errorOf(result);
    const resolved = resolveVersion(project.readings, Buffer.from(result.stdout).toString('utf8'));
    if (resolved === undefined)
      throw fetchError('missing', `there is no branch or tag ${shown(project.readings.at(-1)?.version ?? '')}`);
    const { clock } = this.#options;
    this.#forgetOldVersions();
    this.#fresh.set(key, { resolved, until: clock.now() + cache.refreshAfter });
    await repository.remember(resolved.version, resolved.commit, clock.wallTime());
    return resolved;
  }

  #forgetOldVersions(): void {
    const now = this.#options.clock.now();
    for (const [key, { until }] of this.#fresh) if (until <= now) this.#fresh.delete(key);
  }

  /** What the version was the last time, if its files are still here. */
  async #before(project: RunnableProject, repository: Repository): Promise<ResolvedVersion | undefined> {
    const { cache } = this.#options.settings();
    for (const reading of project.readings) {
      const commit = await repository.remembered(reading.version, cache.staleFor, this.#options.clock.wallTime());
      if (commit !== undefined && (await this.#known(repository, { ...reading, commit })) !== undefined)
        return { ...reading, commit };
    }
    return undefined;
  }

  async #unlessSilent(
    asking: Promise<ResolvedVersion>,
    before: ResolvedVersion,
  ): Promise<{ readonly resolved: ResolvedVersion; readonly stale: boolean }> {
    const enough = new AbortController();
    const silence = this.#options.clock.sleep(PATIENCE, enough.signal).then(() => undefined);
    try {
      const resolved = await Promise.race([asking, silence]);
      if (resolved !== undefined) return { resolved, stale: false };
    } catch (error) {
      if (!isFetchError(error) || error.code !== 'unreachable') throw error;
    } finally {
      enough.abort();
    }
    this.counts.stale += 1;
    return { resolved: before, stale: true };
  }

  /** A checkout that is on the disk. */
  async #known(repository: Repository, resolved: ResolvedVersion): Promise<Files | undefined> {
    const name = checkoutName(repository, resolved);
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const folder = join(this.#options.settings().cache.dir, name);
    if ((await stat(folder).catch(() => undefined)) === undefined) return undefined;
    const facts = await repository.tree(resolved.commit, resolved.folder);
    if (facts === undefined) return undefined;
    const files: Files = this.#files.get(name) ?? { name, folder, facts, headers: new Map(), leases: 0, touchedAt: 0 };
    this.#files.set(name, files);
    return files;
  }

  async #filesOf(repository: Repository, resolved: ResolvedVersion, world: string, signal: AbortSignal): Promise<Files> {
    const known = await this.#known(repository, resolved);
    if (known !== undefined) {
      this.counts.hits += 1;
      return known;
    }
    // A world that is missing is refused before the files are fetched, so it is a part of the work that is shared.
    const key = JSON.stringify([checkoutName(repository, resolved), world]);
    return this.#fetching.join(key, signal, (inner) =>
      this.#turns.take(this.#options.settings().cache.fetches, () => this.#fetch(repository, resolved, world, inner)),
    );
  }

  async #fetch(repository: Repository, resolved: ResolvedVersion, world: string, signal: AbortSignal): Promise<Files> {
    try {
      return await this.#fetchOnce(repository, resolved, world, signal);
    } catch (error) {
      if (!isFetchError(error) || error.code !== 'damaged') throw error;
      this.#options.log.warn('a repository in the cache is damaged and is fetched again', { reason: error.message });
      await repository.remove();
      return this.#fetchOnce(repository, resolved, world, signal);
    }
  }

  async #fetchOnce(repository: Repository, resolved: ResolvedVersion, world: string, signal: AbortSignal): Promise<Files> {
    const { cache } = this.#options.settings();
    const limits = this.#limits();
    const { commit, folder } = resolved;
    signal.throwIfAborted();
    await this.#requireRoom();
    this.counts.fetches += 1;
    await repository.fetch(commit, limits, signal);
    const facts = await repository.tree(commit, folder);
    if (facts?.worlds.includes(world) !== true) throw missingWorld(world);
    // Empty files have no bytes, but take their place on the disk.
    if (facts.files * BLOCK > limits.projectBytes) throw fetchError('too-large', `it has ${facts.files} files`);
    const again = await this.#known(repository, resolved);
    if (again !== undefined) return again;
    const name = checkoutName(repository, resolved);
    const target = join(cache.dir, name);
    await mkdir(join(cache.dir, CHECKOUTS), { recursive: true });
    await repository.checkOut(commit, folder, target, limits, signal);
    const files: Files = { name, folder: target, facts, headers: new Map(), leases: 0, touchedAt: 0 };
    this.#files.set(name, files);
    return files;
  }

  async #requireRoom(): Promise<void> {
    const { cache } = this.#options.settings();
    if ((await this.#options.disk.free(cache.dir)) >= cache.leaveFree) return;
    await this.evict();
    if ((await this.#options.disk.free(cache.dir)) < cache.leaveFree) throw fetchError('full', 'the disk is full');
  }

  async #lease(
    files: Files,
    repository: Repository,
    { commit, folder }: ResolvedVersion,
    world: string,
    stale: boolean,
  ): Promise<Checkout> {
    const { facts } = files;
    if (!facts.worlds.includes(world)) throw missingWorld(world);
    files.leases += 1;
    const now = this.#options.clock.wallTime();
    const below = (path: string) => (folder === '' ? path : `${folder}/${path}`);
    const read = (path: string, limit: number) => repository.file(commit, below(path), limit);
    if (Math.abs(now - files.touchedAt) > TOUCH_EVERY) {
      files.touchedAt = now;
      for (const folder of [files.folder, repository.folder]) await utimes(folder, now, now).catch(() => undefined);
    }
    const yaml = facts.webotsYaml === undefined ? undefined : await read(facts.webotsYaml, MAX_YAML);
    const worldHeader = files.headers.get(world) ?? (await repository.firstLine(commit, below(`worlds/${world}`)));
    files.headers.set(world, worldHeader);
    let isReleased = false;
    return {
      ...{ folder: files.folder, commit, stale, links: new Set(facts.links) },
      ...{ facts: { world: `worlds/${world}`, worldHeader }, recipes: facts.recipes },
      ...(yaml !== undefined && { webotsYaml: Buffer.from(yaml).toString('utf8') }),
      readFile: (path, limit) => (facts.links.includes(path) ? Promise.resolve(undefined) : read(path, limit)),
      release() {
        if (!isReleased) files.leases -= 1;
        isReleased = true;
      },
    };
  }
}

/** A session that comes meanwhile finds no half of it. */
async function removeAtOnce(folder: string): Promise<void> {
  const removed = folder.endsWith('.removed') ? folder : `${folder}.removed`;
  if (removed !== folder) renameSync(folder, removed);
  await rm(removed, { recursive: true, force: true });
}

function checkoutName(repository: Repository, { commit, folder }: ResolvedVersion): string {
  const name = repository.folder.slice(repository.folder.lastIndexOf('/') + 1);
  return `${CHECKOUTS}/${name}-${nameOf(`${commit}:${folder}`)}`;
}

/** Plain, and the same for the same text. */
function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** With the original's text. */
function missingWorld(world: string): FetchError {
  return Object.assign(fetchError('missing', `the world ${world} does not exist`), { world });
}

function endingOf(error: FetchError): Ending {
  switch (error.code) {
    case 'missing':
      return 'world' in error
        ? { reason: 'project', code: 1008, text: `${String(error.world)} does not exist.` }
        : { reason: 'project', code: 1008, text: NO_REPOSITORY };
    case 'too-large':
      return { reason: 'project', code: 1008, text: 'The project is too large for this simulation server.' };
    case 'full':
      return { reason: 'disk', code: 1013, text: 'The disk of this simulation server is full.' };
    case 'unreachable':
    case 'damaged':
    case 'aborted':
      return { reason: 'fetch', code: 1013, text: 'The project cannot be fetched at the moment.' };
  }
}
