/**
 * Which projects may run (the original's `allowedRepositories`, `blockedRepositories`, `shareIdleTime`), with its refusals word for word.
 *
 * A blocked repository is always refused; the original lets an allowed prefix win. Prefixes match whole names: `github.com/acme` does not admit
 * `github.com/acme-evil`. A prefix that ends with `*` matches the beginning of a name.
 */
import { readRepositoryPrefix } from '../fleet/routing.ts';
import { shown } from '../fleet/project.ts';
import type { Ending } from './session-life.ts';

export interface RepositoryRules {
  /** Absent: every project is foreign, as in the original. */
  readonly allowed?: readonly string[];
  readonly blocked: readonly string[];
  /** Percent; 0: foreign projects never run. */
  readonly shareIdleTime: number;
}

export interface RuleFacts {
  /** Host, owner, name and the path below, such as `github.com/acme/arm/robots/worlds/arm.wbt`, in the case of `Project.key`. */
  readonly project: string;
  readonly url: string;
  /** The isolation is strong enough for foreign projects. */
  readonly isolated: boolean;
  /** Percent; `undefined` while it is not known. */
  readonly load: number | undefined;
  /** Percent that sessions which are starting will probably add. */
  readonly pending: number;
}

/** `undefined`: it may run. */
export function ruleAgainst(rules: RepositoryRules, facts: RuleFacts): Ending | undefined {
  if (rules.blocked.some((prefix) => matches(prefix, facts.project)))
    return never(`Cannot run simulation from blocked repository: ${shown(facts.url, 200)}`);
  if (isAllowed(rules, facts.project)) return undefined;
  if (!facts.isolated)
    return elsewhere('Docker not enabled: cannot host simulations from repositories outside of "allowedRepositories".');
  if (rules.shareIdleTime === 0) return elsewhere('This simulation server is not configured to share idle time.');
  if (facts.load === undefined) return elsewhere('Cannot share idle time while the load is not known.');
  const load = facts.load + facts.pending;
  if (load > rules.shareIdleTime)
    return elsewhere(`Cannot share idle time when current load is above threshold: ${Math.round(load * 10) / 10}.`);
  return undefined;
}

/** It is not foreign. */
export function isAllowed({ allowed }: Pick<RepositoryRules, 'allowed'>, project: string): boolean {
  return allowed?.some((prefix) => matches(prefix, project)) === true;
}

export function matches(prefix: string, project: string): boolean {
  const isOpen = prefix.endsWith('*');
  const plain = readRepositoryPrefix(isOpen ? prefix.slice(0, -1) : prefix);
  if (plain === undefined) return false;
  return isOpen ? project.startsWith(plain) : project === plain || project.startsWith(`${plain}/`);
}

/** No machine may run it. */
function never(text: string): Ending {
  return { reason: 'refused', code: 1008, text };
}

/** Another machine, or this one later, may run it. */
function elsewhere(text: string): Ending {
  return { reason: 'refused', code: 1013, text };
}
