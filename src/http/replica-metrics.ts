/** The metrics of replicas. Followers export these alone, the leader beside all others. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { SILENT } from '../core/replicas/election.ts';
import type { Replication } from '../engine/replicas/heartbeats.ts';

export function addReplicaMetrics(registry: Registry, replication: () => Replication): void {
  const gauge = (name: string, help: string, read: (state: Replication) => number | undefined) =>
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        const value = read(replication());
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  const counter = (name: string, help: string, read: (state: Replication) => number) =>
    new Counter({
      ...{ name, help, registers: [registry] },
      collect() {
        this.reset();
        this.inc(read(replication()));
      },
    });
  gauge('session_server_replica_leads', 'Whether this replica leads: 1 or 0.', ({ leads }) => Number(leads));
  gauge(
    'session_server_replica_members',
    'Replicas that sent a heartbeat in the last three seconds.',
    ({ members }) => members.filter(({ age }) => age < SILENT).length,
  );
  gauge('session_server_replica_term', 'Number of the present term; it grows with each leader.', ({ term }) => term);
  gauge(
    'session_server_replica_settings_differ',
    'Replicas whose settings differ from those of the leader.',
    ({ differing }) => differing.size,
  );
  gauge('session_server_replica_polls', 'Simulation servers that this replica polls.', ({ polls }) => polls);
  gauge('session_server_store_up', 'Whether the shared store answers this replica: 1 or 0.', ({ reachesStore }) =>
    Number(reachesStore),
  );
  gauge('session_server_store_latency_seconds', 'Time that the shared store took to answer last.', ({ roundTrip }) => roundTrip);
  counter('session_server_store_failures_total', 'Heartbeats that the shared store did not answer.', ({ failures }) => failures);
  counter('session_server_replica_takeovers_total', 'How often this replica began to lead.', ({ takeovers }) => takeovers);
}
