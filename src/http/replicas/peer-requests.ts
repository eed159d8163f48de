/**
 * Requests that a follower forwards to the leader. They show a secret that only replicas know, and name the client. A client cannot do so: a request with
 * another secret is refused.
 */
import type { IncomingMessage } from 'node:http';
import { sameText } from '../operators/credentials.ts';
import type { AddressOf, ClientAddress } from '../server/client-address.ts';

/** `impostor`: it claims to come from a replica, and does not. */
export type Sender = 'client' | 'replica' | 'impostor';

/** Where a follower opens its link. */
export const LINK_PATH = '/replicas/link';
const SECRET = 'x-session-server-peer';
const CLIENT = 'x-session-server-client';
const REPLICA = 'x-session-server-replica';
const MAX_ADDRESS = 400;
/** Characters of a replica's id. */
const REPLICA_ID = /^[\x20-\x7e]{1,300}$/;

/** The headers of a request to the leader on behalf of a client. */
export function forwardedFor(client: ClientAddress, secret: string): string[] {
  return [SECRET, secret, CLIENT, JSON.stringify(client)];
}

/** The headers of a link. */
export function linkHeaders(replica: string, secret: string): Record<string, string> {
  return { [SECRET]: secret, [REPLICA]: replica };
}

/** The replica that opens a link; `undefined`: it does not say. */
export function replicaOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const id = headers[REPLICA];
  return typeof id === 'string' && REPLICA_ID.test(id) ? id : undefined;
}

export class PeerRequests {
  readonly #secret: () => string | undefined;

  /** `secret`: the present one; `undefined`: none is known. */
  constructor(secret: () => string | undefined) {
    this.#secret = secret;
  }

  senderOf({ headers }: Pick<IncomingMessage, 'headers'>): Sender {
    const shown = headers[SECRET];
    if (shown === undefined) return headers[CLIENT] === undefined && headers[REPLICA] === undefined ? 'client' : 'impostor';
    const secret = this.#secret();
    return secret !== undefined && typeof shown === 'string' && sameText(shown, secret) ? 'replica' : 'impostor';
  }

  /** Addresses of clients, also of those that are connected to another replica. */
  addressOf(direct: AddressOf): AddressOf {
    return (request) => (this.senderOf(request) === 'replica' ? (clientOf(request) ?? direct(request)) : direct(request));
  }
}

function clientOf({ headers }: IncomingMessage): ClientAddress | undefined {
  const text = headers[CLIENT];
  if (typeof text !== 'string' || text.length > MAX_ADDRESS) return undefined;
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { address, limitKey } = value as Readonly<Record<string, unknown>>;
  if (typeof address !== 'string' || (limitKey !== undefined && typeof limitKey !== 'string')) return undefined;
  return { address, limitKey };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
