/**
 * Keys of the configuration from environment variables. One rule, derived from the schema: `waiting.maxLength` is `SESSION_SERVER_WAITING_MAX_LENGTH`. The name
 * of a secret with `_FILE` appended is the path of a file that holds it. A variable replaces the value of the file, and is checked in the same way.
 */
import { nearest } from '../core/text/nearest.ts';
import type { Environment } from './environment.ts';
import { type FileFailure, absolutePath } from './environment.ts';
import { below, isObject, type KeyInfo, root } from './keys.ts';
import type { Problem } from './problem.ts';

export interface FromVariables {
  /** The file with the values of the variables. */
  readonly value: unknown;
  /** The variable of each key that one sets, by the key as in the documentation. */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

interface Named {
  readonly path: readonly string[];
  readonly info: KeyInfo;
}

const PREFIX = 'SESSION_SERVER_';
/** Bytes of a file with a secret. */
const MAX_FILE = 4096;
/** Variables with this prefix that do not set a key: `docs/reference/environment.md` has them. */
const OTHERS = ['TOKEN', 'MAIL_PASSWORD', 'MAIL_PASSWORD_FILE', 'SIM'].map((name) => PREFIX + name);

/** Every key that can be set by a variable, by the name of the variable. Entries of lists have none: the variable of the list sets them all. */
export function variableNames(of: KeyInfo = root, above: readonly string[] = []): ReadonlyMap<string, Named> {
  const found = new Map<string, Named>();
  for (const [key, info] of of.keys) {
    const path = [...above, key];
    if (key.startsWith('$')) continue;
    found.set(variableOf(path), { path, info });
    for (const [name, named] of variableNames(info, path)) found.set(name, named);
  }
  return found;
}

export function variableOf(path: readonly string[]): string {
  return PREFIX + path.map((key) => key.replace(/[A-Z]/g, '_$&').toUpperCase()).join('_');
}

/** `file` is the content of the configuration file, of any type. */
export async function withVariables(file: unknown, environment: Environment): Promise<FromVariables> {
  const names = variableNames();
  const variables = new Map<string, string>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  let value = file;
  for (const [variable, text = ''] of Object.entries(environment.env).sort()) {
    if (!variable.startsWith(PREFIX) || text === '' || isOfKubernetes(text)) continue;
    const named = names.get(variable);
    const ofFile = named === undefined ? secretOfFile(variable, names) : undefined;
    if (named !== undefined) value = set(named, read(text, named.info));
    else if (ofFile !== undefined) value = set(ofFile, await contentOf(variable, text, environment, problems));
    else warnings.push(...unknownVariable(variable, names));

    function set({ path }: Named, item: unknown): unknown {
      if (item === undefined) return value;
      variables.set(path.join('.'), variable);
      return withValue(value, path, item);
    }
  }
  return { value, variables, problems, warnings };
}

/** The problems of the keys that variables set, with the variables as their keys. */
export function namedByVariables(problems: readonly Problem[], variables: ReadonlyMap<string, string>): Problem[] {
  return problems.map((problem) => {
    const [key] = [...variables.keys()].filter((set) => problem.key === set || problem.key.startsWith(`${set}[`));
    const variable = key === undefined ? undefined : variables.get(key);
    return variable === undefined || key === undefined ? problem : { ...problem, key: variable + problem.key.slice(key.length) };
  });
}

/** A pod gets such variables for each service, and one for a service of this name. */
function isOfKubernetes(text: string): boolean {
  return /^(?:tcp|udp):\/\//.test(text);
}

function secretOfFile(variable: string, names: ReadonlyMap<string, Named>): Named | undefined {
  const named = variable.endsWith('_FILE') ? names.get(variable.slice(0, -'_FILE'.length)) : undefined;
  return named?.info.secret === true && named.info.type === 'string' ? named : undefined;
}

/** Lists of texts may be written with commas. What is not of the right type stays a text, so that its check says what is expected. */
function read(text: string, { type, choices }: KeyInfo): unknown {
  if (type === 'string' || (type === 'choice' && !/^\s*[[{]/.test(text) && choices.some((choice) => choice.type === 'string')))
    return text;
  if (type === 'list' && !/^\s*\[/.test(text)) return text.split(',').map((entry) => entry.trim());
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

async function contentOf(
  variable: string,
  path: string,
  environment: Environment,
  problems: Problem[],
): Promise<string | undefined> {
  const file = await environment.readFile(absolutePath(path, environment), MAX_FILE);
  if (file.kind === 'content') return new TextDecoder().decode(file.bytes).replace(/(?:\r?\n)+$/, '');
  problems.push({
    key: variable,
    value: `${JSON.stringify(path)}, ${faults[file.kind]}`,
    expected: 'a file that holds only the secret',
    fix: 'check the path and the permissions of the file',
  });
  return undefined;
}

const faults: Readonly<Record<FileFailure['kind'], string>> = {
  missing: 'which does not exist',
  folder: 'which is a folder',
  'not-a-file': 'which is not a regular file',
  forbidden: 'which this user cannot read',
  'too-large': `which is larger than ${MAX_FILE} bytes`,
  unreadable: 'which cannot be read',
};

/** Other programs may have variables with this prefix, so only what looks like a key is reported. */
function unknownVariable(variable: string, names: ReadonlyMap<string, Named>): Problem[] {
  if (OTHERS.includes(variable)) return [];
  const meant = nearest(variable, [...names.keys(), ...OTHERS]);
  if (meant === undefined) return [];
  return [{ key: variable, value: 'unknown variable, ignored', expected: 'the name of a key', fix: `did you mean ${meant}?` }];
}

function withValue(of: unknown, [key = '', ...further]: readonly string[], item: unknown): unknown {
  // What is not an object is reported as it is.
  if (of !== undefined && !isObject(of)) return of;
  return { ...of, [key]: further.length === 0 ? item : withValue(below(of, key), further, item) };
}
