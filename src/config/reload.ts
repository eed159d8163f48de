/**
 * What differs between the settings in force and new ones, so that only that is applied, servers are kept by identity, and the operator learns what
 * needs a restart: such keys keep the values of the start, so that no part of the program uses a port on which nothing listens. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { allKeys, below } from './keys.ts';
import type { Settings, SimulationServerSettings } from './settings.ts';

export type Section = keyof Settings;

export interface Changes {
  /** Parts of the settings that differ. Empty: there is nothing to do. */
  readonly sections: ReadonlySet<Section>;
  readonly servers: ServerChanges;
}

/** By identity: a server that is listed before and after keeps its state, whatever else has changed. */
export interface ServerChanges {
  readonly added: readonly SimulationServerSettings[];
  readonly removed: readonly ServerId[];
  /** Known before, with another spelling, weight, limit or rule; in the new form. */
  readonly changed: readonly SimulationServerSettings[];
  /** The order of those that are listed before and after differs. */
  readonly reordered: boolean;
}

export function compareSettings(old: Settings, next: Settings): Changes {
  const names = new Set([...Object.keys(old), ...Object.keys(next)] as Section[]);
  const sections = new Set([...names].filter((name) => !isDeepStrictEqual(old[name], next[name])));
  return { sections, servers: compareServers(old.simulationServers, next.simulationServers) };
}

export interface InForce {
  /** As wanted, except for the keys that need a restart. */
  readonly settings: Settings;
  /** Keys that differ from the start and take effect only after a restart, as in the documentation, such as `limits.headerBytes`. */
  readonly afterRestart: readonly string[];
}

/** What of `wanted` can be in force in a process that was started with `started`. */
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

function compareServers(old: readonly SimulationServerSettings[], next: readonly SimulationServerSettings[]): ServerChanges {
  const before = new Map(old.map((server) => [server.endpoint.id, server]));
  const after = new Set(next.map(({ endpoint }) => endpoint.id));
  const stayedBefore = old.map(({ endpoint }) => endpoint.id).filter((id) => after.has(id));
  const stayedAfter = next.map(({ endpoint }) => endpoint.id).filter((id) => before.has(id));
  return {
    added: next.filter(({ endpoint }) => !before.has(endpoint.id)),
    removed: old.map(({ endpoint }) => endpoint.id).filter((id) => !after.has(id)),
    changed: next.filter((server) => {
      const earlier = before.get(server.endpoint.id);
      return earlier !== undefined && !isDeepStrictEqual(earlier, server);
    }),
    reordered: !isDeepStrictEqual(stayedBefore, stayedAfter),
  };
}

function valueAt(settings: Settings, key: string): unknown {
  return key.split('.').reduce<unknown>(below, settings);
}
