/** The small documents that survive a restart: how each is written down, and how it is taken up again. */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { RegisteredServers } from '../discovery/registered.ts';
import type { Clock, StateStore } from '../ports.ts';
import type { Admission } from '../engine/admission.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { Document } from '../engine/state-saver.ts';

export interface StateDocument extends Document {
  /** Plain JSON of any kind, as it was read. What is foreign is set aside. */
  readonly restore: (saved: unknown) => { readonly kind: 'restored' } | { readonly kind: 'foreign'; readonly reason: string };
}

export interface StateDocuments {
  /** They do not need each other, and are taken up whenever they come. */
  readonly independent: readonly StateDocument[];
  /** For when all servers are known, or whoever waits for one that is not would be refused. */
  readonly waitingLine: StateDocument;
}

interface Owners {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly decisions: Decisions;
  readonly registered: RegisteredServers;
  readonly admission: Admission;
}

export function stateDocuments({ clock, ledger, decisions, registered, admission }: Owners): StateDocuments {
  return {
    independent: [
      {
        name: 'learned',
        version: () => ledger.revision,
        save: () => ledger.save(clock.now(), clock.wallTime()),
        restore: (saved) => ledger.restore(saved, clock.now(), clock.wallTime()),
      },
      {
        name: 'decisions',
        version: () => decisions.revision,
        save: () => decisions.save(clock.now(), clock.wallTime()),
        restore: (saved) => decisions.restore(saved, clock.now(), clock.wallTime()),
      },
      {
        name: 'registered-servers',
        // The original announces itself once.
        urgent: true,
        version: () => registered.version,
        save: () => registered.save(),
        restore: (saved) => registered.restore(saved),
      },
    ],
    waitingLine: {
      name: 'waiting-line',
      version: () => admission.version,
      save: () => admission.save(),
      restore: (saved) => admission.restore(saved),
    },
  };
}

/** Reads a document and takes it up, unless it is not `wanted` any more by then. */
export async function takeUp(store: StateStore, { name, restore }: StateDocument, wanted: () => boolean = always): Promise<void> {
  const saved = await store.read(name);
  if (saved === undefined || !wanted()) return;
  const restored = restore(saved);
  if (restored.kind === 'foreign') await store.setAside(name, restored.reason);
}

function always(): boolean {
  return true;
}
