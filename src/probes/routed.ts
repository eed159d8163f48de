/**
 * Asks simulation servers that are behind our own gateway where they really are. By their public address the question would leave by the name service, come
 * back to our own port, and fail with the certificate or with a router that does not lead back inside, although the server is well.
 */
import type { Endpoint } from '../core/fleet/endpoint.ts';
import type { Probe } from '../ports.ts';

export interface RoutedProbeOptions {
  /** By the public address. */
  readonly outside: Probe;
  /** By plain HTTP inside the gateway's routes. */
  readonly inside: Probe;
  /** Where a server is inside; `undefined`: it is not behind the gateway. */
  readonly locate: (endpoint: Endpoint) => Endpoint | undefined;
}

export function createRoutedProbe({ outside, inside, locate }: RoutedProbeOptions): Probe {
  return {
    probe(endpoint) {
      const located = locate(endpoint);
      return located === undefined ? outside.probe(endpoint) : inside.probe(located);
    },
    forget(id) {
      outside.forget(id);
      inside.forget(id);
    },
    async close() {
      await Promise.all([outside.close(), inside.close()]);
    },
  };
}
