/** What a leader has the other replicas poll. */
import type { PollingPlan } from '../core/replicas/polling-plan.ts';
import type { Settings } from '../config/settings.ts';
import { fleetRules, type Parts } from './build.ts';

/** Returns the same object as long as neither the fleet nor the settings changed. */
export function pollingPlan({ membership, settings }: Pick<Parts, 'membership' | 'settings'>): () => PollingPlan {
  let known: readonly [version: number, settings: Settings, plan: PollingPlan] | undefined;
  return () => {
    const [version, present] = [membership.version, settings()];
    if (known?.[0] === version && known[1] === present) return known[2];
    const members = [...membership.members()];
    const endpoints = (isRegistered: boolean) =>
      members.filter(({ source }) => (source === 'registered') === isRegistered).map(({ server }) => server.endpoint);
    const { pollInterval: interval, pollTimeout: timeout, pollSsl: ssl } = present;
    const plan = { interval, timeout, ssl, rules: fleetRules(present), listed: endpoints(false), registered: endpoints(true) };
    known = [version, present, plan];
    return plan;
  };
}
