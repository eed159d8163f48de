/** What a session sees inside bubblewrap: the programs of the machine to read, its own project to write, and little else. Pure. */
import type { LaunchPlan } from './launch-plan.ts';

/** Where things are inside. */
export const INSIDE = { project: '/project', session: '/session' } as const;

/** Folders of programs; those that are links to others are made again. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/opt'];
/** Settings that programs need. What of `/etc` is not named here, such as passwords and keys, is not there. */
const SETTINGS = [
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'fonts', 'localtime', 'nsswitch.conf', 'hosts', 'resolv.conf'],
  ...['ssl/certs', 'ca-certificates', 'passwd', 'group', 'glvnd', 'vulkan', 'OpenCL', 'mime.types'],
];

/**
 * What is set here is set for the whole machine, and the kernel lets root do so without any capability: a pattern for core dumps, for example, is a program
 * that it starts outside. Bubblewrap leaves that to its caller.
 */
const KERNEL = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi', 'scsi', 'driver', 'mtrr'];

export interface BubblewrapOptions {
  readonly plan: LaunchPlan;
  /** Host path of the project, which the session may write. */
  readonly project: string;
  /** Host path of a folder for the session's socket. */
  readonly session: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Bytes of temporary files. */
  readonly temporary: number;
  /** Folders besides those of the plan, to be read. */
  readonly folders: readonly string[];
  /** X socket of the display. */
  readonly displaySocket?: string;
  /** Program and arguments inside. */
  readonly argv: readonly string[];
}

export function bubblewrapArguments(options: BubblewrapOptions): readonly string[] {
  const { plan, project, session, environment, temporary, folders, displaySocket, argv } = options;
  const { network, gpu } = plan;
  return [
    ...['bwrap', '--unshare-all', ...(network === 'none' ? [] : ['--share-net'])],
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', 'simulation'],
    '--clearenv',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...SYSTEM.flatMap((path) => ['--ro-bind-try', path, path]),
    ...SETTINGS.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...['--proc', '/proc', ...KERNEL.flatMap((name) => ['--ro-bind-try', `/proc/${name}`, `/proc/${name}`])],
    ...['--dev', '/dev', '--perms', '1777', '--size', String(temporary), '--tmpfs', '/tmp'],
    ...['--perms', '0700', '--size', String(temporary), '--tmpfs', '/run'],
    ...[...plan.folders, ...folders].flatMap((path) => ['--ro-bind', path, path]),
    ...(gpu ? ['--dev-bind-try', '/dev/dri', '/dev/dri', ...NVIDIA.flatMap((path) => ['--dev-bind-try', path, path])] : []),
    ...(displaySocket === undefined ? [] : ['--ro-bind', displaySocket, displaySocket]),
    ...['--bind', project, INSIDE.project, '--bind', session, INSIDE.session, '--chdir', INSIDE.project],
    '--',
    ...argv,
  ];
}

const NVIDIA = [
  '/dev/nvidia0',
  '/dev/nvidia1',
  '/dev/nvidia2',
  '/dev/nvidia3',
  '/dev/nvidiactl',
  '/dev/nvidia-uvm',
  '/dev/nvidia-modeset',
];
