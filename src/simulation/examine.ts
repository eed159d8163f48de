/** What works on this machine for a simulation server: each part is tried, and what was tried is removed. A server that runs is not disturbed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../ports.ts';
import { findCgroups } from './cgroups/cgroups.ts';
import { chooseIsolation } from './isolations/index.ts';
import { createLauncher } from './launcher/launcher.ts';
import { isDisplayMissing, missingParts, type MissingPart } from './missing.ts';
import type { IsolationFacts, Launcher } from './ports.ts';
import { folderSize } from './projects/folder-size.ts';
import type { SimulationSettings } from './settings/settings.ts';
import { chooseWorkspaces } from './workspaces/index.ts';

export interface Examination {
  /** The version, such as `2.39.5`; `undefined`: Git does not run. */
  readonly git: string | undefined;
  readonly isolation: IsolationFacts;
  /** Why stronger means are not used. */
  readonly notUsed: readonly string[];
  /** Why each session gets a copy of its project; absent: it does not. */
  readonly copies?: string;
  readonly missing: readonly MissingPart[];
}

export async function examineMachine(settings: SimulationSettings, clock: Clock): Promise<Examination> {
  const instance = `doctor${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'session-server-doctor-'));
  const cgroups = settings.isolation.use === 'none' ? undefined : await findCgroups({ instance, clock });
  const launcher = createLauncher({ home: cgroups?.home ?? [] });
  try {
    const displayMissing = () => isDisplayMissing(settings.display);
    const common = { instance, launcher, clock, cgroups, settings: () => settings, displayMissing };
    const { isolation, reasons } = await chooseIsolation(common);
    const { reason } = await chooseWorkspaces({ folder, launcher, limits: () => settings.limits, sizeOf: folderSize });
    return {
      ...{ git: await gitVersion(launcher), isolation: isolation.facts, notUsed: reasons, missing: missingParts(settings) },
      ...(reason !== undefined && { copies: reason }),
    };
  } finally {
    await launcher.close();
    await cgroups?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function gitVersion(launcher: Pick<Launcher, 'run'>): Promise<string | undefined> {
  const result = await launcher.run(['git', '--version']).catch(() => undefined);
  const text = result?.status === 0 ? Buffer.from(result.stdout).toString('utf8') : '';
  return /^git version (\S{1,40})/.exec(text)?.[1];
}
