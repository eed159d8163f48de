/**
 * Reads a configuration file: settings, or every problem at once. Expected outcomes are values; nothing here throws, whatever the file holds.
 */
import { resolve } from 'node:path';
import { checkJson } from './json-text.ts';
import { atMost, formatKey, type Problem } from './problem.ts';
import { programOf } from './program.ts';
import { contradictions, type PartOfConfiguration } from './schema.ts';
import { resolveSecrets } from './secrets.ts';
import { type Settings, toSettings } from './settings.ts';
import { type FileContent, type FileFailure, type Environment, thisMachine } from './environment.ts';
import { validate } from './validate.ts';
import { namedByVariables, withVariables } from './variables.ts';

export type LoadResult = Loaded | Refused;

export interface Loaded {
  readonly kind: 'loaded';
  /** Absolute path of the file. */
  readonly path: string;
  readonly settings: Settings;
  /** The program runs with them; `check --strict` rejects them. */
  readonly warnings: readonly Problem[];
}

export interface Refused {
  readonly kind: 'refused';
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Bytes: enough for a hundred thousand simulation servers. */
export const MAX_FILE_BYTES = 5 * 1024 * 1024;
const MAX_PROBLEMS = 1000;
const MAX_WARNINGS = 200;

export async function loadConfiguration(path: string, overrides: Partial<Environment> = {}): Promise<LoadResult> {
  const environment = { ...thisMachine(), ...overrides };
  const absolute = resolve(environment.cwd, path);
  const read = await environment.readFile(absolute, MAX_FILE_BYTES);
  if (read.kind !== 'content') return refused(absolute, [unreadable(path, read)]);
  const parsed = parse(path, read.bytes);
  if (parsed.kind === 'problem') return refused(absolute, [parsed.problem]);

  if (programOf(parsed.value) === 'simulation') return refused(absolute, [ofSimulationServer(path)]);
  const given = await withVariables(parsed.value, environment);
  const { configuration, sound, problems, warnings } = validate(given.value);
  const resolved = await resolveSecrets(sound, environment);
  const allProblems = [...problems, ...resolved.problems, ...given.problems];
  const reported = new Set(allProblems.map(({ key }) => key));
  const hasPassword = resolved.secrets.mailPassword !== undefined || reported.has('mailSenderPassword');
  const allWarnings = [
    ...[...warnings, ...contradictions(sound, hasPassword, environment.env)].filter(({ key }) => !reported.has(key)),
    ...parsed.warnings,
    ...resolved.warnings,
    ...given.warnings,
    ...openToAll(path, read, given.variables.size === 0 ? sound : validate(parsed.value).sound),
  ];
  const named = (of: readonly Problem[]) => namedByVariables(of, given.variables);
  if (configuration === undefined || allProblems.length > 0) return refused(absolute, named(allProblems), named(allWarnings));
  const settings = toSettings(configuration, resolved.secrets, environment);
  return { kind: 'loaded', path: absolute, settings, warnings: atMost(named(allWarnings), MAX_WARNINGS) };
}

/** One clear problem instead of ten unknown keys. */
function ofSimulationServer(path: string): Problem {
  return {
    key: path,
    value: 'the configuration of a simulation server',
    expected: 'the configuration of a session server, which has "simulationServers"',
    fix: `start it with: session-server simulation ${JSON.stringify(path)}`,
  };
}

function refused(path: string, problems: readonly Problem[], warnings: readonly Problem[] = []): Refused {
  return { kind: 'refused', path, problems: atMost(problems, MAX_PROBLEMS), warnings: atMost(warnings, MAX_WARNINGS) };
}

export type Parsed =
  | { readonly kind: 'value'; readonly value: unknown; readonly warnings: readonly Problem[] }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** The value of a configuration file of any program. */
export function parse(path: string, bytes: Uint8Array): Parsed {
  const text = decode(bytes);
  if (text === undefined) return notText(path, bytes);
  if (text.trim() === '') {
    const fix = 'write at least {"simulationServers": ["localhost:2000"]}';
    return { kind: 'problem', problem: { key: path, value: 'an empty file', expected: 'a configuration in JSON', fix } };
  }
  const check = checkJson(text);
  if (check.kind === 'fault') {
    const value = `line ${check.line}, column ${check.column}: ${check.fault}`;
    return { kind: 'problem', problem: { key: path, value, expected: 'a configuration in JSON', fix: check.fix } };
  }
  const warnings = check.duplicates.map(({ path: key, line }) => ({
    key: formatKey(key),
    value: `given twice, again in line ${line}`,
    expected: 'each key once',
    fix: 'the last one counts; remove the others',
  }));
  return { kind: 'value', value: JSON.parse(text), warnings };
}

/** `undefined` when the bytes are not UTF-8. A byte order mark at the beginning is left out. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function notText(path: string, bytes: Uint8Array): Parsed {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const value = utf16 ? 'text in UTF-16' : 'bytes that are not text in UTF-8';
  return { kind: 'problem', problem: { key: path, value, expected: 'text in UTF-8', fix: 'save it as UTF-8 in your editor' } };
}

export function unreadable(path: string, { kind, code }: FileFailure): Problem {
  const expected = 'a configuration file';
  switch (kind) {
    case 'missing':
      return {
        key: path,
        value: 'no such file',
        expected,
        fix: 'check the path; config/session/example.json is a good starting point',
      };
    case 'folder':
      return { key: path, value: 'a folder', expected, fix: 'name the file in it' };
    case 'not-a-file':
      return { key: path, value: 'a pipe or a device', expected, fix: 'name a regular file' };
    case 'forbidden':
      return { key: path, value: `not readable by this user (${code})`, expected, fix: 'check its owner and permissions' };
    case 'too-large':
      return { key: path, value: `larger than ${MAX_FILE_BYTES} bytes`, expected, fix: 'check the path' };
    case 'unreadable':
      return { key: path, value: `cannot be read (${code})`, expected, fix: 'check the disk and the path' };
  }
}

/** A password or a token that every user of the machine can read. */
function openToAll(
  path: string,
  { mode }: FileContent,
  { mailSenderPassword, registration, replicas, webhooks = [] }: PartOfConfiguration,
): Problem[] {
  const hasPassword = mailSenderPassword !== undefined || replicas?.password !== undefined;
  const secret =
    hasPassword ||
    registration?.token !== undefined ||
    webhooks.some(
      ({ secret, headers }) => secret !== undefined || Object.keys(headers).some((name) => /^authorization$/i.test(name)),
    );
  if (!secret || (mode & 0o004) === 0) return [];
  // The registration token cannot be kept elsewhere.
  const elsewhere = hasPassword ? ', or keep the password in a separate file' : '';
  return [
    {
      key: path,
      value: `a file with a ${hasPassword ? 'password' : 'token'} that every user can read`,
      expected: 'a file that others cannot read',
      fix: `run: chmod 640 ${JSON.stringify(path)}${elsewhere}`,
    },
  ];
}
