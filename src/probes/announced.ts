/**
 * Checks that a server that registered is a simulation server, before clients are sent there: its name resolves to allowed addresses, `/load` answers
 * with a load and without a redirect, and `/client` opens a WebSocket.
 */
import { webSocketUrl, type Endpoint } from '../core/fleet/endpoint.ts';
import type { NameLookup } from '../ports.ts';
import { createGuardedLookup, refuseHost, type RefuseAddress } from './guarded-lookup.ts';
import { createLoadProbe } from './load.ts';
import { probeUpgrade } from './upgrade.ts';

export interface AnnouncedOptions {
  readonly pollSsl: boolean;
  readonly handOutSsl: boolean;
  /** Seconds each request may take. */
  readonly timeout: number;
  readonly names: NameLookup;
  readonly refuseAddress: RefuseAddress;
  readonly now: () => number;
}

export type AnnouncedResult = { readonly kind: 'simulation-server' } | { readonly kind: 'failed'; readonly reason: string };

/** Never throws. */
export async function checkAnnounced(
  endpoint: Endpoint,
  { pollSsl, handOutSsl, timeout, names, refuseAddress, now }: AnnouncedOptions,
  signal: AbortSignal,
): Promise<AnnouncedResult> {
  const lookup = createGuardedLookup(refuseAddress, names.lookup);
  const refused = await refuseHost(endpoint.host, refuseAddress, lookup);
  if (refused !== undefined) return { kind: 'failed', reason: refused };

  const probe = createLoadProbe({ ssl: pollSsl, timeout, keepAlive: 1, now, names, guard: () => lookup });
  const abort = () => void probe.close();
  signal.addEventListener('abort', abort);
  const load = await probe.probe(endpoint);
  signal.removeEventListener('abort', abort);
  await probe.close();
  if (load.kind === 'failed') return { kind: 'failed', reason: load.failure.reason };

  const upgrade = await probeUpgrade(`${webSocketUrl(endpoint, handOutSsl)}/client`, { timeout, lookup, signal });
  return upgrade.kind === 'opened'
    ? { kind: 'simulation-server' }
    : { kind: 'failed', reason: `its WebSocket /client does not open: ${upgrade.reason}` };
}
