/** What the leader has the others poll, and how. It is shared as a document, which others can write to. */
import { parseEndpoint, type Endpoint } from '../fleet/endpoint.ts';
import type { FleetRules } from '../fleet/fleet.ts';

export interface PollingPlan {
  /** Seconds between two probes of one server, and seconds that one may take. */
  readonly interval: number;
  readonly timeout: number;
  /** By `https`. */
  readonly ssl: boolean;
  readonly rules: FleetRules;
  readonly listed: readonly Endpoint[];
  /** Servers that registered themselves: their addresses are restricted. */
  readonly registered: readonly Endpoint[];
}

/** Name of the document. */
export const POLLING = 'polling';

/** More than any fleet has. */
const MAX_SERVERS = 100_000;

export function planValue({ listed, registered, ...plan }: PollingPlan): unknown {
  const addresses = (servers: readonly Endpoint[]) => servers.map(({ address }) => address);
  return { ...plan, listed: addresses(listed), registered: addresses(registered) };
}

/** Reads what `planValue` made. `undefined`: no leader wrote it. Never throws. */
export function readPlan(value: unknown): PollingPlan | undefined {
  if (!isRecord(value)) return undefined;
  const { interval, timeout, ssl, listed, registered } = value;
  const rules = readRules(value['rules']);
  const [one, other] = [readEndpoints(listed), readEndpoints(registered)];
  if (rules === undefined || one === undefined || other === undefined || typeof ssl !== 'boolean') return undefined;
  if (!isBetween(interval, 0.05, 60) || !isBetween(timeout, 0.02, interval)) return undefined;
  return { interval, timeout, ssl, rules, listed: one, registered: other };
}

function readRules(value: unknown): FleetRules | undefined {
  if (!isRecord(value)) return undefined;
  const { loadThreshold, target, recent, downAfter } = value;
  if (!isBetween(loadThreshold, 0, 1e6) || !isBetween(target, 0, 1e6) || !isBetween(recent, 0, 1e6)) return undefined;
  return isBetween(downAfter, 1, 1000) ? { loadThreshold, target, recent, downAfter } : undefined;
}

function readEndpoints(value: unknown): readonly Endpoint[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_SERVERS) return undefined;
  const endpoints: Endpoint[] = [];
  for (const address of value as readonly unknown[]) {
    const read = typeof address === 'string' ? parseEndpoint(address) : undefined;
    if (read?.kind !== 'endpoint') return undefined;
    endpoints.push(read.endpoint);
  }
  return endpoints;
}

function isBetween(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
