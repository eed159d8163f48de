/** Why the gateway does not relay a request: decisions about the request alone, and the response that a client gets then. */
import type { IncomingMessage } from 'node:http';
import { hostCount, cameThrough } from './headers.ts';
import { LOST_UPGRADE, lostItsUpgrade } from '../server/lost-upgrade.ts';
import { isOutsideFolder } from './reach.ts';

export type RelayOutcome = 'answered' | 'refused' | 'failed' | 'timeout' | 'too-many' | 'abandoned';

export interface Refusal {
  readonly status: number;
  readonly outcome: RelayOutcome;
  /** A sentence for the client. */
  readonly reason: string;
}

export const TOO_MANY = refusalOf(503, 'too-many', 'The gateway relays too many sessions and requests at the moment.');
export const UNSUPPORTED_CONNECTION = refusalOf(400, 'refused', 'Unsupported connection.');

const RETRY_AFTER = 5;

export function refusalOf(status: number, outcome: RelayOutcome, reason: string): Refusal {
  return { status, outcome, reason };
}

/** Checks a request before it is relayed. `via`: our own name in `Via`. */
export function refuseRequest(request: IncomingMessage, via: string): Refusal | undefined {
  // RFC 9112 § 3.2: servers disagree about which of several Host headers counts.
  if (hostCount(request) > 1) return refusalOf(400, 'refused', 'Exactly one Host header is required.');
  if (cameThrough(request, via)) return refusalOf(508, 'refused', 'Loop detected: this path is routed back to the gateway.');
  if (request.headers['service-worker'] !== undefined && isOutsideFolder(request.url ?? ''))
    return refusalOf(403, 'refused', 'A service worker at this path would control the whole site.');
  const encoding = request.headers['transfer-encoding'];
  // Node decodes chunks and nothing else. Without its header, any other encoding makes the body unreadable.
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
    return refusalOf(501, 'refused', 'Unsupported transfer encoding.');
  return undefined;
}

/** Further checks of a request that does not change the protocol. */
export function refuseLostUpgrade(request: IncomingMessage): Refusal | undefined {
  return lostItsUpgrade(request) ? refusalOf(426, 'refused', LOST_UPGRADE) : undefined;
}

/** Further checks of a request that wants to change the protocol. */
export function refuseUpgrade(request: IncomingMessage): Refusal | undefined {
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket')
    return refusalOf(400, 'refused', 'Only WebSocket upgrades are supported.');
  // The next server would take the body for WebSocket frames.
  if (hasBody(request)) return refusalOf(400, 'refused', 'A request that opens a WebSocket must not have a body.');
  return undefined;
}

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Headers of a refusal. Pages of other origins load textures from here and should see why that failed. */
export function refusalHeaders({ status }: Refusal): Readonly<Record<string, string | number>> {
  return {
    'Access-Control-Allow-Origin': '*',
    ...(status === 503 && { 'Retry-After': RETRY_AFTER }),
    ...(status === 426 && { Upgrade: 'websocket', Connection: 'Upgrade' }),
  };
}
