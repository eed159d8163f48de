/**
 * Polls simulation servers behind our own gateway at their inner address. By their public address the request would come back to our own port, and fail
 * at the certificate, or at a router that cannot send it back inside, although the server works.
 */
import type { Endpoint } from '../core/fleet/endpoint.ts';
import type { Probe } from '../ports.ts';

export interface RoutedProbeOptions {
  /** By the public address. */
  readonly outside: Probe;
  /** By plain HTTP inside the gateway's routes. */
  readonly inside: Probe;
  /** The inner address of a server; `undefined`: it is not behind the gateway. */
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
    async recheckNames() {
      await Promise.all([outside.recheckNames(), inside.recheckNames()]);
    },
    async close() {
      await Promise.all([outside.close(), inside.close()]);
    },
  };
}
