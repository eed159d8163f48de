/**
 * From the value of a JSON file to a configuration, or to every problem in it. The schema decides whether a value is right; this file says what is
 * wrong in the words of `problem.ts`, because the messages of a schema library are made for programmers.
 */
import type { z } from 'zod';
import { below, choose, expectation, holdsSecret, infoBelow, isObject, type KeyInfo, root } from './keys.ts';
import { formatKey, type KeyPath, type Problem, showValue } from './problem.ts';
import { type Configuration, type PartOfConfiguration, schema } from './schema.ts';
import { removeUnknownKeys } from './unknown-keys.ts';

export interface Validated {
  /** Absent when there are problems. */
  readonly configuration: Configuration | undefined;
  /** The keys without problems: enough for further checks, so that all problems are told at once. */
  readonly sound: PartOfConfiguration;
  readonly problems: readonly Problem[];
  /** Unknown keys, and what is allowed and not wise. */
  readonly warnings: readonly Problem[];
}

/** `file` is what stands in the file, of any type. Never throws. */
export function validate(file: unknown): Validated {
  if (!isObject(file)) return { configuration: undefined, sound: {}, problems: [notAnObject(file)], warnings: [] };
  const { known, warnings: unknownKeys } = removeUnknownKeys(file);
  const warnings = [...unknownKeys, ...hastyTimeout(known)];
  const filled = withPollTimeout(withoutEmptyMailKeys(known));
  const disorder = pollingDisorder(filled);
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

const optionalMailKeys = ['administrator', 'mailServer', 'mailServerPort', 'mailSender', 'mailSenderUser', 'mailSenderPassword'];

/** People empty a value where they should remove the key; for mail that means the same. */
function withoutEmptyMailKeys(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(file).filter(([key, value]) => !(value === '' && optionalMailKeys.includes(key))));
}

/** An operator who polls faster without naming the time-out must not be refused for a key that is not in the file. */
function withPollTimeout(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { pollInterval, pollTimeout } = file;
  if (pollTimeout !== undefined || typeof pollInterval !== 'number' || pollInterval >= 5) return file;
  // In whole milliseconds, because people read it: three seconds times 0.8 are 2.4000000000000004.
  return { ...file, pollTimeout: Math.max(0.02, Math.round(pollInterval * 800) / 1000) };
}

/** Two probes of one server must never run at once (docs/design/protocol.md, "Simulation servers"). */
function pollingDisorder({ pollInterval = 5, pollTimeout = 4 }: Readonly<Record<string, unknown>>): Problem[] {
  if (typeof pollInterval !== 'number' || typeof pollTimeout !== 'number' || pollTimeout < pollInterval) return [];
  const expected = `less than "pollInterval", which is ${pollInterval}`;
  return [{ key: 'pollTimeout', value: showValue(pollTimeout), expected, fix: 'lower it, or raise "pollInterval" (at most 6)' }];
}

/** The second to listen at one port would find the first there, and take it for another program. */
function sharedPorts({ listen = EVERYWHERE, port, gateway }: PartOfConfiguration): Problem[] {
  if (gateway?.enabled !== true) return [];
  const places = [
    { key: 'port', port, address: listen },
    { key: 'gateway.port', port: gateway.port, address: gateway.listen },
    { key: 'gateway.redirectFrom', port: gateway.redirectFrom, address: gateway.listen },
  ].filter(({ port = 0 }) => port > 0);
  return places.flatMap(({ key, port, address }, i): Problem[] => {
    const before = places
      .slice(0, i)
      .find((place) => place.port === port && (place.address === address || isEverywhere(place.address, address)));
    if (before === undefined) return [];
    return [{ key, value: showValue(port), expected: `another port than "${before.key}"`, fix: 'choose two different ones' }];
  });
}

function isEverywhere(...addresses: readonly string[]): boolean {
  return addresses.includes(EVERYWHERE) || addresses.includes('0.0.0.0');
}

const EVERYWHERE = '::';

/**
 * docs/design/protocol.md, "Simulation servers": a server that answers within 2 s is served. Who polls faster than
 * that has chosen otherwise.
 */
function hastyTimeout({ pollTimeout }: Readonly<Record<string, unknown>>): Problem[] {
  if (typeof pollTimeout !== 'number' || pollTimeout >= 2) return [];
  const expected = 'at least 2 s, because a simulation server under load may need as long to answer';
  return [{ key: 'pollTimeout', value: showValue(pollTimeout), expected, fix: 'raise it, or slow servers count as failed' }];
}

function soundPart(file: Readonly<Record<string, unknown>>, issues: readonly z.core.$ZodIssue[]): PartOfConfiguration {
  const unsound = new Set(issues.map(({ path }) => path[0]));
  const rest = Object.fromEntries(Object.entries(file).filter(([key]) => !unsound.has(key)));
  return schema.partial().safeParse(rest).data ?? {};
}

function notAnObject(file: unknown): Problem {
  const fix = 'put braces around the keys, as in {"simulationServers": ["localhost:2000"]}';
  return {
    key: 'the whole file',
    value: Array.isArray(file) ? showValue(file) : 'a single value',
    expected: 'an object in braces',
    fix,
  };
}

function problemsOf(issue: z.core.$ZodIssue, above: KeyPath, file: unknown): Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find(
      (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
    );
    return meant === undefined ? [problemAt(path, file)] : meant.flatMap((inner) => problemsOf(inner, path, file));
  }
  return [problemAt(path, file, mendOf(issue))];
}

/** What the schema itself has to say about the fix. */
function mendOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'custom') return issue.message;
  if (issue.code === 'invalid_key') return 'the name before the colon has characters that are not allowed there; correct it';
  if (issue.code === 'too_big' && issue.origin === 'array') return `keep at most ${issue.maximum}`;
  return undefined;
}

function problemAt(path: KeyPath, file: unknown, fix?: string): Problem {
  const { value, info, secret } = find(path, file);
  const expected = info === undefined ? 'nothing' : expectation(info);
  return {
    key: formatKey(path),
    value: secret && value !== undefined ? 'a value that is not shown' : showValue(value),
    expected,
    fix: fix ?? (info === undefined ? 'remove it' : mendFor(path, info, value, secret)),
  };
}

/** What stands at a path and what is known of it. A value is secret as well when it stands where a secret has its place further down. */
function find(path: KeyPath, file: unknown): { value: unknown; info: KeyInfo | undefined; secret: boolean } {
  let value = file;
  let info: KeyInfo | undefined = root;
  let secret = false;
  for (const step of path) {
    value = below(value, step);
    const offered = infoBelow(info, step);
    info = offered === undefined ? undefined : choose(offered, value);
    secret ||= info?.secret === true;
  }
  return { value, info, secret: secret || (info !== undefined && holdsSecret(info)) };
}

function mendFor(path: KeyPath, info: KeyInfo, value: unknown, secret: boolean): string {
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

/** The value as it was probably meant. Lists and objects are left alone; they can hold anything, even a `toString` that is no function. */
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
