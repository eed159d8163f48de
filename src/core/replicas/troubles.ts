/**
 * Which troubles of replicas and their store people are notified of: each once when it has lasted, and once when it is over. What is known of them travels
 * with the state that replicas share, so that another leader goes on from there.
 */

export interface Trouble {
  /** Seconds since the epoch. */
  readonly since: number;
  readonly isReported: boolean;
}

export interface Troubles {
  readonly store?: Trouble;
  /** By the names of the replicas. */
  readonly replicas: Readonly<Record<string, Trouble>>;
}

export interface Observed {
  /** Seconds since the epoch. */
  readonly now: number;
  readonly reachesStore: boolean;
  /** By name, the seconds since the last heartbeat of a replica. */
  readonly ages: ReadonlyMap<string, number>;
}

export interface TroubleNotice {
  readonly kind: 'store-gone' | 'store-back' | 'replica-gone' | 'replica-back';
  /** Of the replica; absent: the store. */
  readonly name?: string;
  /** Seconds since the epoch. */
  readonly since: number;
}

export const NO_TROUBLES: Troubles = { replicas: {} };
/** Seconds that a trouble lasts before it is reported: longer than a restart. */
const PATIENCE = 30;
/** Seconds after which a replica that does not come back is not expected any more. */
const FORGOTTEN = 86_400;
/** Names that are remembered. */
const MAX_REPLICAS = 100;
/** Seconds without a heartbeat. */
const SILENT = 3;

export function observeTroubles(
  known: Troubles,
  seen: Observed,
): { readonly troubles: Troubles; readonly notices: readonly TroubleNotice[] } {
  const notices: TroubleNotice[] = [];
  const next = (trouble: Trouble | undefined, isBad: boolean, what: 'store' | 'replica', name?: string): Trouble | undefined => {
    const { since, isReported } = trouble ?? {
      since: seen.now - (name === undefined ? 0 : (seen.ages.get(name) ?? 0)),
      isReported: false,
    };
    const notice = { ...(name !== undefined && { name }), since };
    if (!isBad) {
      if (isReported) notices.push({ kind: `${what}-back`, ...notice });
      return undefined;
    }
    const isOld = seen.now - since >= PATIENCE;
    if (isOld && !isReported) notices.push({ kind: `${what}-gone`, ...notice });
    return { since, isReported: isReported || isOld };
  };
  const store = next(known.store, !seen.reachesStore, 'store');
  if (!seen.reachesStore) return { troubles: { ...known, ...(store !== undefined && { store }) }, notices };
  const replicas: Record<string, Trouble> = {};
  for (const name of new Set([...Object.keys(known.replicas), ...seen.ages.keys()])) {
    const before = known.replicas[name];
    const age = seen.ages.get(name);
    // The store forgets those that are silent for a minute, and those that stop as they should.
    if (age === undefined && (before?.isReported !== true || seen.now - before.since > FORGOTTEN)) continue;
    const trouble = next(before, age === undefined || age >= SILENT, 'replica', name);
    if (trouble !== undefined && Object.keys(replicas).length < MAX_REPLICAS) replicas[name] = trouble;
  }
  return { troubles: { replicas }, notices };
}

/** What another leader knew. What no replica wrote is nothing. */
export function readTroubles(value: unknown): Troubles {
  if (!isRecord(value) || !isRecord(value['replicas'])) return NO_TROUBLES;
  const entries = Object.entries(value['replicas']).slice(0, MAX_REPLICAS);
  const replicas = entries.flatMap(([name, one]) => (isName(name) && isTrouble(one) ? [[name, one] as const] : []));
  return { replicas: Object.fromEntries(replicas), ...(isTrouble(value['store']) && { store: value['store'] }) };
}

function isTrouble(value: unknown): value is Trouble {
  return isRecord(value) && typeof value['since'] === 'number' && typeof value['isReported'] === 'boolean';
}

function isName(name: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
