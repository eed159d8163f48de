/** The store that replicas share, the rights in it, and the replicas that are there. */
import { digestsOf, redisOptions } from '../../app/replicated.ts';
import type { Settings } from '../../config/settings.ts';
import { SILENT } from '../../core/replicas/election.ts';
import { FORMAT, OLDEST_FORMAT } from '../../core/replicas/format.ts';
import { differingSections, readMember, type SeenMember } from '../../core/replicas/member.ts';
import { storeProblems } from '../../engine/replicas/replicas-view.ts';
import { examineRedis, type ExaminedStore } from '../../stores/redis/examine.ts';
import { fault, ok, warning, type Finding } from './finding.ts';

/** Seconds of difference between clocks that do not matter. */
const CLOCK = 2;
/** Seconds from which on every hand-out is felt to be slow. */
const SLOW = 0.05;
const HOW_TO = 'see docs/how-to/replicas.md';

export interface Clocks {
  /** Seconds. */
  readonly now: () => number;
  /** Seconds since the epoch. */
  readonly wallTime: () => number;
}

/** Nothing without `replicas`. */
export async function examineReplicas(settings: Settings, clocks: Clocks): Promise<Finding[]> {
  const { replicas } = settings;
  if (replicas === undefined) return [];
  try {
    const examined = await examineRedis(redisOptions(replicas), clocks.now);
    const difference = clocks.wallTime() - examined.time - examined.latency / 2;
    return [...aboutStore(replicas.store, examined), clockFinding(difference), ...aboutMembers(settings, examined)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [fault('store', replicas.store, reason, HOW_TO)];
  }
}

function aboutStore(url: string, { facts, latency }: ExaminedStore): Finding[] {
  const { version, evictionPolicy, appends, copies } = facts;
  const fix = 'change it with CONFIG SET, and in its configuration file';
  return [
    ok('store', url, `answers in ${Math.max(1, Math.round(latency * 1000))} ms, with all rights that are needed: ${version}`),
    ...storeProblems(facts).map((problem) => warning('store', url, problem, fix)),
    ...(latency > SLOW ? [warning('store', url, 'answers slowly; every hand-out waits for it', 'move it nearer')] : []),
    ...(evictionPolicy === 'unknown' ? [warning('store', url, 'does not say its maxmemory-policy', HOW_TO)] : []),
    ok(
      'store',
      url,
      appends || copies > 0
        ? `${appends ? 'writes to its disk' : 'has a copy'}, so that its content survives a restart`
        : 'keeps nothing over a restart; replicas fill it again, but not if all of them end with it',
    ),
  ];
}

function clockFinding(difference: number): Finding {
  const seconds = Math.round(Math.abs(difference));
  if (Math.abs(difference) < CLOCK) return ok('clock', 'shared store', 'has the time of this machine');
  const text = `its clock and that of this machine differ by ${seconds} s; replicas go by the clock of the store`;
  return warning('clock', 'shared store', text, 'set both clocks, for instance with systemd-timesyncd');
}

function aboutMembers(settings: Settings, { members }: ExaminedStore): Finding[] {
  const read = members.flatMap(({ text, age }): SeenMember[] => {
    const member = readMember(text);
    return member === undefined ? [] : [{ ...member, age }];
  });
  if (read.length === 0) return [warning('replicas', 'all', 'none is running', 'start them: systemctl start session-server')];
  return read.map((member) => aboutMember(settings, member));
}

function aboutMember(settings: Settings, { name, age, settings: digests, version, format, address }: SeenMember): Finding {
  const sections = differingSections(digests, digestsOf(settings));
  if (age >= SILENT) return warning('replicas', name, `sent its last heartbeat ${Math.round(age)} s ago`, 'read its log');
  if (format < OLDEST_FORMAT || format > FORMAT)
    return warning('replicas', name, `has version ${version}, which shares another format`, 'give all the same version');
  if (sections.length > 0)
    return warning('replicas', name, `has other settings than this file: ${sections.join(', ')}`, 'give all the same file');
  if (address === undefined && settings.replicas?.alone === 'continue')
    return warning(
      'replicas',
      name,
      'has no "replicas.address", so that no leader goes on when the store is gone',
      'set it, or set "replicas.alone" to "wait"',
    );
  return ok('replicas', name, `runs version ${version} with the same settings`);
}
