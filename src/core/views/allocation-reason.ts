/** Why a session went to its server, in a sentence for people who read decisions. */
import type { Admittance } from '../fleet/routing.ts';

export interface Allocation {
  /** As the operator wrote it. */
  readonly address: string;
  /** Percent, as last reported. */
  readonly load: number;
  /** Percent: reported load, booked load and the new session. */
  readonly predicted: number;
  /** What the server's rules say to the project and the labels. */
  readonly admittance: Admittance | undefined;
  /** Servers that come first for this project had no room. */
  readonly laterTier: boolean;
  /** It is suspected, and no other server had room. */
  readonly lastResort: boolean;
  /** Servers were left out that are kept for those who wait, whatever room they have. */
  readonly besideKept: boolean;
}

export function allocationReason(allocation: Allocation): string {
  const { address, load, predicted, besideKept } = allocation;
  const beside = besideKept ? ', apart from servers that are kept for those who wait' : '';
  return `${address} ${why(allocation)}${beside}: load ${percent(load)}, with this session ${percent(predicted)}.`;
}

function why({ admittance, laterTier, lastResort }: Allocation): string {
  if (lastResort) return 'is suspected of failing and was taken because no other server had room';
  if (admittance === 'dedicated') return 'had the most room of the servers for this repository';
  if (admittance === 'shared') return 'shares its idle time, had the most room of those that do, and no other server had any';
  return laterTier
    ? 'had the most room of the servers for everybody, and none of those for this repository had any'
    : 'had the most room';
}

function percent(load: number): string {
  return `${Math.round(load)} %`;
}
