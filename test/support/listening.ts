/** Which ports a process listens on, as Linux reports it: what is written about an address is one thing, what is bound another. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener {
  readonly port: number;
  /** At `::` or 0.0.0.0, so that others reach it. */
  readonly everywhere: boolean;
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

export function listenersOf(pid: number): Listener[] {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(pid, fd))?.[1]));
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === LISTEN && inodes.has(columns[9]))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        return { port: Number.parseInt(port, 16), everywhere: /^0+$/.test(address) };
      }),
  );
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // Closed in the meantime.
    return '';
  }
}
