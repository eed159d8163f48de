import type { Endpoint } from './endpoint.ts';
import type { RoutingRules } from './routing.ts';

/** A simulation server as the operator, or the server itself, describes it. */
export interface SimulationServer extends RoutingRules {
  readonly endpoint: Endpoint;
  /** Rough power compared to the other servers; 1 is usual. */
  readonly weight: number;
  /** Maximum number of sessions handed out within the expected length of a session. */
  readonly maxSessions?: number;
}

/** An entry of `simulationServers` that was read: a server, or why it is not one. */
export type ReadServer =
  { readonly kind: 'server'; readonly server: SimulationServer } | { readonly kind: 'refused'; readonly reason: string };
