/** What `INFO` says, as far as it matters for replicas. */
import type { StoreFacts } from '../../ports.ts';

export function readInfo(text: string): StoreFacts {
  const fields = new Map(
    text.split(/\r?\n/).map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
  const number = (name: string) => Number(/^\d{1,15}$/.exec(fields.get(name) ?? '')?.[0] ?? 0);
  const word = (name: string) => /^[\w.-]{1,40}$/.exec(fields.get(name) ?? '')?.[0];
  const valkey = word('valkey_version');
  return {
    version: valkey === undefined ? `Redis ${word('redis_version') ?? 'of an unknown version'}` : `Valkey ${valkey}`,
    takesWrites: word('role') !== 'slave',
    evictionPolicy: word('maxmemory_policy') ?? 'unknown',
    memory: number('used_memory'),
    maxMemory: number('maxmemory'),
    appends: number('aof_enabled') === 1,
    copies: number('connected_slaves'),
  };
}
