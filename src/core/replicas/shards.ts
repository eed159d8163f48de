/**
 * Which replica polls which simulation server. Every replica computes it from the same members, without a message: the replica whose weight for a server is
 * highest polls it (rendezvous hashing). When a replica comes or goes, only the servers move that it gets or had.
 */
import { SILENT } from './election.ts';
import { differingSections, type Digests, type SeenMember } from './member.ts';

/** Settings by which a poll of the same server would be another one. Intervals and limits of a probe are those of the leader. */
const SECTIONS = ['gateway', 'hosts', 'registration'];

export interface PollingMembers {
  readonly members: readonly SeenMember[];
  /** Id of the replica that leads. Absent: none is known. */
  readonly leader: string | undefined;
  /** Settings of the leader, or of the last one. */
  readonly inForce: Digests | undefined;
}

/** Ids of the replicas that poll now, in order. None: the leader is of a version that polls alone. */
export function pollersOf({ members, leader, inForce = {} }: PollingMembers): readonly string[] {
  const polls = ({ age, polls, settings }: SeenMember) =>
    polls !== undefined && age < SILENT && !differingSections(settings, inForce).some((section) => SECTIONS.includes(section));
  const leads = members.find(({ id }) => id === leader);
  if (leads !== undefined && !polls(leads)) return [];
  return [...new Set(members.filter(polls).map(({ id }) => id))].sort();
}

/** The replica that polls a server. `undefined`: there are no replicas. */
export type Shards = (server: string) => string | undefined;

export function shardsOf(replicas: readonly string[]): Shards {
  const hashed = replicas.map((replica) => [replica, hashOf(replica)] as const);
  return (server) => {
    const own = hashOf(server);
    let [owner, highest]: [string | undefined, number] = [undefined, -1];
    for (const [replica, hash] of hashed) {
      const weight = mixed(own ^ hash);
      if (weight > highest) [owner, highest] = [replica, weight];
    }
    return owner;
  };
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** Every bit of the input changes half of the bits of the result (the end of MurmurHash3). */
function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
