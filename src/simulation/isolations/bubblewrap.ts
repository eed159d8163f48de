/**
 * Bubblewrap: namespaces of their own for files, processes and, where the simulator allows it, the network, in a cgroup of ours where there are cgroups.
 * The session ends with the program that was started, whatever it forked.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bubblewrapArguments, INSIDE } from '../../core/simulation/bubblewrap-arguments.ts';
import type { InnerAddress, LaunchPlan } from '../../core/simulation/launch-plan.ts';
import type { IsolationFacts, Launcher, StartOptions } from '../ports.ts';
import { doorArguments } from '../launcher/door.ts';
import { createProcessIsolation, type ProcessIsolationOptions, type Wrapped } from './process.ts';
import type { Tried } from './tried.ts';

export type BubblewrapOptions = ProcessIsolationOptions & {
  readonly launcher: Launcher;
  /** What the simulator wants when nothing else is configured. */
  readonly network: () => LaunchPlan['network'];
  /** Bytes of temporary files of a session. */
  readonly temporary: () => number;
};

/** Port of the simulator inside a network of its own. */
const INNER_PORT = 1234;

export async function tryBubblewrap(options: BubblewrapOptions): Promise<Tried> {
  for (const network of ['none', options.network()] as const) {
    const plan: LaunchPlan = {
      ...{ argv: [], environment: {}, inner: 'unix', loadedBy: 'word', network, folders: [], display: false, gpu: false },
    };
    const argv = bubblewrapArguments({
      ...{ plan, project: '/usr', session: '/usr', environment: {}, temporary: 1_048_576, folders: [] },
      argv: ['/bin/echo', 'works'],
    });
    try {
      const { status, stdout, stderr } = await options.launcher.run(argv, { deadline: 10 });
      if (status !== 0 || Buffer.from(stdout).toString() !== 'works\n')
        return { kind: 'not', reason: stderr.trim().split('\n').at(-1) ?? 'it does not run' };
    } catch (error) {
      return { kind: 'not', reason: error instanceof Error ? error.message : String(error) };
    }
  }
  return {
    kind: 'works',
    isolation: createProcessIsolation({ ...options, ...wrapping(options), confines: true, facts: factsOf(options) }),
  };
}

function factsOf({ cgroups, network }: BubblewrapOptions): IsolationFacts {
  const limits = cgroups?.limits ?? 'none';
  const hasNetwork = network() !== 'none';
  return {
    ...{ name: 'bubblewrap', strength: 'namespace', limits, network: hasNetwork ? 'unfiltered' : 'none' },
    notes: [
      ...(limits === 'all' ? [] : ['Not all of processor, memory and processes are limited here.']),
      ...(hasNetwork ? ['A simulation reaches the network of this machine, its own services included.'] : []),
    ],
  };
}

function wrapping({ temporary, display }: BubblewrapOptions): Pick<ProcessIsolationOptions, 'wrap'> {
  return {
    wrap: async ({ workspace, plan: planFor, mode }: StartOptions, port): Promise<Wrapped> => {
      const session = join(dirname(workspace.folder), 'session');
      await mkdir(session, { recursive: true });
      const place = {
        project: INSIDE.project,
        socket: `${INSIDE.session}/s`,
        container: false,
        ...(mode !== undefined && { mode }),
      };
      // The port depends on the network of the plan; a plan is cheap.
      const first = planFor({ ...place, port });
      if (first.kind === 'refused') return first;
      const isAlone = first.plan.network === 'none';
      const result = isAlone ? planFor({ ...place, port: INNER_PORT }) : first;
      if (result.kind === 'refused') return result;
      const { plan } = result;
      const hasDoor = isAlone && plan.inner === 'tcp';
      const door = doorArguments(`${INSIDE.session}/s`, INNER_PORT);
      const displaySocket = plan.display ? socketOf(display()) : undefined;
      const argv = (environment: Readonly<Record<string, string>>) =>
        bubblewrapArguments({
          ...{ plan, project: workspace.folder, session, environment, temporary: temporary() },
          ...{ folders: hasDoor ? door.folders : [], argv: hasDoor ? [...door.argv, ...plan.argv] : plan.argv },
          ...(displaySocket !== undefined && { displaySocket }),
        });
      const inner: InnerAddress =
        isAlone || plan.inner === 'unix' ? { kind: 'unix', path: join(session, 's') } : { kind: 'tcp', host: '127.0.0.1', port };
      return { kind: 'wrapped', plan, inner, argv };
    },
  };
}

/** Of a display of this machine. */
function socketOf(display: string): string | undefined {
  const number = /^(?:unix)?:(\d+)(?:\.\d+)?$/.exec(display)?.[1];
  const path = `/tmp/.X11-unix/X${number ?? ''}`;
  return number !== undefined && existsSync(path) ? path : undefined;
}
