/** Pulls the images of versions that will be asked for, one after the other, while clients are served already. */
import { worldHeader } from '../../core/simulation/world.ts';
import type { LaunchPlace } from '../../core/simulation/launch-plan.ts';
import type { Log } from '../../ports.ts';
import type { Isolation, Simulator } from '../ports.ts';

export interface PullingOptions {
  readonly log: Log;
  readonly isolation: Isolation;
  readonly simulator: Simulator;
  /** Such as `R2025a`. */
  readonly versions: readonly string[];
}

export function startPulling(options: PullingOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const pulling = pullAll(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await pulling;
    },
  };
}

async function pullAll({ log, isolation, simulator, versions }: PullingOptions, signal: AbortSignal): Promise<void> {
  for (const version of versions) {
    const facts = { world: 'worlds/none.wbt', worldHeader: worldHeader(version) };
    const plan = (place: LaunchPlace) => simulator.plan(facts, place);
    try {
      const ending = await isolation.prepare?.({ plan, signal });
      if (ending === undefined) log.info(`The image of version ${version} is ready`);
      else log.warn(`the image of version ${version} is not available`, { reason: ending.text });
    } catch (error) {
      if (signal.aborted) return;
      log.warn(`the image of version ${version} cannot be pulled`, { error });
    }
  }
}
