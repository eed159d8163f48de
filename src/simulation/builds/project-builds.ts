/**
 * Prepares what a session runs: the image of its simulator, or what is built of the project once for each commit. A `Dockerfile` makes an image; a
 * `Makefile` runs as a session would, in the same isolation and within the same limits. The files that come out of either are kept beside the checkout.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { builtName, recipeOf, type BuildStep, type Recipe } from '../../core/simulation/build-recipe.ts';
import type { LaunchPlace, LaunchPlan, PlanResult } from '../../core/simulation/launch-plan.ts';
import type { Ending } from '../../core/simulation/session-life.ts';
import type { Clock, Log } from '../../ports.ts';
import type {
  Checkout,
  Isolation,
  Preparation,
  Prepared,
  PrepareRequest,
  Running,
  Simulator,
  StartOptions,
  Workspaces,
} from '../ports.ts';
import { SingleFlight, Turns } from '../single-flight.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { copyTree } from '../workspaces/copy.ts';

export interface ProjectBuildsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => Pick<SimulationSettings, 'container' | 'limits'>;
  readonly simulator: Simulator;
  readonly isolation: Isolation;
  readonly workspaces: Workspaces;
  /** Whether a project, by its key, is below `allowedRepositories`. */
  readonly allowed: (project: string) => boolean;
  readonly newId: () => string;
  /** Whether the files of a build, by the name of their folder, are in the cache. */
  readonly isKept: (build: string) => boolean;
  /** On this machine, for isolations without images. */
  readonly makeProgram?: string;
}

const MAKE = '/usr/bin/make';
/** Before the name of the folder with the files of the build. */
const IMAGE_PREFIX = 'localhost/session-server-sim-built:';
/** Seconds for which a build that failed is not tried again. */
const REMEMBERED = 60;
/** Lines of a build that failed which are logged. */
const LAST_LINES = 10;

/** A build, or what came out of it. */
interface Build {
  readonly recipe: Recipe;
  readonly checkout: Checkout;
  /** The image of the simulator, if it runs from one. */
  readonly base: string;
  /** Where the files are kept. */
  readonly target: string;
  readonly image?: string;
}

export class ProjectBuilds implements Preparation {
  /** Ids of what runs now, so that it is not taken for a leftover. */
  readonly living = new Set<string>();
  readonly #options: ProjectBuildsOptions;
  readonly #flights = new SingleFlight<string | undefined>();
  readonly #turns = new Turns();
  /** Names of images that are built now. */
  readonly #building = new Set<string>();
  /** Sessions that wait for a build. */
  readonly #waiting = new Map<string, Set<PrepareRequest['say']>>();
  /** Until when a build is not tried again. */
  readonly #failed = new Map<string, number>();

  constructor(options: ProjectBuildsOptions) {
    this.#options = options;
  }

  async prepare(request: PrepareRequest): Promise<Prepared> {
    const { checkout, mode, signal } = request;
    const { isolation, simulator } = this.#options;
    const plan = (place: LaunchPlace) => simulator.plan(checkout.facts, place);
    const recipe = this.#recipeOf(request);
    const needsImage = recipe !== 'Dockerfile';
    const ending = needsImage
      ? await isolation.prepare?.({ ...{ plan, signal }, ...(mode !== undefined && { mode }) })
      : undefined;
    if (ending !== undefined) return { kind: 'refused', ending };
    if (recipe === undefined) return { kind: 'ready', folder: checkout.folder };
    const first = plan({ project: '', port: 0, socket: '', container: isolation.container });
    if (first.kind === 'refused') return first;
    const build = buildOf(recipe, checkout, first.plan.image ?? '');
    if (!(await this.#isDone(build))) {
      request.say('Building the project');
      const failure = await this.#join(build, request);
      if (failure !== undefined) return { kind: 'refused', ending: FAILED };
    }
    return { kind: 'ready', folder: build.target, ...(build.image !== undefined && { image: build.image }) };
  }

  #recipeOf({ checkout: { recipes }, project }: PrepareRequest): Recipe | undefined {
    const { isolation, settings, allowed, makeProgram = MAKE } = this.#options;
    const { container } = isolation;
    const facts = { container, build: settings().container.build, allowed: allowed(project.key) };
    const recipe = recipeOf({ recipes, ...facts });
    return recipe === 'Makefile' && !container && !existsSync(makeProgram) ? undefined : recipe;
  }

  /** Removes the images whose files the cache no longer has. Those that are in use stay until the next time. Returns how many were removed. */
  async removeUnusedImages(): Promise<number> {
    const { isolation, isKept } = this.#options;
    let removed = 0;
    for (const name of (await isolation.images?.list()) ?? []) {
      const build = name.startsWith(IMAGE_PREFIX) ? name.slice(IMAGE_PREFIX.length) : undefined;
      if (build === undefined || this.#building.has(name) || isKept(build)) continue;
      if ((await isolation.images?.remove(name)) === true) removed += 1;
    }
    return removed;
  }

  /** The engine is asked, because an operator may remove its images at any time. */
  async #isDone({ target, image }: Build): Promise<boolean> {
    return existsSync(target) && (image === undefined || (await this.#options.isolation.images?.has(image)) === true);
  }

  /** The end of what was printed, if it failed. */
  async #join(build: Build, { project, signal, say }: PrepareRequest): Promise<string | undefined> {
    const { clock } = this.#options;
    const { target } = build;
    if ((this.#failed.get(target) ?? 0) > clock.now()) return 'it failed a moment ago';
    const waiting = this.#waiting.get(target) ?? new Set();
    this.#waiting.set(target, waiting.add(say));
    try {
      return await this.#flights.join(target, signal, async (inner) => {
        const failure = await this.#turns.take(1, () => this.#build(build, inner));
        if (failure !== undefined) this.#remember(build, project.url, failure);
        return failure;
      });
    } finally {
      waiting.delete(say);
      if (waiting.size === 0) this.#waiting.delete(target);
    }
  }

  #remember({ target, recipe }: Build, url: string, failure: string): void {
    const { clock, log } = this.#options;
    log.warn(`the ${recipe} of ${url} failed`, { output: failure });
    for (const [key, until] of this.#failed) if (until <= clock.now()) this.#failed.delete(key);
    this.#failed.set(target, clock.now() + REMEMBERED);
  }

  async #build(build: Build, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    const id = this.#options.newId();
    const scratch = `${build.target}.new`;
    this.living.add(id);
    if (build.image !== undefined) this.#building.add(build.image);
    await rm(scratch, { recursive: true, force: true });
    try {
      const failure = await (build.recipe === 'Dockerfile'
        ? this.#image(id, build, scratch, signal)
        : this.#make(id, build, scratch, signal));
      // What was given up has not failed.
      signal.throwIfAborted();
      if (failure !== undefined) return failure;
      // Sessions may use what an earlier run of this server made of the same commit.
      if (!existsSync(build.target)) await rename(scratch, build.target);
      return undefined;
    } finally {
      await rm(scratch, { recursive: true, force: true });
      if (build.image !== undefined) this.#building.delete(build.image);
      this.living.delete(id);
    }
  }

  async #image(
    id: string,
    { checkout, base, image = '', target: kept }: Build,
    target: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { isolation, settings } = this.#options;
    const make = checkout.recipes.includes('Makefile');
    const deadline = settings().limits.prepareTimeout;
    let last = 0;
    const step = ({ number, of }: BuildStep) => {
      // What runs in the build can print such lines, too.
      if (number <= last) return;
      last = number;
      for (const say of this.#waiting.get(kept) ?? []) say(`Building, step ${number} of ${of}`);
    };
    const options = { id, folder: checkout.folder, name: image, base, make, target, deadline, signal, step };
    return isolation.images?.build(options);
  }

  async #make(id: string, { checkout }: Build, target: string, signal: AbortSignal): Promise<string | undefined> {
    const { isolation, workspaces, simulator, settings, makeProgram = MAKE } = this.#options;
    const lines: string[] = [];
    try {
      const workspace = await workspaces.open(id, checkout, signal);
      const result = await isolation.start({
        ...{ id, workspace, limits: settings().limits, signal },
        plan: (place) => makePlan(simulator.plan(checkout.facts, place), makeProgram, place.project),
        line: (line) => {
          lines.push(line);
          if (lines.length > LAST_LINES) lines.shift();
        },
      });
      if (result.kind === 'refused') return result.ending.text ?? result.ending.reason;
      const status = await this.#endOf(result.running, signal);
      if (status !== 0) return [...lines, `status ${status}`].join('\n');
      if (((await workspace.usage()) ?? 0) > settings().limits.disk) return 'it wrote more to the disk than is allowed';
      await copyTree(workspace.folder, target, signal);
      return undefined;
    } finally {
      await isolation.remove(id);
      await workspaces.remove(id);
    }
  }

  /** Its exit status, or why it was ended. Nothing of it runs afterwards. */
  async #endOf(running: Running, signal: AbortSignal): Promise<number | string> {
    const { clock, settings } = this.#options;
    const enough = new AbortController();
    const stopping = AbortSignal.any([signal, enough.signal]);
    const tooLate = clock.sleep(settings().limits.prepareTimeout, stopping).then(() => 'deadline');
    try {
      return await Promise.race([running.exited.then(({ status }) => status), tooLate]);
    } finally {
      enough.abort();
      await running.end();
    }
  }
}

function buildOf(recipe: Recipe, checkout: Checkout, base: string): Build {
  const digest = createHash('sha256').update(`${recipe} ${base}`).digest('hex').slice(0, 8);
  const target = builtName(checkout.folder, digest);
  const image = `${IMAGE_PREFIX}${basename(target)}`;
  return { recipe, checkout, base, target, ...(recipe === 'Dockerfile' && { image }) };
}

/** Where the simulator would run, with its environment. */
function makePlan(result: PlanResult, program: string, project: string): ReturnType<StartOptions['plan']> {
  if (result.kind === 'refused') return result;
  const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', ...result.plan.environment };
  const plan: LaunchPlan = {
    ...{ ...result.plan, argv: [program, '-C', project], environment, display: false, gpu: false },
    // Nothing listens anywhere.
    ...{ inner: 'unix', loadedBy: 'address' },
  };
  return { kind: 'plan', plan };
}

const FAILED: Ending = { reason: 'prepare', code: 1013, text: 'The project cannot be built on this simulation server.' };
