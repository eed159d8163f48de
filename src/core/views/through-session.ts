/**
 * The pages for visitors ask for everything by the path `/session`: `/session?/view/fleet` is `/view/fleet`. As in
 * `through-monitor.ts`, many sites forward only the paths of the original; and a site may have closed `/monitor` to visitors.
 */

import { leavesPath } from './through-monitor.ts';

/** What the pages need. Nothing else may be reached by this way. */
const NEEDED = /^\/(?:view\/|api\/v1\/sessions(?:[/?]|$))/;

/** The URL that a page uses for a path of the session server, relative to the page. `path` has no leading slash. */
export function throughSession(path: string): string {
  return `session?/${path}`;
}

/** The request target that is meant; `undefined`: the one that is written. */
export function meantBySession(target: string): string | undefined {
  const meant = target.startsWith('/session?/') ? target.slice('/session?'.length) : '';
  return NEEDED.test(meant) && !leavesPath(meant) ? meant : undefined;
}
