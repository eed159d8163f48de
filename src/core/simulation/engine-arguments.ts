/** Arguments of container engines, docker and podman alike. Pure; nothing of a project decides what is here but the image, which the version chose. */
import type { LaunchPlan } from './launch-plan.ts';

export type EngineName = 'docker' | 'podman';

/** Where things are in a container. */
export const IN_CONTAINER = { project: '/usr/local/webots-project', session: '/session', port: 1234 } as const;

/** Label by which containers of ours are found: `INSTANCE/ID`. */
export const LABEL = 'session-server-sim';
/** Label of images that were built here; the value is the instance. */
export const BUILD_LABEL = 'session-server-sim-build';
/** The same of one server. */
const INSTANCE_LABEL = 'session-server-sim-instance';

export interface ContainerOptions {
  readonly engine: EngineName;
  readonly runtime?: string;
  readonly instance: string;
  readonly id: string;
  readonly image: string;
  readonly plan: LaunchPlan;
  /** Path of the project in the container. */
  readonly project: string;
  /** Host paths that the session may write. */
  readonly workspace: string;
  readonly session: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: { readonly cpus: number; readonly memory: number; readonly pids: number; readonly disk: number };
  /** Hard limits of the caller, which no container may exceed where it cannot raise them. */
  readonly ulimits: { readonly nofile: number; readonly nproc: number };
  /** Port of the loopback that is led to the simulator. Absent: there is a door, or a Unix socket. */
  readonly publish?: number;
  readonly devices: readonly string[];
  /** There is an NVIDIA GPU. */
  readonly nvidia: boolean;
  /** Folder of X sockets. */
  readonly displayFolder?: string;
}

export function containerName(instance: string, id: string): string {
  return `session-server-sim-${instance}-${id}`;
}

/** The id in such a name. */
export function idOfContainer(instance: string, name: string): string | undefined {
  const prefix = containerName(instance, '');
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

export function runArguments(options: ContainerOptions): readonly string[] {
  const { engine, runtime, instance, id, image, plan, project, workspace, session, environment, limits, ulimits } = options;
  const { publish, devices, nvidia, displayFolder } = options;
  const memory = String(limits.memory);
  return [
    ...engineArguments(engine, runtime),
    ...[
      'run',
      '--name',
      containerName(instance, id),
      '--label',
      `${LABEL}=${instance}/${id}`,
      '--label',
      `${INSTANCE_LABEL}=${instance}`,
    ],
    ...(engine === 'docker' && runtime !== undefined ? ['--runtime', runtime] : []),
    ...['--pull', 'never', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--hostname', 'simulation'],
    ...['--pids-limit', String(limits.pids), '--memory', memory, '--memory-swap', memory, '--cpus', String(limits.cpus)],
    ...['--ulimit', `nofile=${ulimits.nofile}:${ulimits.nofile}`, '--ulimit', `nproc=${ulimits.nproc}:${ulimits.nproc}`],
    ...['--tmpfs', `/tmp:rw,nosuid,nodev,size=${limits.disk},mode=1777`],
    ...['--volume', `${workspace}:${project}`, '--volume', `${session}:${IN_CONTAINER.session}`, '--workdir', project],
    ...(publish === undefined ? [] : ['--publish', `127.0.0.1:${publish}:${IN_CONTAINER.port}`]),
    ...networkArguments(plan, publish !== undefined),
    ...(plan.gpu ? gpuArguments(engine, devices, nvidia) : []),
    ...(displayFolder === undefined ? [] : ['--volume', `${displayFolder}:${displayFolder}:ro`]),
    ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...['--entrypoint', plan.argv[0] ?? '', image, ...plan.argv.slice(1)],
  ];
}

export interface BuildArguments {
  readonly engine: EngineName;
  readonly runtime?: string;
  readonly instance: string;
  readonly id: string;
  /** Of this machine: what can be copied into the image. */
  readonly folder: string;
  readonly name: string;
  readonly base: string;
  readonly make: boolean;
  /** Path of the project in the container. */
  readonly project: string;
  readonly limits: { readonly cpus: number; readonly memory: number };
  readonly pull: 'missing' | 'never';
}

/** With the arguments that the original gives to a `Dockerfile`. */
export function buildArguments(options: BuildArguments): readonly string[] {
  const { engine, runtime, instance, folder, name, base, make, project, limits, pull } = options;
  const period = 100_000;
  const memory = String(limits.memory);
  const values = { WEBOTS_DEFAULT_IMAGE: base, PROJECT_PATH: project, MAKE: make ? '1' : '0' };
  return [
    ...engineArguments(engine, runtime),
    ...['build', '--force-rm', '--tag', name, '--label', `${BUILD_LABEL}=${instance}`],
    // Docker pulls what is missing in any case.
    ...(engine === 'podman' ? [`--pull=${pull}`, '--http-proxy=false'] : []),
    ...['--memory', memory, '--memory-swap', memory],
    ...['--cpu-period', String(period), '--cpu-quota', String(Math.round(limits.cpus * period))],
    ...Object.entries(values).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...['--file', `${folder}/Dockerfile`, folder],
  ];
}

/** Names of the images that a server built, one a line. */
export function builtImagesArguments(engine: EngineName, instance: string): readonly string[] {
  return [engine, 'images', '--filter', `label=${BUILD_LABEL}=${instance}`, '--format', '{{.Repository}}:{{.Tag}}'];
}

/** A container that is never started, to take files from. */
export function createArguments(engine: EngineName, instance: string, id: string, image: string): readonly string[] {
  const labels = ['--label', `${LABEL}=${instance}/${id}`, '--label', `${INSTANCE_LABEL}=${instance}`];
  return [
    engine,
    'create',
    '--name',
    containerName(instance, id),
    ...labels,
    '--pull',
    'never',
    '--network',
    'none',
    image,
    'none',
  ];
}

/** Into a folder of this machine. Links stay links. */
export function copyArguments(engine: EngineName, name: string, path: string, target: string): readonly string[] {
  return [engine, 'cp', `${name}:${path}/.`, target];
}

export function listArguments(engine: EngineName, instance: string): readonly string[] {
  return [engine, 'ps', '--all', '--filter', `label=${INSTANCE_LABEL}=${instance}`, '--format', '{{.Names}}'];
}

export function removeArguments(engine: EngineName, name: string): readonly string[] {
  // Podman would wait for its end, docker does not know the option.
  return [engine, 'rm', '--force', '--volumes', ...(engine === 'podman' ? ['--time', '0'] : []), name];
}

export function pidArguments(engine: EngineName, name: string): readonly string[] {
  return [engine, 'inspect', '--type', 'container', '--format', '{{.State.Pid}}', name];
}

export function outOfMemoryArguments(engine: EngineName, name: string): readonly string[] {
  return [engine, 'inspect', '--type', 'container', '--format', '{{.State.OOMKilled}}', name];
}

/** Before the sub-command. */
function engineArguments(engine: EngineName, runtime: string | undefined): readonly string[] {
  return engine === 'podman' && runtime !== undefined ? [engine, '--runtime', runtime] : [engine];
}

/** A published port needs a network. */
function networkArguments({ network }: LaunchPlan, isPublished: boolean): readonly string[] {
  if (network === 'none' && !isPublished) return ['--network', 'none'];
  return network === 'host' && !isPublished ? ['--network', 'host'] : [];
}

function gpuArguments(engine: EngineName, devices: readonly string[], nvidia: boolean): readonly string[] {
  const own = devices.flatMap((path) => ['--device', path]);
  if (!nvidia) return own;
  return engine === 'docker' ? [...own, '--gpus', 'all'] : [...own, '--device', 'nvidia.com/gpu=all'];
}
