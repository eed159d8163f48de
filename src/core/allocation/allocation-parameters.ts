/** What an operator may change about the allocation; the configuration's section `allocation` together with `loadThreshold`. */
export interface AllocationParameters {
  /** Percent. A report at or above it closes the server. */
  readonly threshold: number;
  /** Percent. No session is handed out that would take the predicted load of its server to this. */
  readonly target: number;
  /** Load points of a session before anything was learned. */
  readonly cost: number;
  /** Seconds after the allocation between which a booking fades, because reports show the session. */
  readonly settle: readonly [number, number];
  /** The same for learning costs; longer, so that slow starts are credited. */
  readonly learnSettle: readonly [number, number];
  /** Seconds of a typical session: how fast load leaves by itself. */
  readonly sessionLength: number;
  /** Seconds. The highest report of this time decides whether a session fits. */
  readonly recent: number;
  /** Load points added to a server that missed a probe. */
  readonly doubt: number;
  /** Missed probes in a row that close a server. */
  readonly closedAfter: number;
  /** Load points that should be visible on a server that still looks idle before it is suspected. `Infinity`: never. */
  readonly suspectAfter: number;
  /** Seconds between two sessions that a suspected server gets to prove itself. */
  readonly trial: number;
  readonly learning: boolean;
  /**
   * What is uncertain about a cost is held against it where it is about room: this share of one standard deviation. Sessions of which nothing is known are
   * counted 9% higher so, known ones 2 to 3%.
   */
  readonly margin: number;
  /** Load points of chance in the choice. */
  readonly jitter: number;
}

/** docs/design/allocation.md, "The algorithm". */
export const DEFAULT_ALLOCATION: AllocationParameters = {
  threshold: 95,
  target: 90,
  cost: 8,
  settle: [10, 60],
  learnSettle: [5, 120],
  sessionLength: 1500,
  recent: 15,
  doubt: 10,
  closedAfter: 2,
  suspectAfter: 25,
  trial: 600,
  learning: true,
  margin: 0.1,
  jitter: 0,
};
