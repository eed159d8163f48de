/** The accounts of the servers of the fleet, those of servers that left it and may return, and quick look-up of candidates. */
import { Account } from './account.ts';
import type { Choice } from './choice.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import type { Candidates } from '../fleet/candidates.ts';
import { inBlocks, type RowBlocks } from './row-blocks.ts';

/** One tier of candidates as the choice reads it: accounts and their rows, side by side. */
export interface Tier {
  readonly accounts: readonly Account[];
  readonly rows: RowBlocks;
}

interface Resolved {
  readonly epoch: number;
  readonly tiers: readonly Tier[];
}

const MAX_DEPARTED = 10_000;

export class Accounts {
  readonly #choice: Choice;
  readonly #forgotten: (account: Account) => void;
  readonly #present = new Map<ServerId, Account>();
  /** Those that left first come first. */
  readonly #departed = new Map<ServerId, Account>();
  readonly #resolved = new WeakMap<Candidates, Resolved>();
  /** Moves on when what was resolved may be wrong. */
  #epoch = 0;

  /** `forgotten` is called when the last that was kept of a server is dropped. */
  constructor(choice: Choice, forgotten: (account: Account) => void) {
    this.#choice = choice;
    this.#forgotten = forgotten;
  }

  /** Servers of the fleet. */
  get size(): number {
    return this.#present.size;
  }

  get(id: ServerId): Account | undefined {
    return this.#present.get(id);
  }

  /** Of the fleet or departed. */
  find(id: ServerId): Account | undefined {
    return this.#present.get(id) ?? this.#departed.get(id);
  }

  present(): Iterable<Account> {
    return this.#present.values();
  }

  *all(): Generator<Account> {
    yield* this.#departed.values();
    yield* this.#present.values();
  }

  /** The account of a server that is new, returns, or is there already. */
  join(id: ServerId, weight: number): Account {
    const known = this.#present.get(id);
    if (known !== undefined) return known;
    const account = this.#departed.get(id) ?? new Account(id, weight);
    this.#departed.delete(id);
    account.row = this.#choice.addRow();
    this.#present.set(id, account);
    this.#epoch += 1;
    return account;
  }

  leave(id: ServerId): Account | undefined {
    const account = this.#present.get(id);
    if (account === undefined) return undefined;
    this.#present.delete(id);
    this.#choice.removeRow(account.row);
    this.#epoch += 1;
    account.leave();
    this.keep(account);
    return account;
  }

  /** Keeps what is known of a server that is not in the fleet. */
  keep(account: Account): void {
    this.#departed.set(account.id, account);
    if (this.#departed.size <= MAX_DEPARTED) return;
    const [oldest] = this.#departed.values();
    if (oldest === undefined) return;
    this.#departed.delete(oldest.id);
    this.#forgotten(oldest);
  }

  /** Looked up once for each object: the caller passes the same one as long as the same servers may take a session. */
  resolve(candidates: Candidates): readonly Tier[] {
    const known = this.#resolved.get(candidates);
    if (known?.epoch === this.#epoch) return known.tiers;
    const tiers = candidates.tiers.map((ids): Tier => {
      const accounts = ids.map((id) => this.#present.get(id)).filter((account) => account !== undefined);
      const rows = new Int32Array(accounts.length);
      for (const [index, { row }] of accounts.entries()) rows[index] = row;
      return { accounts, rows: inBlocks(rows) };
    });
    this.#resolved.set(candidates, { epoch: this.#epoch, tiers });
    return tiers;
  }
}
