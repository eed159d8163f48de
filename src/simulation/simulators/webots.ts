/** Webots: installed on this machine, or in the image that the version of the world asks for. */
import { join } from 'node:path';
import { webotsImage, webotsVersion } from '../../core/simulation/world.ts';
import type { LaunchPlace, Network, PlanResult, ProjectFacts, SimulatorWord } from '../../core/simulation/launch-plan.ts';
import type { Simulator } from '../ports.ts';

export interface WebotsOptions {
  /** Folder in which Webots is installed. */
  readonly home: string;
  readonly arguments: readonly string[];
  readonly images: Readonly<Record<string, string>>;
  readonly network: Network;
}

/** Where the images have it. */
const IN_IMAGE = '/usr/local/webots';

export function createWebots(options: () => WebotsOptions): Simulator {
  return {
    name: 'webots',
    usesProject: true,
    plan: (facts, place) => plan(options(), facts, place),
    word,
  };
}

function plan(options: WebotsOptions, facts: ProjectFacts, place: LaunchPlace): PlanResult {
  const { mode, port, project, container } = place;
  const version = webotsVersion(facts.worldHeader);
  if (container && version === undefined)
    return {
      kind: 'refused',
      ending: { reason: 'project', code: 1008, text: 'The first line of the world does not name a version of Webots.' },
    };
  const home = container ? IN_IMAGE : options.home;
  const argv = [
    join(home, 'webots'),
    '--batch',
    '--mode=pause',
    // Pictures cannot be taken of a window that is minimized or does not render.
    ...(mode === 'mjpeg' ? [] : ['--minimize', '--no-rendering']),
    `--port=${port}`,
    '--heartbeat=5000',
    mode === undefined ? '--stream' : `--stream=${mode}`,
    ...options.arguments,
    `${project}/${facts.world}`,
  ];
  return {
    kind: 'plan',
    plan: {
      ...{ argv, environment: { HOME: project, USER: 'webots', WEBOTS_HOME: home }, inner: 'tcp', loadedBy: 'word' },
      ...{ network: options.network, folders: container ? [] : [options.home], display: true, gpu: true },
      ...(container && version !== undefined && { image: webotsImage(version, options.images) }),
    },
  };
}

/** What Webots says on its standard output. */
function word(line: string): SimulatorWord | undefined {
  if (line.startsWith('.')) return 'loaded';
  switch (line.trimEnd()) {
    case 'pause':
      return 'idle';
    case 'real-time':
    case 'run':
    case 'fast':
    case 'step':
      return 'busy';
    case 'reset':
      return 'reset';
    default:
      return undefined;
  }
}
