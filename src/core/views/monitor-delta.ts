/**
 * What changed between two snapshots of the monitor, and the snapshot after a change.
 *
 * The session server computes each difference once and sends the same text to every viewer; the page applies it to its snapshot. The two functions are in
 * one file because `applied(before, difference(before, after))` must be `after`.
 */
import { listed, MAX_LISTED } from './decision-list.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import type { MonitorDelta, MonitorSnapshot, ServerView } from './monitor-view.ts';

/** The fields that changed. `undefined`: nothing but the time did. */
export function difference(before: MonitorSnapshot, after: MonitorSnapshot): MonitorDelta | undefined {
  const fleet = changedFields(before.fleet, after.fleet);
  const servers = changedServers(before.servers, after.servers);
  const moved = !sameOrder(before.servers, after.servers);
  const decisions = newOrChanged(before.decisions, after.decisions);
  const incidents = newOrChanged(before.incidents, after.incidents);
  const changes = {
    ...(fleet !== undefined && { fleet }),
    ...(servers !== undefined && { servers }),
    ...(moved && { order: after.servers.map(({ id }) => id) }),
    ...(decisions.length > 0 && { decisions }),
    ...(incidents.length > 0 && { incidents }),
  };
  return Object.keys(changes).length === 0 ? undefined : { at: after.at, ...changes };
}

/** The snapshot after a delta. What did not change keeps its identity. */
export function applied(before: MonitorSnapshot, delta: MonitorDelta): MonitorSnapshot {
  return {
    at: delta.at,
    fleet: delta.fleet === undefined ? before.fleet : { ...before.fleet, ...delta.fleet },
    servers: appliedServers(before.servers, delta),
    decisions: appliedList(before.decisions, delta.decisions, listed),
    incidents: appliedList(before.incidents, delta.incidents, (incidents) => incidents.slice(0, MAX_LISTED)),
  };
}

function changedServers(
  before: readonly ServerView[],
  after: readonly ServerView[],
): Record<ServerId, Partial<ServerView>> | undefined {
  // Usually both lists have the same servers in the same order.
  let known: ReadonlyMap<ServerId, ServerView> | undefined;
  const changes: Record<ServerId, Partial<ServerView>> = Object.create(null) as Record<ServerId, Partial<ServerView>>;
  let any = false;
  for (const [index, server] of after.entries()) {
    const there = before[index];
    if (there === server) continue;
    if (there?.id !== server.id) known ??= new Map(before.map((server) => [server.id, server]));
    const old = there?.id === server.id ? there : known?.get(server.id);
    if (old === server) continue;
    const changed = old === undefined ? server : changedFields(old, server);
    if (changed === undefined) continue;
    changes[server.id] = changed;
    any = true;
  }
  return any ? changes : undefined;
}

function appliedServers(before: readonly ServerView[], { servers = {}, order }: MonitorDelta): readonly ServerView[] {
  const changed = (server: ServerView | undefined, id: ServerId): ServerView | undefined => {
    const changes = Object.hasOwn(servers, id) ? servers[id] : undefined;
    if (changes === undefined) return server;
    return { ...server, ...changes } as ServerView;
  };
  if (order === undefined) return before.map((server) => changed(server, server.id) ?? server);
  const known = new Map(before.map((server) => [server.id, server]));
  return order.map((id) => changed(known.get(id), id)).filter((server) => server !== undefined);
}

function sameOrder(before: readonly ServerView[], after: readonly ServerView[]): boolean {
  return before.length === after.length && after.every(({ id }, index) => id === before[index]?.id);
}

interface Identified {
  readonly id: string;
}

/** Both lists newest first. */
function newOrChanged<T extends Identified>(before: readonly T[], after: readonly T[]): readonly T[] {
  if (before === after) return [];
  const known = new Map(before.map((entry) => [entry.id, entry]));
  return after.filter((entry) => !same(entry, known.get(entry.id)));
}

/** `listing` drops older entries. */
function appliedList<T extends Identified>(
  before: readonly T[],
  changes: readonly T[] | undefined,
  listing: (entries: readonly T[]) => readonly T[],
): readonly T[] {
  if (changes === undefined || changes.length === 0) return before;
  const changed = new Map(changes.map((entry) => [entry.id, entry]));
  const updated = before.map((entry) => {
    const replacement = changed.get(entry.id);
    changed.delete(entry.id);
    return replacement ?? entry;
  });
  return listing([...changed.values(), ...updated]);
}

function changedFields<T extends object>(before: T, after: T): Partial<T> | undefined {
  const changes: Partial<T> = {};
  let any = false;
  for (const key of Object.keys(after) as (keyof T)[]) {
    if (same(before[key], after[key])) continue;
    changes[key] = after[key];
    any = true;
  }
  return any ? changes : undefined;
}

/** Equality of values that travel as JSON. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key as keyof typeof a], b[key as keyof typeof b]));
}
