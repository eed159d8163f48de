/** Why a session went to its server, in one sentence for the list of decisions. */
import type { Admittance } from '../fleet/routing.ts';

export interface Allocation {
  /** As the operator wrote it. */
  readonly address: string;
  /** Percent, as last reported. */
  readonly load: number;
  /** Percent: reported load, booked load and the new session. */
  readonly predicted: number;
  /** Whether the server's rules admit the project and the labels. */
  readonly admittance: Admittance | undefined;
  /** Servers that come first for this project had no room. */
  readonly laterTier: boolean;
  /** It is suspected, and no other server had room. */
  readonly lastResort: boolean;
  /** Servers that are reserved for waiting clients were left out, whatever room they have. */
  readonly besideReserved: boolean;
  /** It has a reserved seat. */
  readonly ofClass: boolean;
}

export function allocationReason(allocation: Allocation): string {
  const { address, load, predicted, besideReserved, ofClass } = allocation;
  const seat = ofClass ? ' It has a seat that is reserved for a class.' : '';
  const beside = besideReserved ? ', apart from servers reserved for clients already waiting' : '';
  return `${address} ${why(allocation)}${beside}: load ${percent(load)}, with this session ${percent(predicted)}.${seat}`;
}

function why({ admittance, laterTier, lastResort }: Allocation): string {
  if (lastResort) return 'is suspected of failing and was taken because no other server had room';
  if (admittance === 'dedicated') return 'had the most room of the servers dedicated to this repository';
  if (admittance === 'shared') return 'had the most room of the servers that share idle time; no other server had room';
  return laterTier
    ? 'had the most room of the servers open to all projects; none of those dedicated to this repository had room'
    : 'had the most room';
}

function percent(load: number): string {
  return `${Math.round(load)}%`;
}
