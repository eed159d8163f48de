/**
 * Many sites forward only the paths that the original had: `/monitor`, `/session`, `/load`. Therefore the page asks for everything by the path of the
 * page: `/monitor?/api/v1/history?from=0` is `/api/v1/history?from=0`. (RFC 3986 § 3.4: a query may contain `/` and `?`.)
 */

/** What the pages need. Nothing else may be reached by this way: a site may have closed other paths on purpose. */
const NEEDED =
  /^\/(?:monitor\/|view\/|api\/v1\/(?:history|explain|servers|costs\/forget|notifications\/test|waiting-requests|running-sessions|drain|resume|maintenance)(?:[/?]|$)|api\/v1\/reservations\/[\w-]+$)/;

/** Segments of a path that would leave it again when it is read as a URL (RFC 3986 § 5.2.4), in every spelling that browsers accept. */
const DOTS = /[/\\](?:\.|%2e){1,2}(?:[/\\#]|$)/i;

/** The URL that the page uses for a path of the session server, relative to the page. `path` has no leading slash. */
export function throughMonitor(path: string): string {
  return `monitor?/${path}`;
}

/** The request target that is meant; `undefined`: the one that is written. */
export function meantByMonitor(target: string): string | undefined {
  const meant = target.startsWith('/monitor?/') ? target.slice('/monitor?'.length) : '';
  return NEEDED.test(meant) && !leavesPath(meant) ? meant : undefined;
}

/** It means another path than the one that it begins with. */
export function leavesPath(target: string): boolean {
  const [path = ''] = target.split('?', 1);
  return DOTS.test(path);
}
