/** What this machine gives to a simulation server: cgroups, a launcher, an isolation and files of sessions. Each is tried before it is used. */
import type { Clock } from '../../ports.ts';
import { findCgroups } from '../cgroups/cgroups.ts';
import type { Keeper } from '../engine/sweeping.ts';
import { chooseIsolation } from '../isolations/index.ts';
import { createLauncher } from '../launcher/launcher.ts';
import { isDisplayMissing, missingParts } from '../missing.ts';
import type { Isolation, Launcher, Workspaces } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { chooseWorkspaces } from '../workspaces/index.ts';

export interface MachineOptions {
  /** In the name of everything that is made for a session. */
  readonly instance: string;
  /** Of the files of sessions. */
  readonly folder: string;
  readonly clock: Clock;
  /** The current ones. What is chosen here is chosen once, by those of the start. */
  readonly settings: () => SimulationSettings;
}

export interface Machine {
  readonly launcher: Launcher;
  readonly isolation: Isolation;
  /** Why stronger means of isolation are not used. */
  readonly notUsed: readonly string[];
  readonly workspaces: Workspaces;
  /** Why each session gets a copy of its project; absent: it does not. */
  readonly copies?: string;
  /** Ends what was started. */
  close(): Promise<void>;
}

export async function openMachine({ instance, folder, clock, settings }: MachineOptions): Promise<Machine> {
  const cgroups = settings().isolation.use === 'none' ? undefined : await findCgroups({ instance, clock });
  const launcher = createLauncher({ home: cgroups?.home ?? [] });
  const displayMissing = () => isDisplayMissing(settings().display);
  const { isolation, reasons } = await chooseIsolation({ instance, launcher, clock, cgroups, settings, displayMissing });
  const limits = () => settings().limits;
  const { workspaces, reason } = await chooseWorkspaces({
    ...{ folder, launcher, limits },
    hasFiles: settings().simulator !== 'demo',
  });
  return {
    ...{ launcher, isolation, notUsed: reasons, workspaces },
    ...(reason !== undefined && { copies: reason }),
    async close() {
      await workspaces.close();
      await launcher.close();
      await cgroups?.close();
    },
  };
}

/** What a session may leave behind: programs before their files. */
export function keepersOf({ isolation, workspaces }: Machine): readonly Keeper[] {
  return [
    { name: 'program', list: () => isolation.list(), remove: (id) => isolation.remove(id) },
    { name: 'files', list: () => workspaces.list(), remove: (id) => workspaces.remove(id) },
  ];
}

/** What does not work here, for the operator. */
export function warningsOf({ notUsed, copies }: Machine, settings: SimulationSettings): readonly string[] {
  const warnings = notUsed.map((reason) => `An isolation is not available here: ${reason}.`);
  if (copies !== undefined) warnings.push(`The files of each session are copied, because layers are not available: ${copies}.`);
  for (const { subject, text, fix } of missingParts(settings)) warnings.push(`${subject}: ${text}; ${fix}.`);
  return warnings;
}
