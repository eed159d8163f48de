/** How sessions get files of their own: layers where this machine lets us mount, else copies. */
import type { Workspaces } from '../ports.ts';
import { createCopies, type CopyOptions } from './copy.ts';
import { tryOverlay, type OverlayOptions } from './overlay.ts';

export async function chooseWorkspaces(
  options: CopyOptions & OverlayOptions,
): Promise<{ readonly workspaces: Workspaces; /** Why files are copied. */ readonly reason?: string }> {
  const tried = await tryOverlay(options);
  return tried.kind === 'works' ? tried : { workspaces: createCopies(options), reason: tried.reason };
}
