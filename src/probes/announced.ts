/**
 * Is it a simulation server, what announced itself? Asked from our side before anybody is sent there: its name leads to addresses it may have, `/load` answers a
 * load without a redirect, and `/client` opens a WebSocket.
 */
import { webSocketUrl, type Endpoint } from '../core/fleet/endpoint.ts';
import type { NameLookup } from '../ports.ts';
import { createGuardedLookup, refuseHost, type RefuseAddress } from './guarded-lookup.ts';
import { createLoadProbe } from './load.ts';
import { probeUpgrade } from './upgrade.ts';

export interface AnnouncedOptions {
  readonly pollSsl: boolean;
  readonly handOutSsl: boolean;
  /** Seconds each question may take. */
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
  const giveUp = () => void probe.close();
  signal.addEventListener('abort', giveUp);
  const load = await probe.probe(endpoint);
  signal.removeEventListener('abort', giveUp);
  await probe.close();
  if (load.kind === 'failed') return { kind: 'failed', reason: load.failure.reason };

  const upgrade = await probeUpgrade(`${webSocketUrl(endpoint, handOutSsl)}/client`, { timeout, lookup, signal });
  return upgrade.kind === 'opened'
    ? { kind: 'simulation-server' }
    : { kind: 'failed', reason: `its WebSocket /client does not open: ${upgrade.reason}` };
}
