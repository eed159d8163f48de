/**
 * Clients that got an answer on `/session` and will connect within a minute, either to their simulation server or with a pass to wait for one. This is the
 * only link between the two connections of one client: old clients send nothing back but the URL they were given.
 */
import type { ServerId } from '../fleet/endpoint.ts';

/** The hand-out of a client that comes to its server. */
export interface ExpectedClient {
  readonly bookingId: string;
  /** Seconds since the epoch: its session is ended then, because a class needs its seat. */
  readonly endsAt?: number;
}

interface HandedOut {
  readonly client: ExpectedClient;
  readonly server: ServerId;
  readonly address: string;
  readonly at: number;
  arrived: boolean;
}

/** What is known of a client that was sent to wait. */
export interface Pass {
  readonly at: number;
  /** The code of a class with which it asked. */
  readonly code?: string;
}

/** Seconds a client may take to connect. */
const MAX_DELAY = 60;
export const MAX_CLIENTS = 50_000;

export class ExpectedClients {
  /** The oldest first, as in every `Map`. */
  readonly #passes = new Map<string, Pass>();
  readonly #handedOut = new Map<string, HandedOut>();

  /** `id` is unguessable. Returns the pass, which has only letters, because clients look for numbers in URLs (docs/design/protocol.md, "URLs in gateway mode"). */
  issue(id: string, now: number, code?: string): string {
    const pass = lettersOf(id);
    forgetOld(this.#passes, now, ({ at }) => at);
    this.#passes.set(pass, { at: now, ...(code !== undefined && { code }) });
    return pass;
  }

  /** A pass is valid once. */
  redeem(pass: string, now: number): Pass | undefined {
    const found = this.#passes.get(pass);
    this.#passes.delete(pass);
    return found !== undefined && now - found.at < MAX_DELAY ? found : undefined;
  }

  /** A client from this address was sent to the server. Further calls for the same booking change nothing. */
  sent({ server, ...client }: ExpectedClient & { readonly server: ServerId }, address: string, now: number): void {
    forgetOld(this.#handedOut, now, ({ at }) => at);
    if (this.#handedOut.has(client.bookingId)) return;
    this.#handedOut.set(client.bookingId, { client, server, address, at: now, arrived: false });
  }

  /** A client from this address connects to the server. Returns what was handed out to it, or `undefined` when it was not sent there. */
  arrived(server: ServerId, address: string, now: number): ExpectedClient | undefined {
    forgetOld(this.#handedOut, now, ({ at }) => at);
    for (const expected of this.#handedOut.values()) {
      if (expected.arrived || expected.server !== server || expected.address !== address) continue;
      expected.arrived = true;
      return expected.client;
    }
    return undefined;
  }
}

function forgetOld<T>(expected: Map<string, T>, now: number, timeOf: (value: T) => number): void {
  for (const [key, value] of expected) {
    if (now - timeOf(value) < MAX_DELAY && expected.size < MAX_CLIENTS) return;
    expected.delete(key);
  }
}

/** Almost as hard to guess. */
function lettersOf(id: string): string {
  return id.replace(/[^a-zA-Z]/g, (character) => LETTERS.charAt((character.codePointAt(0) ?? 0) % LETTERS.length));
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
