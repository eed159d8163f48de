/** Which paths of a session's port are relayed to its simulator. Pure. */

/**
 * The path as it is relayed, or `undefined` for one that a simulator could read in another way. `denied` is asked with the decoded path, without
 * its first slash.
 */
export function passablePath(target: string, denied: (path: string) => boolean): string | undefined {
  const [path, query] = splitOnce(target.replace(/^https?:\/\/[^/?#]*/i, ''), '?');
  if (!/^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(path) || (query !== undefined && !/^[!-~]{0,1000}$/.test(query)))
    return undefined;
  const decoded = decode(path);
  if (decoded === undefined || /[\\\0]/.test(decoded)) return undefined;
  const segments = decoded.slice(1).split('/');
  if (segments.some((segment, index) => segment === '.' || segment === '..' || (segment === '' && index < segments.length - 1)))
    return undefined;
  if (denied(decoded.slice(1))) return undefined;
  return query === undefined ? path : `${path}?${query}`;
}

/** Whether a path is a link of the project, or below one: its target may be outside of the project. */
export function leadsThroughLink(links: ReadonlySet<string>, path: string): boolean {
  const segments = path.split('/');
  return segments.some((_, index) => links.has(segments.slice(0, index + 1).join('/')));
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const index = text.indexOf(separator);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function decode(path: string): string | undefined {
  try {
    const once = decodeURIComponent(path);
    // A path that is encoded twice is refused.
    return /%[0-9a-f]{2}/i.test(once) ? undefined : once;
  } catch {
    return undefined;
  }
}
