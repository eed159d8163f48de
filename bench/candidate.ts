/**
 * The ledger that ships, in the form the allocation simulator takes: `create(ctx)`, called by its `--with FILE`. Parameters other than the defaults
 * are taken from the environment variable `ALLOCATION_PARAMETERS` (JSON), for the goals that ask what wrong ones cost.
 */
import { DEFAULT_ALLOCATION, type AllocationParameters } from '../src/core/allocation/allocation-parameters.ts';
import type { Candidates } from '../src/core/fleet/candidates.ts';
import { Ledger } from '../src/core/allocation/ledger.ts';

/** What the simulator hands to a policy. */
interface Context {
  /** Simulation servers; they are numbers from 0. */
  readonly n: number;
  readonly rng: { next(): number };
  /** Percent. */
  readonly threshold: number;
  /** The policy is notified which sessions begin and end. */
  readonly counted?: boolean;
}

interface Request {
  readonly id: number;
  readonly project: string;
  readonly address: string;
}

interface Policy {
  readonly name: string;
  onReport(server: number, load: number, measuredAt: number, now: number): void;
  onPollFailed(server: number, now: number): void;
  pick(now: number, request: Request): number;
  onAssign(server: number, now: number, request: Request): void;
  onConnect(server: number, now: number, request: Request): void;
  onLeave(server: number, now: number, request: Request): void;
}

interface Changes extends Partial<AllocationParameters> {
  /** `false`: the clients do not say what they want to run. */
  readonly projectHints?: boolean;
}

export function create({ n, rng, threshold, counted = false }: Context): Policy {
  const { projectHints = true, ...changes } = JSON.parse(process.env['ALLOCATION_PARAMETERS'] ?? '{}') as Changes;
  const ledger = new Ledger({ ...DEFAULT_ALLOCATION, threshold, ...changes }, () => rng.next());
  const numbers = new Map<string, number>();
  for (let server = 0; server < n; server++) numbers.set(`server-${server}`, server);
  const ids = [...numbers.keys()];
  for (const id of ids) ledger.add(id, { countsSessions: counted });
  /** By the client's id. */
  const bookings = new Map<number, string>();
  const candidates: Candidates = { tiers: [ids] };
  const name = (server: number): string => ids[server] ?? '';

  return {
    name: 'candidate',
    onReport: (server, load, measuredAt, now) => ledger.report(name(server), load, measuredAt, now),
    onPollFailed: (server, now) => ledger.miss(name(server), now),
    pick(now, { id, project, address }) {
      const outcome = ledger.book({ id: `${id}`, address, ...(projectHints && { project }) }, candidates, now);
      if (outcome.kind !== 'booked') return -1;
      if (counted) bookings.set(id, outcome.bookingId);
      return numbers.get(outcome.server) ?? -1;
    },
    // The simulator assigns whatever was picked, at once; the ledger has booked it already.
    onAssign() {},
    onConnect(_server, now, { id }) {
      ledger.connected(bookings.get(id) ?? '', now);
    },
    onLeave(_server, now, { id }) {
      ledger.release(bookings.get(id) ?? '', now);
    },
  };
}
