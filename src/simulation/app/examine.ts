/** What works on this machine for a simulation server: each part is tried, and what was tried is removed. A server that runs is not disturbed. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../ports.ts';
import { missingParts, type MissingPart } from '../missing.ts';
import type { IsolationFacts, Launcher } from '../ports.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { openMachine } from './machine.ts';

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
  const machine = await openMachine({ instance, folder, clock, settings: () => settings });
  const { isolation, notUsed, copies } = machine;
  try {
    return {
      ...{ git: await gitVersion(machine.launcher), isolation: isolation.facts, notUsed, missing: missingParts(settings) },
      ...(copies !== undefined && { copies }),
    };
  } finally {
    await machine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function gitVersion(launcher: Pick<Launcher, 'run'>): Promise<string | undefined> {
  const result = await launcher.run(['git', '--version']).catch(() => undefined);
  const text = result?.status === 0 ? Buffer.from(result.stdout).toString('utf8') : '';
  return /^git version (\S{1,40})/.exec(text)?.[1];
}
