/** What the monitor shows of replicas. Numbers that always change are coarse, so that a page is not sent news every second. */
import { SILENT } from '../../core/replicas/election.ts';
import type { SeenMember } from '../../core/replicas/member.ts';
import type { Troubles } from '../../core/replicas/troubles.ts';
import type { ReplicasView, ReplicaView } from '../../core/views/replicas-view.ts';
import type { StoreFacts } from '../../ports.ts';
import type { Replication } from './heartbeats.ts';

/** Seconds of difference between clocks that do not matter. */
const CLOCK = 2;
/** Share of its memory that a store should not use. */
const FULL = 0.9;

export function replicasView(replication: Replication, facts: StoreFacts | undefined, { replicas }: Troubles): ReplicasView {
  const { leader, term, reachesStore, roundTrip, failures, failure, members } = replication;
  const problems = [...(failure === undefined ? [] : [failure]), ...(facts === undefined ? [] : storeProblems(facts))];
  return {
    ...{ leader: leader?.name ?? null, term },
    store: {
      ...{ answers: reachesStore, failures, problems },
      program: facts?.version ?? null,
      latency: milliseconds(roundTrip),
    },
    members: members.map((member) => memberView(member, replication)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    missing: Object.entries(replicas).flatMap(([name, { since, isReported }]) => (isReported ? [{ name, since }] : [])),
  };
}

/** What an operator should change, a sentence each. */
export function storeProblems({ evictionPolicy, memory, maxMemory, takesWrites }: StoreFacts): readonly string[] {
  return [
    ...(takesWrites ? [] : ['It is a copy of another store, and takes no writes.']),
    ...(evictionPolicy === 'noeviction' || maxMemory === 0
      ? []
      : [`It drops keys when its memory is full (maxmemory-policy ${evictionPolicy}): use noeviction.`]),
    ...(maxMemory > 0 && memory > FULL * maxMemory ? ['Its memory is almost full: raise its maxmemory.'] : []),
  ];
}

function memberView(member: SeenMember, { leader, differing }: Replication): ReplicaView {
  const { id, name, version, address = null, age, latency, clock = 0, polls = null } = member;
  return {
    ...{ name, version, address, leads: id === leader?.id },
    polls: age < SILENT ? polls : 0,
    silentFor: age < SILENT ? 0 : Math.floor(age),
    storeLatency: milliseconds(latency),
    clockDifference: Math.abs(clock) < CLOCK ? 0 : Math.round(clock),
    differingSettings: differing.get(id) ?? [],
  };
}

function milliseconds(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1000) / 1000;
}
