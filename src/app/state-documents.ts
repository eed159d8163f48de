/** The small documents that survive a restart: how each is saved, and how it is restored. */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { RegisteredServers } from '../discovery/registered.ts';
import type { Timeline } from '../core/history/timeline.ts';
import type { Clock, StateStore } from '../ports.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { MaintenancePlan } from '../engine/maintenance.ts';
import { NOTIFICATIONS, type Notifying } from '../engine/notifying.ts';
import type { OperatorActions } from '../engine/operator-actions.ts';
import type { QueueService } from '../engine/queue-service.ts';
import type { Reservations } from '../engine/reservations.ts';
import type { Document } from '../engine/state-saver.ts';
import { restoreBookings } from '../engine/replicas/restored-bookings.ts';
import { BOOKINGS, OUTCOMES } from '../engine/replicas/shared-documents.ts';
import type { Restored } from '../state/document.ts';
import type { Leading } from './adapters.ts';
import { readTimeline, saveTimeline } from '../state/timeline.ts';

export interface SavedDocument {
  readonly name: string;
  /** `saved` is JSON of any shape; never called when nothing is saved. A foreign document is set aside. */
  readonly restore: (saved: unknown) => Restored;
}

export interface StateDocuments {
  /** In the order in which they are restored. */
  readonly restored: readonly SavedDocument[];
  /** Those that the state saver writes; the others are written by their owners. */
  readonly saved: readonly Document[];
}

interface Owners {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly decisions: Decisions;
  readonly registered: RegisteredServers;
  readonly queue: QueueService;
  readonly reservations: Reservations;
  readonly maintenance: MaintenancePlan;
  readonly timeline: Timeline;
  readonly notifying: Notifying;
  readonly operatorActions: OperatorActions;
  readonly leading?: Leading;
}

export function stateDocuments(owners: Owners): StateDocuments {
  const { notifying, operatorActions } = owners;
  const documents = savedDocuments(owners);
  const notifications = { name: NOTIFICATIONS, restore: (saved: unknown) => notifying.restore(saved) };
  return {
    restored: [
      notifications,
      ...operatorActions.documents,
      ...documents,
      ...(owners.leading === undefined ? [] : sharedDocuments(owners)),
    ],
    saved: [...documents, ...operatorActions.documents],
  };
}

/** Seconds between two saves of the timeline, which always grows. */
const TIMELINE_INTERVAL = 60;

/** What replicas share in pieces. Restored last, when the learned costs and the waiting line are there. */
function sharedDocuments({ clock, ledger, queue }: Owners): readonly SavedDocument[] {
  return [
    { name: BOOKINGS, restore: (saved) => restoreBookings(saved, { ledger, clock }) },
    { name: OUTCOMES, restore: (saved) => queue.restoreOutcomes(saved) },
  ];
}

function savedDocuments({
  clock,
  ledger,
  decisions,
  registered,
  queue,
  reservations,
  maintenance,
  timeline,
}: Owners): readonly (Document & SavedDocument)[] {
  return [
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
      // A simulation server of the original announces itself only once.
      urgent: true,
      version: () => registered.version,
      save: () => registered.save(),
      restore: (saved) => registered.restore(saved),
    },
    {
      // After the learned costs, which have the bookings of the seats.
      name: 'reservations',
      urgent: true,
      version: () => reservations.version,
      save: () => reservations.save(),
      restore: (saved) => reservations.restore(saved),
    },
    {
      name: 'maintenance',
      urgent: true,
      version: () => maintenance.version,
      save: () => maintenance.save(),
      restore: (saved) => maintenance.restore(saved),
    },
    {
      // When all servers are known: what is recorded of others is forgotten.
      name: 'timeline',
      version: () => Math.floor(clock.now() / TIMELINE_INTERVAL),
      save: () => saveTimeline(timeline),
      restore(saved) {
        const read = readTimeline(saved);
        if (read.kind === 'foreign') return read;
        timeline.restore(read.runs, read.servers);
        return { kind: 'restored' };
      },
    },
    {
      // Last, when all servers are known: tickets for unknown servers would be refused.
      name: 'waiting-line',
      version: () => queue.version,
      save: () => queue.save(),
      restore: (saved) => queue.restore(saved),
    },
  ];
}

/** The saved documents by name, as they were read. */
export type ReadDocuments = ReadonlyMap<SavedDocument, unknown>;

export async function readDocuments(store: StateStore, documents: readonly SavedDocument[]): Promise<ReadDocuments> {
  const read = documents.map(async (document) => [document, await store.read(document.name)] as const);
  return new Map(await Promise.all(read));
}

export async function restoreDocuments(store: StateStore, read: ReadDocuments): Promise<void> {
  for (const [{ name, restore }, saved] of read) {
    const restored = saved === undefined ? undefined : restore(saved);
    if (restored?.kind === 'foreign') await store.setAside(name, restored.reason);
  }
}
