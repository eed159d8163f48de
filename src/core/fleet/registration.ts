/**
 * Simulation servers that register themselves: what they may send, which addresses they may have, and when they are removed.
 *
 * A server is removed only for a lasting reason: it missed several heartbeats, or it was down for a long time. After one failed probe or one lost
 * heartbeat it is only not offered, which the fleet decides.
 */
import { addressKind } from './ip-address.ts';

/** What a simulation server reports about itself, in the form of the original (docs/design/protocol.md, "Simulation servers"). */
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

export interface RemovalRules {
  /** Seconds. */
  readonly heartbeat: number;
  readonly missedHeartbeats: number;
  /** Seconds. */
  readonly forgetAfter: number;
}

/** All times are seconds of the engine's clock. */
export interface Presence {
  /** It promised to register again regularly. */
  readonly heartbeats: boolean;
  /** When it last registered. */
  readonly lastSeenAt: number;
  /** Since when it has been down; absent: it is not. */
  readonly downSince?: number;
  /** Until when no answer proved that servers can be reached. Until then a fault of our own network is more likely than one of every server. */
  readonly deafUntil?: number;
}

/** An entry of `simulationServers` from the form. Ranges and repositories are checked there. */
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
      // The original sends an empty text when every repository is allowed.
      ...(repositories.length > 0 && { allowedRepositories: repositories }),
    },
  };
}

/** `https://host/2000` → `host/2000`: the configuration of the session server decides on the scheme. */
export function addressOfUrl(url: string): string | undefined {
  const { address } =
    /^(?:(?:https?|wss?):\/\/)?(?<address>[^/?#\s]+(?:\/[A-Za-z0-9._~-]+)*)\/?$/i.exec(url.trim())?.groups ?? {};
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
      return `${ip} is not the address of a machine (${kind})`;
    case undefined:
      return `${ip} is not an IP address`;
  }
}

/** Why a server at this host may not register, if the host is an IP address. A name is checked when it is resolved. */
export function refuseIpHost(host: string, rules: AddressRules): string | undefined {
  return addressKind(host) === undefined ? undefined : refuseAddress(host, rules);
}

/** Why a registered server is to be removed, in words for the log, or `undefined` when it stays. */
export function reasonToRemove(presence: Presence, now: number, rules: RemovalRules): string | undefined {
  const { heartbeats, lastSeenAt, downSince, deafUntil = -Infinity } = presence;
  if (heartbeats && now - lastSeenAt >= rules.heartbeat * rules.missedHeartbeats)
    return `it has not registered again for ${rules.missedHeartbeats} heartbeats`;
  if (downSince !== undefined && now - Math.max(downSince, deafUntil) >= rules.forgetAfter)
    return `it was down for ${rules.forgetAfter} s`;
  return undefined;
}

/**
 * Whether the answer of some server proves that others can be reached. A server on this machine answers without a network, so it proves nothing while
 * there are servers elsewhere.
 */
export function isNetworkProved(fleet: Iterable<{ readonly host: string; readonly responds: boolean }>): boolean {
  let hasOthers = false;
  let respondedHere = false;
  for (const { host, responds } of fleet) {
    const here = host === 'localhost' || addressKind(host) === 'loopback';
    if (responds && !here) return true;
    if (!here) hasOthers = true;
    else if (responds) respondedHere = true;
  }
  return respondedHere && !hasOthers;
}

/**
 * Seconds until a server that announced itself is probed again; `tries` probes failed so far. The first probe comes soon but not at once, because the
 * original waits for our answer before it serves requests.
 */
export function nextCheck(tries: number): number {
  return tries === 0 ? FIRST_CHECK : Math.min(MAX_PAUSE, 2 ** Math.min(tries, 10));
}

/** Seconds after which a check that never succeeds is given up. */
export function giveUpAfter({ forgetAfter }: RemovalRules): number {
  return Math.min(forgetAfter, MAX_CHECKING);
}

const FIRST_CHECK = 0.5;
const MAX_PAUSE = 30;
const MAX_CHECKING = 900;
