/** Metrics of the gateway. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface GatewayCounts {
  readonly relays: () => Readonly<Record<'requests' | 'webSockets' | 'waiting' | 'sessions', number>>;
  readonly outcomes: () => readonly (readonly [outcome: string, count: number])[];
  /** Seconds since the epoch. */
  readonly expiresAt: () => number | undefined;
}

export function createGatewayMetrics(registry: Registry, { relays, outcomes, expiresAt }: GatewayCounts): void {
  new Gauge({
    name: 'session_server_gateway_relays',
    help: 'Connections the gateway relays now: requests, WebSockets, waiting clients, sessions.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(relays())) this.set({ kind }, count);
    },
  });
  new Counter({
    name: 'session_server_gateway_outcomes_total',
    help: 'Relayed requests and clients of the gateway, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of outcomes()) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: 'session_server_certificate_expiry_time_seconds',
    help: 'When the certificate of the gateway expires; absent while there is none.',
    registers: [registry],
    collect() {
      const at = expiresAt();
      if (at === undefined) this.reset();
      else this.set(at);
    },
  });
}
