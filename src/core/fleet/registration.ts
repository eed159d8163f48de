/**
 * Simulation servers that join by themselves: what they may say, which addresses may be theirs, and when they leave.
 *
 * A server leaves for a reason that lasts: it went silent for several heartbeats, or it was down for a long time. One failed probe or one lost heartbeat only
 * makes it a server that is not offered at the moment, which is the business of the fleet.
 */
import { addressKind } from './ip-address.ts';

/**
 * What a simulation server says of itself, in the words of the original's form
 * (docs/design/protocol.md, "Simulation servers").
 */
export interface NotifyForm {
  readonly url: string;
  /** Percent. */
  readonly shareIdleTime?: string;
  /** Prefixes, separated by commas. */
  readonly allowedRepositories?: string;
}

export type FormResult =
  | { readonly kind: 'entry'; readonly entry: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly reason: string };

export interface AddressRules {
  readonly allowPrivate: boolean;
  readonly allowLoopback: boolean;
}

export interface LeavingRules {
  /** Seconds. */
  readonly heartbeat: number;
  readonly missedHeartbeats: number;
  /** Seconds. */
  readonly forgetAfter: number;
}

/** All times are seconds of the engine's clock. */
export interface Presence {
  /** It promised to say again and again that it is there. */
  readonly heartbeats: boolean;
  /** When it last said so. */
  readonly heardAt: number;
  /** Since when it is down, if it is. */
  readonly downSince?: number;
  /** Until when nothing proved that servers can be reached: the fault is then more likely our own network than all of them. */
  readonly deafUntil?: number;
}

/** What may stand in `simulationServers`, from the form. Ranges and repositories are checked there. */
export function entryOfForm({ url, shareIdleTime = '', allowedRepositories = '' }: NotifyForm): FormResult {
  const address = addressOfUrl(url);
  if (address === undefined)
    return { kind: 'refused', reason: 'url must be the address of the simulation server, such as https://host/2000' };
  const share = shareIdleTime.trim();
  if (share !== '' && !/^[0-9]{1,3}(?:\.[0-9]{1,6})?$/.test(share))
    return { kind: 'refused', reason: 'shareIdleTime must be a percentage from 0 to 100' };
  const repositories = allowedRepositories
    .split(',')
    .map((prefix) => prefix.trim())
    .filter((prefix) => prefix !== '');
  return {
    kind: 'entry',
    entry: {
      address,
      ...(share !== '' && { shareIdleTime: Number(share) }),
      // The original sends an empty text when everything is allowed.
      ...(repositories.length > 0 && { allowedRepositories: repositories }),
    },
  };
}

/** `https://host/2000` → `host/2000`: which scheme is used is decided by the configuration of the session server. */
export function addressOfUrl(url: string): string | undefined {
  const { address } = /^(?:(?:https?|wss?):\/\/)?(?<address>[^/\s]+(?:\/[0-9]{1,5})?)\/?$/i.exec(url.trim())?.groups ?? {};
  return address;
}

/** Why this IP address may not be a registered server's, or `undefined` when it may. */
export function refuseAddress(ip: string, { allowPrivate, allowLoopback }: AddressRules): string | undefined {
  const kind = addressKind(ip);
  switch (kind) {
    case 'public':
      return undefined;
    case 'private':
      return allowPrivate ? undefined : `${ip} belongs to a private network, and registration.allowPrivate is false`;
    case 'loopback':
    case 'link-local':
      return allowLoopback ? undefined : `${ip} is a ${kind} address, and registration.allowLoopback is false`;
    case 'unspecified':
    case 'multicast':
    case 'reserved':
      return `${ip} is no address of a machine (${kind})`;
    case undefined:
      return `${ip} is no IP address`;
  }
}

/** Why a server at this host may not register, by what the host itself tells: an address in figures. Where a name leads is known when it is looked up. */
export function refuseFigures(host: string, rules: AddressRules): string | undefined {
  return addressKind(host) === undefined ? undefined : refuseAddress(host, rules);
}

/** Why it is time for a registered server to leave, in words for the log, or `undefined` when it stays. */
export function reasonToLeave(presence: Presence, now: number, rules: LeavingRules): string | undefined {
  const { heartbeats, heardAt, downSince, deafUntil = -Infinity } = presence;
  if (heartbeats && now - heardAt >= silence(rules))
    return `it has not registered again for ${rules.missedHeartbeats} heartbeats`;
  if (downSince !== undefined && now - Math.max(downSince, deafUntil) >= rules.forgetAfter)
    return `it was down for ${rules.forgetAfter} s`;
  return undefined;
}

/**
 * Whether some server proves that others can be reached. What runs on this machine answers whatever becomes of the network, so it proves nothing while
 * there are servers elsewhere.
 */
export function isNetworkProved(fleet: Iterable<{ readonly host: string; readonly heard: boolean }>): boolean {
  let hasOthers = false;
  let heardHere = false;
  for (const { host, heard } of fleet) {
    const here = host === 'localhost' || addressKind(host) === 'loopback';
    if (heard && !here) return true;
    if (!here) hasOthers = true;
    else if (heard) heardHere = true;
  }
  return heardHere && !hasOthers;
}

/** Seconds until a server that announced itself is asked again whether it is one; `tries` failed so far. The first time is soon, but not at once: the original waits for our answer before it serves anybody. */
export function nextCheck(tries: number): number {
  return tries === 0 ? FIRST_CHECK : Math.min(MAX_PAUSE, 2 ** Math.min(tries, 10));
}

/** A check that never succeeds is given up after this, in seconds. */
export function giveUpAfter({ forgetAfter }: LeavingRules): number {
  return Math.min(forgetAfter, MAX_CHECKING);
}

const FIRST_CHECK = 0.5;
const MAX_PAUSE = 30;
const MAX_CHECKING = 900;

function silence({ heartbeat, missedHeartbeats }: LeavingRules): number {
  return heartbeat * missedHeartbeats;
}
