/** `simulation --sweep`: ends what is left of a server that was killed. */
import { join } from 'node:path';
import type { Clock, Log } from '../../ports.ts';
import { Sweeping } from '../engine/sweeping.ts';
import { takeInstance } from '../instance.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { keepersOf, openMachine } from './machine.ts';

export interface SweepOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Returns how many leftovers were removed. Rejects with the code `in-use` while a server runs. */
export async function sweepLeftovers(settings: SimulationSettings, { clock, log }: SweepOptions): Promise<number> {
  const instance = await takeInstance(settings.stateDir);
  const folder = join(settings.stateDir, 'run');
  const machine = await openMachine({ instance: instance.name, folder, clock, settings: () => settings });
  const count = await new Sweeping({ clock, log, living: () => new Set(), keepers: keepersOf(machine) }).sweep();
  await machine.close();
  await instance.release();
  return count;
}
