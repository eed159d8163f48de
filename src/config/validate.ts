/**
 * From the value of a JSON file to a configuration, or to every problem in it. The schema decides whether a value is right; this file says what is
 * wrong in the words of `problem.ts`, because the messages of a schema library are written for programmers.
 */
import type { z } from 'zod';
import { below, choose, expectation, holdsSecret, infoBelow, isObject, type KeyInfo, root } from './keys.ts';
import { formatKey, type KeyPath, type Problem, showValue } from './problem.ts';
import { type Configuration, type PartOfConfiguration, schema } from './schema.ts';
import { sharedPorts } from './schema/gateway.ts';
import { withoutEmptyMailKeys } from './schema/mail.ts';
import { checkPolling, pollingProblems, withPollTimeout } from './schema/polling.ts';
import { removeUnknownKeys } from './unknown-keys.ts';

export interface Validated {
  /** Absent when there are problems. */
  readonly configuration: Configuration | undefined;
  /** The keys without problems: enough for further checks, so that all problems are reported at once. */
  readonly sound: PartOfConfiguration;
  readonly problems: readonly Problem[];
  /** Unknown keys, and what is allowed but not recommended. */
  readonly warnings: readonly Problem[];
}

/** `file` is the content of the file, of any type. Never throws. */
export function validate(file: unknown): Validated {
  if (!isObject(file)) return { configuration: undefined, sound: {}, problems: [notAnObject(file)], warnings: [] };
  const { known, warnings: unknownKeys } = removeUnknownKeys(file);
  const warnings = [...unknownKeys, ...checkPolling(known)];
  const filled = withPollTimeout(withoutEmptyMailKeys(known));
  const disorder = pollingProblems(filled);
  const result = schema.safeParse(filled);
  if (result.success) {
    const { data } = result;
    const problems = [...disorder, ...sharedPorts(data)];
    return { configuration: problems.length === 0 ? data : undefined, sound: data, problems, warnings };
  }
  const { issues } = result.error;
  const found = issues.flatMap((issue) => problemsOf(issue, [], filled));
  // The schema can say two things about one value, such as the wrong type and the wrong length. The first is the cause; in a map the last would win.
  const problems = new Map(found.reverse().map((problem) => [problem.key, problem]));
  const sound = soundPart(filled, issues);
  return {
    configuration: undefined,
    sound,
    problems: [...[...problems.values()].reverse(), ...disorder, ...sharedPorts(sound)],
    warnings,
  };
}

function soundPart(file: Readonly<Record<string, unknown>>, issues: readonly z.core.$ZodIssue[]): PartOfConfiguration {
  const unsound = new Set(issues.map(({ path }) => path[0]));
  const rest = Object.fromEntries(Object.entries(file).filter(([key]) => !unsound.has(key)));
  return schema.partial().safeParse(rest).data ?? {};
}

function notAnObject(file: unknown): Problem {
  const fix = 'write the keys in braces, as in {"simulationServers": ["localhost:2000"]}';
  return {
    key: 'the whole file',
    value: Array.isArray(file) ? showValue(file) : 'a single value',
    expected: 'an object in braces',
    fix,
  };
}

/** The problems that one issue of the schema reports. `top` describes the whole file. */
export function problemsOf(issue: z.core.$ZodIssue, above: KeyPath, file: unknown, top: KeyInfo = root): Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find(
      (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
    );
    return meant === undefined ? [problemAt(path, file, top)] : meant.flatMap((inner) => problemsOf(inner, path, file, top));
  }
  return [problemAt(path, file, top, fixOf(issue))];
}

/** The fix that the schema itself suggests. */
function fixOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_key') return 'the name before the colon has characters that are not allowed there; correct it';
  if (issue.code === 'too_big' && issue.origin === 'array') return `keep at most ${issue.maximum}`;
  return undefined;
}

function problemAt(path: KeyPath, file: unknown, top: KeyInfo, fix?: string): Problem {
  const { value, info, secret } = find(path, file, top);
  const expected = info === undefined ? 'nothing' : expectation(info);
  return {
    key: formatKey(path),
    value: secret && value !== undefined ? 'a value that is not shown' : showValue(value),
    expected,
    fix: fix ?? (info === undefined ? 'remove it' : fixFor(path, info, value, secret)),
  };
}

/** The value at a path and its key. A value is also secret if a secret belongs further down. */
function find(path: KeyPath, file: unknown, top: KeyInfo): { value: unknown; info: KeyInfo | undefined; secret: boolean } {
  let value = file;
  let info: KeyInfo | undefined = top;
  let secret = false;
  for (const step of path) {
    value = below(value, step);
    const offered = infoBelow(info, step);
    info = offered === undefined ? undefined : choose(offered, value);
    secret ||= info?.secret === true;
  }
  return { value, info, secret: secret || (info !== undefined && holdsSecret(info)) };
}

function fixFor(path: KeyPath, info: KeyInfo, value: unknown, secret: boolean): string {
  if (value === undefined) return path.at(-1) === 'simulationServers' ? 'add "simulationServers": ["localhost:2000"]' : 'add it';
  const suggestion = secret ? undefined : rewrite(info, value);
  if (suggestion !== undefined) return `write ${suggestion}`;
  if (info.required || path.length > 2) return 'correct it';
  const fixed = typeof info.default === 'object' ? undefined : JSON.stringify(info.default);
  const byDefault = info.absent ?? fixed;
  return byDefault === undefined
    ? 'correct it, or remove the key'
    : `correct it, or remove the key for the default (${byDefault})`;
}

/** The value as it was probably meant. Lists and objects are left alone; they can hold anything, even a `toString` that is not a function. */
function rewrite(info: KeyInfo, value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const word = String(value).trim().toLowerCase();
  if (info.type === 'boolean') {
    if (['true', 'yes', 'on', '1'].includes(word)) return 'true without quotes';
    if (['false', 'no', 'off', '0'].includes(word)) return 'false without quotes';
  }
  const isNumber = typeof value === 'string' && /^[0-9]{1,9}(?:\.[0-9]{1,6})?$/.test(word);
  if ((info.type === 'integer' || info.type === 'number') && isNumber) return `${Number(word)} without quotes`;
  if (info.type === 'list' && typeof value === 'string' && value.length <= 60) {
    const entries = value.split(/[\s,;]+/).filter((entry) => entry !== '');
    return entries.length === 0 ? undefined : `[${entries.map(showValue).join(', ')}]`;
  }
  if (info.type === 'string' && typeof value === 'number') return `"${value}" in quotes`;
  return undefined;
}
