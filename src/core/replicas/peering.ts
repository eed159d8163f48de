/**
 * How replicas recognize each other's requests: by a secret of the present term, which the leader writes to the store. Only a replica that may read the store
 * knows it.
 */

export interface Peering {
  /** The term for which the secret is valid. */
  readonly term: number;
  /** Unguessable. */
  readonly secret: string;
}

/** Where it is in what replicas share. */
export const PEERING_KEY = 'peering';
const MAX_LENGTH = 300;

/** `undefined`: no replica of this version wrote it. Never throws. */
export function readPeering(text: string | undefined): Peering | undefined {
  if (text === undefined || text.length > MAX_LENGTH) return undefined;
  const value = parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { term, secret } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(term) || typeof secret !== 'string' || !/^[\x21-\x7e]{4,200}$/.test(secret)) return undefined;
  return { term: Number(term), secret };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
