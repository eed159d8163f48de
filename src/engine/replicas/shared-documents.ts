/**
 * The small documents of a leader, in the shared store. They are written to its own disk as well: a fleet that had one session server brings its state
 * along, and it is the last resort when all replicas and the store were lost.
 */
import { documentKey } from '../../core/replicas/shared-state.ts';
import type { Clock, StateStore } from '../../ports.ts';
import type { Journal } from './journal.ts';
import type { SharedAdmission } from './shared-admission.ts';

export interface SharedDocumentsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly journal: Journal;
  readonly admission: SharedAdmission;
  /** That of the own disk. */
  readonly disk: StateStore;
  /** Nothing was shared when this replica began to lead. */
  readonly isFirst: boolean;
}

/** Seconds that a write takes at most. */
const PATIENCE = 1;
/** Documents that are shared ticket by ticket and booking by booking. */
export const LINE = 'waiting-line';
export const BOOKINGS = 'bookings';
export const OUTCOMES = 'outcomes';
const LEARNED = 'learned';

export function createSharedDocuments({ clock, journal, admission, disk, isFirst }: SharedDocumentsOptions): StateStore {
  return {
    async read(name) {
      if (isFirst) {
        const value = await disk.read(name);
        if (value !== undefined && name !== LINE) journal.set(documentKey(name), value);
        return value;
      }
      if (name === LINE) return admission.savedLine();
      if (name === BOOKINGS) return admission.savedBookings();
      if (name === OUTCOMES) return admission.savedOutcomes();
      return journal.get(documentKey(name));
    },
    async write(name, value) {
      if (journal.isEnded) return;
      if (name !== LINE) journal.set(documentKey(name), value);
      if (name === LEARNED) admission.bookingsSaved();
      await Promise.all([inTime(journal.committed(), clock), disk.write(name, value)]);
    },
    setAside(name, reason) {
      journal.remove(documentKey(name));
      return disk.setAside(name, reason);
    },
  };
}

async function inTime(committed: Promise<void>, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const timer = new AbortController();
  const late = clock.sleep(PATIENCE, timer.signal).then(() => 'late' as const);
  const first = await Promise.race([committed, late]);
  timer.abort();
  if (first !== 'late') return;
  const message = 'the shared store did not take a document; it is committed when the store answers again';
  throw Object.assign(new Error(message), { code: 'store-unreachable' });
}
