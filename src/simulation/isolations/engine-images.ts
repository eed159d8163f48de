/** Images that docker or podman build of projects. */
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../ports.ts';
import { buildStep } from '../../core/simulation/build-recipe.ts';
import {
  buildArguments,
  builtImagesArguments,
  containerName,
  copyArguments,
  createArguments,
  type EngineName,
} from '../../core/simulation/engine-arguments.ts';
import type { BuildOptions, ImageBuilder, Launcher, RunResult } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { ANSWER, engineEnvironment } from './engine-command.ts';

export interface EngineImagesOptions {
  readonly engine: EngineName;
  readonly instance: string;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly settings: () => SimulationSettings;
  readonly runtime: string | undefined;
  /** Path of the project in the images. */
  readonly project: () => string;
  /** Removes the container of an id. */
  readonly removeContainer: (id: string) => Promise<void>;
}

/** Lines of a build that failed which are kept. */
const LAST_LINES = 10;

export class EngineImages implements ImageBuilder {
  readonly #options: EngineImagesOptions;

  constructor(options: EngineImagesOptions) {
    this.#options = options;
  }

  async build(options: BuildOptions): Promise<string | undefined> {
    const { id, name, target } = options;
    const { engine, instance, settings, project, removeContainer } = this.#options;
    const failure = await this.#build(options);
    if (failure !== undefined) return failure;
    const size = Number(text(await this.#ask('image', 'inspect', '--format', '{{.Size}}', name)));
    const { buildBytes } = settings().container;
    if (!(size <= buildBytes)) {
      await this.#ask('rmi', '--force', name);
      return `the image has ${size} bytes, which is more than container.buildBytes`;
    }
    try {
      const created = await this.#run(createArguments(engine, instance, id, name), options);
      if (created.status !== 0) return endOf(created);
      await mkdir(target, { recursive: true });
      const copied = await this.#run(copyArguments(engine, containerName(instance, id), project(), target), options);
      return copied.status === 0 ? undefined : endOf(copied);
    } finally {
      await removeContainer(id);
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.#ask('image', 'inspect', '--format', '{{.Id}}', name)).status === 0;
  }

  async list(): Promise<readonly string[]> {
    const { engine, instance } = this.#options;
    const names = text(await this.#run(builtImagesArguments(engine, instance), { deadline: ANSWER }));
    return names.split('\n').filter((name) => name !== '');
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#ask('rmi', name)).status === 0;
  }

  /** Its lines are read while it runs. `undefined`: the image is there. */
  async #build(options: BuildOptions): Promise<string | undefined> {
    const { deadline, signal, step } = options;
    const { engine, instance, launcher, clock, settings, runtime, project } = this.#options;
    const { limits, container } = settings();
    const argv = buildArguments({
      ...{ ...options, engine, instance, limits, pull: container.pull, project: project() },
      ...(runtime !== undefined && { runtime }),
    });
    const lines: string[] = [];
    const program = await launcher.start(argv, {
      ...{ cwd: '/', environment: engineEnvironment(), joins: [] },
      line(line) {
        const found = buildStep(line);
        if (found !== undefined) step(found);
        if (line.trim() !== '') lines.push(line);
        if (lines.length > LAST_LINES) lines.shift();
      },
    });
    const ended = new AbortController();
    const tooLate = clock.sleep(deadline, AbortSignal.any([signal, ended.signal])).then(() => 'deadline');
    const status = await Promise.race([program.exited, tooLate]);
    ended.abort();
    if (status === 'deadline') program.signal('SIGKILL');
    await program.exited;
    return status === 0 ? undefined : [...lines, `status ${status}`].join('\n');
  }

  #ask(...args: readonly string[]): Promise<RunResult> {
    return this.#run([this.#options.engine, ...args], { deadline: ANSWER });
  }

  #run(
    argv: readonly string[],
    { deadline, signal }: { readonly deadline: number; readonly signal?: AbortSignal },
  ): Promise<RunResult> {
    const environment = engineEnvironment();
    return this.#options.launcher.run(argv, { deadline, environment, ...(signal !== undefined && { signal }) });
  }
}

function text({ status, stdout }: RunResult): string {
  return status === 0 ? Buffer.from(stdout).toString('utf8').trim() : '';
}

function endOf({ killed, stderr, status }: RunResult): string {
  return killed ?? [...stderr.trim().split('\n').slice(-LAST_LINES), `status ${status}`].join('\n');
}
