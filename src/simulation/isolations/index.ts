/** Which isolation is used: the configured one, or the best that works on this machine when it is tried. */
import type { Clock } from '../../ports.ts';
import type { Network } from '../../core/simulation/launch-plan.ts';
import type { Ending } from '../../core/simulation/session-life.ts';
import type { Cgroups, Isolation, Launcher } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { tryBubblewrap } from './bubblewrap.ts';
import { tryContainers } from './container.ts';
import { createProcessIsolation } from './process.ts';
import type { Tried } from './tried.ts';

export interface IsolationOptions {
  readonly instance: string;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly cgroups: Cgroups | undefined;
  readonly settings: () => SimulationSettings;
  readonly displayMissing: () => boolean;
}

export type IsolationName = Exclude<SimulationSettings['isolation']['use'], 'auto'>;

export interface ChosenIsolation {
  readonly isolation: Isolation;
  /** Why stronger ones are not used, for the operator. */
  readonly reasons: readonly string[];
}

/** Never throws for what this machine cannot do: a server without its isolation reports it and refuses each client. */
export async function chooseIsolation(options: IsolationOptions): Promise<ChosenIsolation> {
  const reasons: string[] = [];
  for (const name of wanted(options.settings())) {
    const tried = await tryIsolation(name, options);
    if (tried.kind === 'works') return { isolation: tried.isolation, reasons };
    reasons.push(`${name}: ${tried.reason}`);
  }
  return { isolation: unavailable(reasons), reasons };
}

/** In the order in which they are tried. Webots of this machine is not in a container, so none is chosen for it by default. */
function wanted({ isolation: { use }, docker }: SimulationSettings): readonly IsolationName[] {
  if (use !== 'auto') return [use];
  return docker ? ['docker', 'podman'] : ['bubblewrap', 'cgroup', 'none'];
}

function tryIsolation(name: IsolationName, options: IsolationOptions): Promise<Tried> {
  const { cgroups, ...rest } = options;
  const common = { ...rest, display: () => options.settings().display };
  switch (name) {
    case 'cgroup':
      return Promise.resolve(
        cgroups === undefined
          ? { kind: 'not', reason: 'this user may not create cgroups' }
          : { kind: 'works', isolation: createProcessIsolation({ ...common, cgroups }) },
      );
    case 'bubblewrap':
      return tryBubblewrap({
        ...{ ...common, ...(cgroups !== undefined && { cgroups }), temporary: () => options.settings().limits.disk },
        network: () => networkOf(options.settings()),
      });
    case 'none':
      return Promise.resolve({ kind: 'works', isolation: createProcessIsolation(common) });
    case 'docker':
    case 'podman':
      return tryContainers({ ...common, engine: name, network: () => networkOf(options.settings()) });
  }
}

/** Webots fetches files of its worlds from the Internet; the others do without. */
export function networkOf({ isolation, simulator }: SimulationSettings): Network {
  return isolation.network ?? (simulator === 'webots' ? 'egress' : 'none');
}

/** With the beginning of what the original says when it cannot start a simulator. */
function unavailable(reasons: readonly string[]): Isolation {
  const ending: Ending = {
    ...{ reason: 'did-not-start', code: 1013, text: 'Unable to start Webots: this simulation server has no working isolation.' },
  };
  return {
    facts: { name: 'none works', strength: 'process', limits: 'none', network: 'none', notes: reasons },
    container: false,
    start: () => Promise.resolve({ kind: 'refused', ending }),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
  };
}
