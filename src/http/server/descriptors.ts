/**
 * File descriptors: each client and each simulation server needs one, and a process that runs out of them can neither answer nor poll. The limit is read
 * at start and divided, so that too many clients are turned away with an answer and never starve the polls.
 */
export interface DescriptorBudget {
  /** The limit of this process; `undefined` when the machine does not tell. */
  readonly limit: number | undefined;
  readonly clients: number;
  readonly polls: number;
}

/** Most connections of a load agent in the same process: it is asked by one session server, and now and then by a person. */
export const AGENT_CONNECTIONS = 32;
/** Log, state files, notifications, the listening sockets, the event loop's own; and the agent, whether or not there is one. */
const RESERVE = 64 + AGENT_CONNECTIONS;
const MIN_CLIENTS = 16;

/** `servers`: simulation servers polled. `wanted`: most clients by configuration. */
export function budgetDescriptors(limit: number | undefined, servers: number, wanted: number): DescriptorBudget {
  if (limit === undefined) return { limit, clients: wanted, polls: servers };
  return { limit, clients: Math.min(wanted, Math.max(MIN_CLIENTS, limit - RESERVE - servers)), polls: servers };
}

/** Why there are too few for so many simulation servers, as a sentence; `undefined`: there are enough. */
export function lackOfDescriptors(limit: number | undefined, servers: number): string | undefined {
  const needed = RESERVE + servers + MIN_CLIENTS;
  if (limit === undefined || limit >= needed) return undefined;
  return `this process may open ${limit} files and connections, and ${servers} simulation servers need ${needed}: some will seem to be down; raise the limit (ulimit -n, LimitNOFILE=)`;
}

/** `wanted`: most relays by configuration. Each takes a descriptor besides that of its client, so that they get half of what is left at most. */
export function budgetRelays(limit: number | undefined, servers: number, wanted: number): number {
  if (limit === undefined) return wanted;
  return Math.min(wanted, Math.max(MIN_CLIENTS, Math.floor((limit - RESERVE - servers) / 2)));
}

/** Most open file descriptors of this process, or `undefined` where Node cannot tell. Node raises the soft limit to the hard one at its start. */
export function readDescriptorLimit(): number | undefined {
  // Without this the report looks up the names of all network interfaces, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(soft) && soft > 0 ? soft : undefined;
}
