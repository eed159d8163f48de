/** What Redis or Valkey says when it does not do what it was asked to, and what the operator has to do about it. */

/** By the first word of the answer, or by a part of the message of the connection. */
const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/\bWRONGPASS\b/, 'check "replicas.user" and the password'],
  [/\bNOAUTH\b/, 'the store requires a password: set "replicas.passwordFile"'],
  [/\bNOPERM\b|ACL failure/, 'the user of the store lacks rights: docs/how-to/replicas.md has the rule for "ACL SETUSER"'],
  [/\bREADONLY\b/, 'this is a copy of another Redis: name the one that takes writes, or use "replicas.sentinels"'],
  [/\bOOM\b/, 'the memory of the store is full: raise its "maxmemory"'],
  [/\bMISCONF\b/, 'the store cannot save to its disk, and takes no writes: see its log'],
  [/\bNOREPLICAS\b/, 'the store has fewer copies than its "min-replicas-to-write"'],
  [/\bLOADING\b/, 'the store is still reading its files'],
  [/\bBUSY\b/, 'a script of another program keeps the store busy'],
  [/\bWRONGTYPE\b/, 'another program writes under this prefix: choose another "replicas.prefix"'],
  [/\b(?:MOVED|CROSSSLOT|CLUSTERDOWN)\b/, 'a cluster is not supported: name a single Redis, or use Sentinel'],
  [/\bENOENT\b/, 'the socket does not exist: is the store running, and is "unixsocket" set?'],
  [/\bEACCES\b/, 'this user may not open the socket: add it to the group "redis", and set "unixsocketperm 770"'],
  [/\bECONNREFUSED\b/, 'nothing listens there: is the store running, and does its "bind" have this address?'],
  [/\b(?:EPIPE|ECONNRESET)\b/, 'the store closed the connection: in its protected mode, it requires a password'],
  [/\b(?:ENOTFOUND|EAI_AGAIN)\b/, 'the name cannot be resolved: check "replicas.store"'],
  [/certificate|self.signed|altnames/i, 'check "replicas.authority", and the names in the certificate of the store'],
  [/wrong version number|packet length too long/, 'one side speaks TLS and the other does not: "rediss://" or "redis://"?'],
];
/** Characters of a message that are shown. */
const MAX_LENGTH = 300;

/** The message of the store, and what to do about it. */
export function withAdvice(message: string): string {
  const shown = message.slice(0, MAX_LENGTH);
  const found = ADVICE.find(([pattern]) => pattern.test(shown));
  return found === undefined ? shown : `${shown} (${found[1]})`;
}
