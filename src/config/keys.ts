/**
 * Facts about each key, read from the schema: for the reference page, the JSON Schema and the messages. It uses the public form of a zod
 * schema, a JSON Schema, and not its internals.
 */
import { z } from 'zod';
import { schema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

export interface KeyInfo {
  readonly type: 'boolean' | 'integer' | 'number' | 'string' | 'list' | 'object' | 'choice';
  readonly description: string;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Characters of a text. */
  readonly minLength: number;
  readonly maxLength: number | undefined;
  readonly unit: string | undefined;
  /** The allowed values of a string, if there are only some. */
  readonly words: readonly string[];
  /** What is allowed, where type and range do not describe it. */
  readonly expected: string | undefined;
  readonly default: unknown;
  /** The default in words, where it is not a fixed value. */
  readonly absent: string | undefined;
  readonly required: boolean;
  readonly secret: boolean;
  readonly restart: boolean;
  /** Keys of an object. */
  readonly keys: ReadonlyMap<string, KeyInfo>;
  /** Entries of a list, or of an object with names of the operator's choice. */
  readonly entry: KeyInfo | undefined;
  /** Entries of a list that has a fixed number of them. */
  readonly fixedEntries: readonly KeyInfo[];
  /** What is allowed, when that is a choice between types. */
  readonly choices: readonly KeyInfo[];
}

/** The whole configuration of the session server. */
export const root: KeyInfo = rootOf(schema);

/** The whole configuration of a program. */
export function rootOf(of: z.ZodType): KeyInfo {
  return keyInfo(z.toJSONSchema(of, { io: 'input' }), true);
}

/** The key one step further. */
export function infoBelow(info: KeyInfo | undefined, step: string | number): KeyInfo | undefined {
  if (typeof step === 'number') return info?.fixedEntries[step] ?? info?.entry;
  return info?.keys.get(step) ?? info?.entry;
}

/** Of a choice, what fits the value; the choice itself when nothing does. */
export function choose(info: KeyInfo, value: unknown): KeyInfo {
  if (info.choices.length === 0) return info;
  const type = isObject(value) ? 'object' : typeof value === 'string' ? 'string' : undefined;
  return info.choices.find((choice) => choice.type === type) ?? info;
}

/** The value one step further. */
export function below(value: unknown, step: string | number): unknown {
  if (typeof step === 'number') return Array.isArray(value) ? (value as readonly unknown[])[step] : undefined;
  return isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every key by its dotted name, such as `simulationServers[].weight`, in the order of the schema. */
export function allKeys(of: KeyInfo = root): ReadonlyMap<string, KeyInfo> {
  const found = new Map<string, KeyInfo>();
  const collect = (info: KeyInfo, name: string): void => {
    for (const [key, below] of info.keys) {
      const dotted = name === '' ? key : `${name}.${key}`;
      found.set(dotted, below);
      collect(below, dotted);
    }
    if (info.entry !== undefined && info.type === 'list') collect(info.entry, `${name}[]`);
    for (const choice of info.choices) collect(choice, name);
  };
  collect(of, '');
  return found;
}

/** Whether a value at this key may be or contain a secret. */
export function holdsSecret(info: KeyInfo): boolean {
  if (info.secret) return true;
  return [...info.keys.values(), ...info.choices, ...(info.entry === undefined ? [] : [info.entry])].some(holdsSecret);
}

/** What is allowed at a key, in words. */
export function expectation(info: KeyInfo): string {
  if (info.expected !== undefined) return info.expected;
  switch (info.type) {
    case 'boolean':
      return 'true or false, without quotes';
    case 'integer':
    case 'number':
      return `a ${info.type === 'integer' ? 'whole ' : ''}number${range(info)}${info.unit === undefined ? '' : ` (${info.unit})`}`;
    case 'string':
      if (info.words.length > 0) return info.words.map((word) => `"${word}"`).join(' or ');
      return `a string${length(info)}`;
    case 'list':
      return 'a list in square brackets';
    case 'object':
      return `an object in braces${needs(info)}`;
    case 'choice':
      return info.choices.map(expectation).join(', or ');
  }
}

function needs({ keys }: KeyInfo): string {
  const required = [...keys].filter(([, key]) => key.required).map(([name]) => `"${name}"`);
  return required.length === 0 ? '' : ` with ${required.join(' and ')}`;
}

/** For editors, and for `session-server schema`. */
export function publishedJsonSchema(of: z.ZodType = schema, program = 'session server'): JsonSchema {
  return { title: `Configuration of the ${program}`, ...published(z.toJSONSchema(of, { io: 'input' })) };
}

function range({ minimum, maximum }: KeyInfo): string {
  if (minimum === undefined || maximum === undefined) return '';
  return ` from ${minimum} to ${maximum}`;
}

function length({ minLength, maxLength }: KeyInfo): string {
  if (maxLength === undefined) return '';
  return minLength > 1 ? `, ${minLength} to ${maxLength} characters` : `, up to ${maxLength} characters`;
}

function keyInfo(node: JsonSchema, required: boolean): KeyInfo {
  const properties = Object.entries(node.properties ?? {});
  return {
    type: typeOf(node),
    description: node.description ?? '',
    minimum: node.minimum,
    maximum: node.maximum,
    minLength: node.minLength ?? 0,
    maxLength: node.maxLength,
    unit: textOf(node['unit']),
    words: (node.enum ?? []).map(String),
    expected: textOf(node['expected']),
    default: node.default,
    absent: textOf(node['absent']),
    required,
    secret: node['secret'] === true,
    restart: node['restart'] === true,
    keys: new Map(
      properties.flatMap(([key, below]) => infos(below, node.required?.includes(key) ?? false).map((info) => [key, info])),
    ),
    entry: infos(Array.isArray(node.items) ? undefined : (node.items ?? node.additionalProperties))[0],
    fixedEntries: (node.prefixItems ?? []).flatMap((below) => infos(below)),
    choices: (node.anyOf ?? []).map((below) => keyInfo(below, true)),
  };
}

/** `false` in a JSON Schema allows no value, `undefined` says nothing. */
function infos(node: JsonSchema | boolean | undefined, required = true): KeyInfo[] {
  return typeof node === 'object' ? [keyInfo(node, required)] : [];
}

function typeOf(node: JsonSchema): KeyInfo['type'] {
  if (node.anyOf !== undefined) return 'choice';
  if (node.type === 'array') return 'list';
  if (node.type === 'boolean' || node.type === 'integer' || node.type === 'number' || node.type === 'object') return node.type;
  return 'string';
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Our own annotations in the words that JSON Schema has for them. */
function published(node: JsonSchema): JsonSchema {
  const { unit, expected: _, absent, secret, restart, description, properties, prefixItems, anyOf, ...rest } = node;
  const { items, additionalProperties } = node;
  const notes = [
    description ?? '',
    typeof unit === 'string' ? `Unit: ${unit}.` : '',
    typeof absent === 'string' ? `Default: ${absent}.` : '',
    restart === true ? 'A change takes effect after a restart.' : '',
  ].filter((note) => note !== '');
  return {
    ...(notes.length > 0 && { description: notes.join(' ') }),
    ...rest,
    ...(properties !== undefined && { properties: mapValues(properties, publishedBelow) }),
    ...(prefixItems !== undefined && { prefixItems: prefixItems.map(publishedBelow) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(published) }),
    ...(items !== undefined && !Array.isArray(items) && { items: publishedBelow(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: publishedBelow(additionalProperties) }),
    ...(secret === true && { writeOnly: true }),
  };
}

function publishedBelow(node: JsonSchema | boolean): JsonSchema | boolean {
  return typeof node === 'object' ? published(node) : node;
}

function mapValues<T>(object: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
