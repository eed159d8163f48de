/**
 * One thing that is wrong with the configuration, in the words of the person who has to fix it: the key, its value, what is allowed, what to do.
 * A problem never carries a secret: the code that makes it leaves the secret out, so that code that prints it need not care.
 */

export interface Problem {
  /** The key as it is written in the documentation, such as `simulationServers[3].weight`; or the path of the file. */
  readonly key: string;
  /** The value, shortened; or what is wrong in words, such as `missing`. */
  readonly value: string;
  readonly expected: string;
  /** What to do about it. */
  readonly fix: string;
}

export type KeyPath = readonly (string | number)[];

/** Characters of a value that are shown. */
const MAX_VALUE = 60;
/** Characters of a value that are examined. */
const MAX_EXAMINED = 4000;

/** Exactly one line for any file: nothing in it can forge a line of the log or move the cursor of a terminal. */
export function formatProblem(problem: Problem): string {
  return escapeControls(`${problem.key}: ${faultOf(problem)}; ${problem.fix}`);
}

/** What is wrong, without where and how to fix it. */
export function faultOf({ value, expected }: Problem): string {
  return `${value} — expected ${expected}`;
}

/** `['simulationServers', 3, 'weight']` → `simulationServers[3].weight`. */
export function formatKey(path: KeyPath): string {
  let key = '';
  for (const step of path) {
    if (typeof step === 'number') key += `[${step}]`;
    else if (/^[\w$-]{1,60}$/.test(step)) key += key === '' ? step : `.${step}`;
    else key += `[${JSON.stringify(shorten(step))}]`;
  }
  return key;
}

/** A value as it is shown to people. Lists and objects are only named, because they can hold anything. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === '') return '"" (empty)';
  if (typeof value === 'string') return JSON.stringify(shorten(hideLogin(value.slice(0, MAX_EXAMINED))));
  if (Array.isArray(value)) return showList(value);
  if (typeof value === 'object' && value !== null) return 'an object in braces';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'null';
}

/** The first problems, and one that says how many were left out: a hundred thousand lines are not readable. */
export function atMost(problems: readonly Problem[], most: number): Problem[] {
  if (problems.length <= most) return [...problems];
  const rest = problems.length - most;
  const last: Problem = {
    key: 'and so on',
    value: `${rest} more problems`,
    expected: 'none',
    fix: 'fix those above and check the file again',
  };
  return [...problems.slice(0, most), last];
}

function showList(list: readonly unknown[]): string {
  if (list.length === 0) return 'an empty list';
  return list.length <= 4 && list.every((entry) => typeof entry === 'number')
    ? `[${list.join(', ')}]`
    : `a list of ${list.length}`;
}

function shorten(text: string): string {
  const characters = Array.from(text.slice(0, 4 * MAX_VALUE));
  if (characters.length <= MAX_VALUE && text.length <= 4 * MAX_VALUE) return text;
  return `${characters.slice(0, MAX_VALUE).join('')}…`;
}

/** `https://name:password@host` → `https://…@host`, in any value. */
function hideLogin(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]{0,20}:\/\//.exec(text)?.[0] ?? '';
  const hasLogin = at > 0 && (scheme !== '' || text.slice(0, at).includes(':'));
  return hasLogin ? `${scheme}…${text.slice(at)}` : text;
}

/** Control characters, line and paragraph separators, and characters that change the direction of writing. */
function escapeControls(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
