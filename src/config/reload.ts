/**
 * Which keys of new settings need a restart. They keep the values of the start, so that no part of the program relies on a port on which nothing listens. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { allKeys, below } from './keys.ts';
import type { Settings } from './settings.ts';

export interface InForce {
  /** As wanted, except for the keys that need a restart. */
  readonly settings: Settings;
  /** Keys that differ from the start and take effect only after a restart, as in the documentation, such as `limits.headerBytes`. */
  readonly afterRestart: readonly string[];
}

/** The part of `wanted` that can be active in a process that was started with `started`. */
export function inForce(started: Settings, wanted: Settings): InForce {
  const afterRestart = [...allKeys()]
    .filter(([key, { restart }]) => restart && !isDeepStrictEqual(valueAt(started, key), valueAt(wanted, key)))
    .map(([key]) => key);
  const settings = afterRestart.reduce<object>((so, key) => withValue(so, key.split('.'), valueAt(started, key)), wanted);
  return { settings: settings as Settings, afterRestart };
}

/** A copy with another value at a path; without the key when the value is absent. */
function withValue(object: object, [step = '', ...further]: readonly string[], value: unknown): object {
  const inner = further.length === 0 ? value : withValue(Object(below(object, step)) as object, further, value);
  const { [step]: _, ...rest } = object as Readonly<Record<string, unknown>>;
  return inner === undefined ? rest : { ...rest, [step]: inner };
}

function valueAt(settings: Settings, key: string): unknown {
  return key.split('.').reduce<unknown>(below, settings);
}
