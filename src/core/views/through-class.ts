/**
 * Below the page of a class, `/c/CODE/`, is what it needs: its files, its facts, and what the page that runs a session asks for. A site may forward
 * nothing else of `/c/`.
 */
import { leavesPath } from './through-monitor.ts';

/** Nothing else may be reached by this way: a site may have closed other paths on purpose. */
const BELOW = /^\/c\/[^/?]{1,100}(?<rest>\/(?:classes\/|view\/|session\?\/|api\/v1\/(?:sessions|classes)(?:[/?]|$)).*)$/s;

/** The code of the class, on a page below that of a class. */
export function classOfPage(path: string): string | undefined {
  const code = /\/c\/([^/]{1,100})\/session$/.exec(path)?.[1];
  return code === undefined ? undefined : decodeURIComponent(code);
}

/** The request target that is meant; `undefined`: the one that is written. */
export function belowClass(target: string): string | undefined {
  const rest = BELOW.exec(target)?.groups?.['rest'];
  return rest === undefined || leavesPath(rest) ? undefined : rest;
}
