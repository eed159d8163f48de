/** Any program that streams over one TCP port or Unix socket: its arguments come from the configuration, with the places of this session filled in. */
import type { LaunchPlace, Network, PlanResult, ProjectFacts } from '../../core/simulation/launch-plan.ts';
import type { Simulator } from '../ports.ts';

export interface CommandOptions {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Beginning of the line by which it says that the world is loaded. Absent: when its address answers. */
  readonly loaded?: string;
  readonly image?: string;
  readonly network: Network;
}

export function createCommand(options: () => CommandOptions): Simulator {
  return {
    name: 'command',
    usesProject: true,
    plan: (facts, place) => plan(options(), facts, place),
    word(line) {
      const { loaded } = options();
      return loaded !== undefined && line.startsWith(loaded) ? 'loaded' : undefined;
    },
  };
}

/** A program that is found by its name lies where all programs lie. */
function foldersOf(program: string): readonly string[] {
  return program.startsWith('/') ? [program.slice(0, Math.max(1, program.lastIndexOf('/')))] : [];
}

function plan(
  { argv, environment, loaded, image, network }: CommandOptions,
  facts: ProjectFacts,
  place: LaunchPlace,
): PlanResult {
  if (place.container && image === undefined)
    return {
      kind: 'refused',
      ending: { reason: 'prepare', code: 1013, text: 'This simulation server has no image for its simulator.' },
    };
  const values: Readonly<Record<string, string>> = {
    world: `${place.project}/${facts.world}`,
    project: place.project,
    port: String(place.port),
    socket: place.socket,
    mode: place.mode ?? '',
  };
  const fill = (text: string) => text.replace(/\{(world|project|port|socket|mode)\}/g, (_, name: string) => values[name] ?? '');
  return {
    kind: 'plan',
    plan: {
      argv: argv.map(fill),
      environment,
      inner: argv.some((argument) => argument.includes('{socket}')) ? 'unix' : 'tcp',
      loadedBy: loaded === undefined ? 'address' : 'word',
      ...{ network, display: false, gpu: false },
      folders: place.container ? [] : foldersOf(argv[0] ?? ''),
      ...(image !== undefined && { image }),
    },
  };
}
