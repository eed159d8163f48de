/** How sessions get files of their own: layers where this machine lets us mount, else copies. */
import type { Workspaces } from '../ports.ts';
import { createCopies, type CopyOptions } from './copy.ts';
import { tryOverlay, type OverlayOptions } from './overlay.ts';

export interface WorkspacesOptions extends CopyOptions, OverlayOptions {
  /** Projects have files. The built-in worlds have none, and without a trial the program starts sooner. */
  readonly hasFiles: boolean;
}

export async function chooseWorkspaces({
  hasFiles,
  ...options
}: WorkspacesOptions): Promise<{ readonly workspaces: Workspaces; /** Why files are copied. */ readonly reason?: string }> {
  if (!hasFiles) return { workspaces: createCopies(options) };
  const tried = await tryOverlay(options);
  return tried.kind === 'works' ? tried : { workspaces: createCopies(options), reason: tried.reason };
}
