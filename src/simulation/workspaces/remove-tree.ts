/** Removes a folder that a foreign program wrote into. */
import { rm } from 'node:fs/promises';
import type { Launcher } from '../ports.ts';

/** Seconds. */
const DEADLINE = 60;

/**
 * Folders in folders can be deeper than a path may be long, or deny access to their owner. The programs of the system deal with both. Rejects when something
 * stays.
 */
export async function removeTree(folder: string, launcher: Pick<Launcher, 'run'>): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    for (const argv of [
      ['chmod', '-R', 'u+rwX', '--', folder],
      ['rm', '-r', '-f', '--', folder],
    ])
      await launcher.run(argv, { deadline: DEADLINE });
    await remove();
  }
}
