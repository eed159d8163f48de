/**
 * File descriptors: each client and each simulation server needs one, and a process without free ones can neither answer
 * nor poll. The limit is read at start and divided, so that too many clients are turned away with a response and never
 * starve the polls.
 */
export interface DescriptorBudget {
  /** The limit of this process; `undefined` when it is not known. */
  readonly limit: number | undefined;
  readonly clients: number;
  readonly polls: number;
}

/** Maximum connections of a load agent in the same process: one session server polls it, and sometimes a person. */
export const AGENT_CONNECTIONS = 32;
/** Log, state files, notifications, the listening sockets, the event loop's own; and the agent, even if it is not used. */
const RESERVE = 64 + AGENT_CONNECTIONS;
const MIN_CLIENTS = 16;

/** `servers`: polled simulation servers. `wanted`: the configured maximum of clients. */
export function budgetDescriptors(limit: number | undefined, servers: number, wanted: number): DescriptorBudget {
  if (limit === undefined) return { limit, clients: wanted, polls: servers };
  return { limit, clients: Math.min(wanted, Math.max(MIN_CLIENTS, limit - RESERVE - servers)), polls: servers };
}

/** A warning when there are too few descriptors for so many simulation servers; `undefined`: there are enough. */
export function lackOfDescriptors(limit: number | undefined, servers: number): string | undefined {
  const needed = RESERVE + servers + MIN_CLIENTS;
  if (limit === undefined || limit >= needed) return undefined;
  return `this process may open ${limit} files and connections, but ${servers} simulation servers need ${needed}, so some will seem to be down; raise the limit (ulimit -n, LimitNOFILE=)`;
}

/** `wanted`: the configured maximum of relays. Each needs a descriptor besides that of its client, so they get at most half of what is left. */
export function budgetRelays(limit: number | undefined, servers: number, wanted: number): number {
  if (limit === undefined) return wanted;
  return Math.min(wanted, Math.max(MIN_CLIENTS, Math.floor((limit - RESERVE - servers) / 2)));
}

/** Maximum number of open file descriptors of this process, or `undefined` where Node does not know it. Node raises the soft limit to the hard one at its start. */
export function readDescriptorLimit(): number | undefined {
  // Otherwise the report looks up the names of all network interfaces, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(soft) && soft > 0 ? soft : undefined;
}
