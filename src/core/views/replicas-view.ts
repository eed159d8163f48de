/** What the monitor and the API show of replicas. Times are seconds since the epoch, durations seconds. */

export interface ReplicaView {
  readonly name: string;
  readonly leads: boolean;
  readonly version: string;
  /** At which the others reach it. */
  readonly address: string | null;
  /** Since its last heartbeat; 0: it sent one lately. */
  readonly silentFor: number;
  /** Simulation servers that it polls; `null`: its version does not share polls. */
  readonly polls: number | null;
  /** That the store took to answer it last. */
  readonly storeLatency: number | null;
  /** By which the clock of its machine is ahead of that of the store; 0: by less than two seconds. */
  readonly clockDifference: number;
  /** Sections of the configuration in which it differs from the leader. */
  readonly differingSettings: readonly string[];
}

export interface ReplicasView {
  /** Name of the leader; `null`: none is known. */
  readonly leader: string | null;
  /** Grows with each leader. */
  readonly term: number;
  readonly store: SharedStoreView;
  readonly members: readonly ReplicaView[];
  /** Replicas that are missing. */
  readonly missing: readonly { readonly name: string; readonly since: number }[];
}

export interface SharedStoreView {
  readonly answers: boolean;
  /** Name and version of the program; `null`: not known yet. */
  readonly program: string | null;
  /** That it took to answer last. */
  readonly latency: number | null;
  /** Heartbeats that it did not answer since the start of this replica. */
  readonly failures: number;
  /** What is wrong with it, a sentence each. */
  readonly problems: readonly string[];
}
