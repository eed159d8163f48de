/** What a process used, as the Linux kernel counts it: its figures hold however busy the machine is with others. */
import { readFileSync } from 'node:fs';

export interface Usage {
  /** CPU seconds of all threads, user and system, since the process began. Steps of 10 ms. */
  readonly cpu: number;
  /** The same, of its children that have ended, and of theirs. */
  readonly children: number;
  /** Bytes in memory. */
  readonly resident: number;
}

/** Clock ticks a second in `/proc`: the same on every Linux that Node runs on. */
const TICKS = 100;
const PAGE = 4096;

export function usageOf(pid: number): Usage {
  // The second field is the name in parentheses; it may hold anything, so counting begins after it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [user = 0, system = 0, userOfChildren = 0, systemOfChildren = 0] = fields.slice(11, 15).map(Number);
  return {
    cpu: (user + system) / TICKS,
    children: (userOfChildren + systemOfChildren) / TICKS,
    resident: Number(fields[21]) * PAGE,
  };
}

/** Maximum number of open file descriptors a process may have here, this one and those it starts. */
export function descriptorLimit(): number {
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  // Node raises the first, the soft limit, to the second at its start.
  const hard = line?.[2] ?? '1024';
  return hard === 'unlimited' ? Infinity : Number(hard);
}
