/** The built-in robot: it runs nothing of a project, so that any address shows it, without a network, an image or Webots. */
import { demoWorldOf } from '../../core/simulation/demo-world.ts';
import type { Simulator } from '../ports.ts';

export interface DemoOptions {
  /** The program of the demo and its arguments; it is run with the world and the path of a Unix socket behind them. Absent: it is not installed. */
  readonly argv?: readonly string[];
}

export function createDemo({ argv }: DemoOptions): Simulator {
  return {
    name: 'demo',
    usesProject: false,
    plan: ({ world }, { socket }) =>
      argv === undefined
        ? { kind: 'refused', ending: { reason: 'prepare', code: 1013, text: 'The demo is not part of this installation.' } }
        : {
            kind: 'plan',
            plan: {
              argv: [...argv, demoWorldOf(`demo:${/(\w+)\.wbt$/.exec(world)?.[1] ?? ''}`), socket],
              folders: argv.filter((part) => part.startsWith('/')).map((part) => part.slice(0, part.lastIndexOf('/'))),
              ...{ environment: {}, inner: 'unix', loadedBy: 'word', network: 'none', display: false, gpu: false },
            },
          },
    word: (line) => {
      if (line.startsWith('.')) return 'loaded';
      if (line === 'pause') return 'idle';
      return line === 'real-time' || line === 'fast' || line === 'step' ? 'busy' : undefined;
    },
  };
}
