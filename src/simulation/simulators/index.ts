/** The simulators by the names of the configuration. */
import type { Network } from '../../core/simulation/launch-plan.ts';
import type { Simulator } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { createCommand } from './command.ts';
import { createDemo } from './demo.ts';
import { createWebots } from './webots.ts';

export type SimulatorName = SimulationSettings['simulator'];

/** `demo`: program and arguments of the built-in simulator, if there is one. */
export function createSimulator(
  name: SimulatorName,
  settings: () => SimulationSettings,
  demo: readonly string[] | undefined,
): Simulator {
  const network = (byDefault: Network) => settings().isolation.network ?? byDefault;
  switch (name) {
    case 'webots':
      return createWebots(() => {
        const { webotsHome, simulators, container } = settings();
        // Worlds fetch files of robots and textures from the Internet.
        return { home: webotsHome, arguments: simulators.webots.arguments, images: container.images, network: network('egress') };
      });
    case 'command':
      return createCommand(() => {
        const { argv, environment, loaded, image } = settings().simulators.command ?? { argv: [], environment: {} };
        return {
          ...{ argv, environment, network: network('none') },
          ...(loaded !== undefined && { loaded }),
          ...(image !== undefined && { image }),
        };
      });
    case 'demo':
      return createDemo(demo === undefined ? {} : { argv: demo });
  }
}

/** File extension of the worlds that a simulator runs. */
export function worldExtension({ simulator, simulators }: SimulationSettings): string {
  return simulator === 'command' ? (simulators.command?.extension ?? '.wbt') : '.wbt';
}
