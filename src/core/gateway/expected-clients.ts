/**
 * Clients that were answered on `/session` and will connect within a minute: with a place on a simulation server, or with a pass to wait for one. It ties the two
 * connections of one client together, which nothing else does: old clients send nothing back but the URL they were given.
 */
import type { ServerId } from '../fleet/endpoint.ts';

interface HandedOut {
  readonly bookingId: string;
  readonly server: ServerId;
  readonly address: string;
  readonly at: number;
}

/** Seconds a client may take. */
const EXPECTED = 60;
const MOST = 50_000;

export class ExpectedClients {
  /** The oldest first, as in every `Map`. */
  readonly #passes = new Map<string, number>();
  readonly #handedOut = new Map<string, HandedOut>();

  /**
   * `id` is a name nobody can guess. Returns the pass: letters alone, because clients look for numbers in URLs
   * (docs/design/protocol.md, "URLs in gateway mode").
   */
  issue(id: string, now: number): string {
    const pass = lettersOf(id);
    forgetOld(this.#passes, now, (at) => at);
    this.#passes.set(pass, now);
    return pass;
  }

  /** A pass is good once. */
  redeem(pass: string, now: number): boolean {
    const at = this.#passes.get(pass);
    this.#passes.delete(pass);
    return at !== undefined && now - at < EXPECTED;
  }

  /** A client from this address was sent to the server. */
  sent({ bookingId, server }: { readonly bookingId: string; readonly server: ServerId }, address: string, now: number): void {
    forgetOld(this.#handedOut, now, ({ at }) => at);
    this.#handedOut.set(bookingId, { bookingId, server, address, at: now });
  }

  /** A client from this address comes to the server: the booking that was made for it, or `undefined` when it was not sent. */
  arrived(server: ServerId, address: string, now: number): string | undefined {
    forgetOld(this.#handedOut, now, ({ at }) => at);
    for (const expected of this.#handedOut.values()) {
      if (expected.server !== server || expected.address !== address) continue;
      this.#handedOut.delete(expected.bookingId);
      return expected.bookingId;
    }
    return undefined;
  }
}

function forgetOld<T>(expected: Map<string, T>, now: number, timeOf: (value: T) => number): void {
  for (const [key, value] of expected) {
    if (now - timeOf(value) < EXPECTED && expected.size < MOST) return;
    expected.delete(key);
  }
}

/** As hard to guess as before, or nearly. */
function lettersOf(id: string): string {
  return id.replace(/[^a-zA-Z]/g, (character) => LETTERS.charAt((character.codePointAt(0) ?? 0) % LETTERS.length));
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
