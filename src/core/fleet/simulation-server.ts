import type { Endpoint } from './endpoint.ts';
import type { RoutingRules } from './routing.ts';

/** A simulation server as the operator, or the server itself, describes it. */
export interface SimulationServer extends RoutingRules {
  readonly endpoint: Endpoint;
  /** Rough power compared to the others; 1 is usual. */
  readonly weight: number;
  /** Most sessions handed out within the time a session is expected to last. */
  readonly maxSessions?: number;
}
